"""Options of the whole suite."""

import os
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:
    # A worker has a core: more threads of BLAS would spin on those of other workers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # which NumPy reads when it is imported

import numpy as np
import pytest

from wellgram.backends import BACKENDS, get_backend, why_not

pytest.register_assert_rewrite("helpers")  # so that a failed comparison shows its values

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real screens, which lie beside a checkout; tests of them are skipped where they do not"""


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


@pytest.fixture
def usable(request):
    """The backend of a name; where it cannot run, the test is skipped, or fails if required."""

    def named(name):
        reason = why_not(name)
        if reason is not None:
            (pytest.fail if name in request.config.getoption("--require") else pytest.skip)(reason)
        return get_backend(name)

    return named


def _beside(path):
    if not path.exists():
        pytest.skip(f"the real screen is absent: there is no {path}")
    return path


@pytest.fixture(scope="session")
def lincs_plate():
    """The file of 384 wells: 58 compounds at 6 doses, DMSO controls, 454 columns of features."""
    return _beside(DATA / "lincs_a549_SQ00015054.csv.gz")


@pytest.fixture(scope="session")
def dye_screen():
    """The file of a Cell Painting batch: plates of 384 wells."""
    plates = _beside(DATA / "cdot_dye_screen" / "plates")
    return plates / "2023_05_15_Batch1_normalized_feature_select_negcon_batch.csv.gz"


@pytest.fixture(scope="session")
def bbbc021():
    """The folder of 632 wells: 38 compounds at 103 doses in all, 6 DMSO wells a plate."""
    return _beside(DATA / "bbbc021")


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param
