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
