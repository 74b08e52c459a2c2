"""The public tools, where they are installed; each test that needs an absent one is skipped."""

import pytest

import peers


def _efaar(module):
    if not peers.has_efaar():
        pytest.skip("efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)")
    return peers.efaar(module)


@pytest.fixture(scope="session")
def efaar():
    return _efaar("efaar")


@pytest.fixture(scope="session")
def efaar_benchmarks():
    return _efaar("benchmarking")


@pytest.fixture(scope="session")
def pycytominer():
    transforms = peers.pycytominer_transforms()
    if transforms is None:
        pytest.skip("pycytominer is absent (pip install --no-deps pycytominer==1.7.1)")
    return transforms


@pytest.fixture(scope="session")
def neurocombat():
    return pytest.importorskip(
        "neuroCombat", reason="neuroCombat is absent (pip install --no-deps neuroCombat==0.2.12)"
    )


@pytest.fixture(scope="session")
def copairs():
    return pytest.importorskip(
        "copairs.map",
        reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels "
        "patsy tqdm)",
    )


@pytest.fixture
def evaluate():
    with peers.cytominer_eval() as function:
        if function is None:
            pytest.skip("cytominer-eval is absent (pip install --no-deps cytominer-eval==0.1)")
        yield function
