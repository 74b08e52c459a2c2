"""Options of the whole suite."""

import pytest

from wellgram.backends import BACKENDS


def pytest_addoption(parser):
    parser.addoption(
        "--require",
        action="append",
        default=[],
        metavar="BACKEND",
        help="fail, instead of skip, where this backend cannot run; may be repeated",
    )


def pytest_configure(config):
    for name in config.getoption("--require"):
        if name not in BACKENDS:  # a slip of the pen would require nothing
            known = ", ".join(BACKENDS)
            raise pytest.UsageError(f"there is no backend {name!r} (there are {known})")
