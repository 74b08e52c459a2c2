"""The public tools, where they are installed; each test that needs an absent one is skipped."""

import importlib
import sys
import types
from importlib.util import find_spec

import pytest

# What efaar_benchmarking imports but the functions compared here never call, and which weighs
# gigabytes: an empty module in its place.
_UNUSED = {
    "scvi": (),
    "scvi.model": ("SCVI",),
    "geomloss": ("SamplesLoss",),
    "torch": ("from_numpy", "Tensor"),
}


def _efaar_module(name, monkeypatch):
    if find_spec("efaar_benchmarking") is None:
        pytest.skip("efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)")
    # SciPy looks for torch.Tensor while it is imported; let it be done before torch is empty.
    for module in ("scipy.stats", "sklearn.covariance", "sklearn.decomposition"):
        importlib.import_module(module)
    absent = [m for m in _UNUSED if m not in sys.modules and find_spec(m.split(".")[0]) is None]
    for module in absent:
        empty = types.ModuleType(module)
        for attribute in _UNUSED[module]:
            setattr(empty, attribute, type(attribute, (), {}))
        monkeypatch.setitem(sys.modules, module, empty)
    return importlib.import_module(f"efaar_benchmarking.{name}")


@pytest.fixture(scope="session")
def stand_ins():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def efaar(stand_ins):
    return _efaar_module("efaar", stand_ins)


@pytest.fixture(scope="session")
def efaar_benchmarks(stand_ins):
    return _efaar_module("benchmarking", stand_ins)
