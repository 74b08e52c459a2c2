"""Import the public tools that the benchmarks and the tests compare with."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

# What efaar_benchmarking imports but the functions compared never call, and which weighs gigabytes.
_UNUSED = {
    "scvi": (),
    "scvi.model": ("SCVI",),
    "geomloss": ("SamplesLoss",),
    "torch": ("from_numpy", "Tensor"),
}


def has_efaar() -> bool:
    """Whether efaar_benchmarking is installed."""
    return find_spec("efaar_benchmarking") is not None


def efaar(module: str) -> types.ModuleType:
    """Return a module of efaar_benchmarking, imported without what it does not need here."""
    # SciPy looks for torch.Tensor while it is imported; let it be done before torch is empty.
    for name in ("scipy.stats", "sklearn.covariance", "sklearn.decomposition"):
        import_module(name)
    with _stand_ins():
        return import_module(f"efaar_benchmarking.{module}")


def pycytominer_transforms() -> types.ModuleType | None:
    """Return pycytominer's transforms without the package around them, or None where it is not."""
    found = find_spec("pycytominer")
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / "operations" / "transform.py"
    spec = spec_from_file_location("pycytominer_transforms", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_stand_ins(folder: Path) -> None:
    """Write modules to be found by another process in the place of absent ones."""
    for name in _absent():
        path = folder.joinpath(*name.split("."))
        path.mkdir(parents=True, exist_ok=True)
        classes = "".join(f"class {attribute}: pass\n" for attribute in _UNUSED[name])
        (path / "__init__.py").write_text(classes)


def _absent() -> list[str]:
    return [name for name in _UNUSED if find_spec(name.split(".")[0]) is None]


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Put empty modules in the place of absent ones, for as long as an import takes."""
    absent = _absent()
    for name in absent:
        sys.modules[name] = types.ModuleType(name)
        for attribute in _UNUSED[name]:
            setattr(sys.modules[name], attribute, type(attribute, (), {}))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
