"""Options of the whole suite."""


def pytest_addoption(parser):
    parser.addoption(
        "--require",
        action="append",
        default=[],
        metavar="BACKEND",
        help="fail, instead of skip, where this backend cannot run; may be repeated",
    )
