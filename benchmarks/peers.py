"""Import the public tools that the benchmarks and the tests compare with."""

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

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


@contextmanager
def cytominer_eval() -> Iterator[Callable[..., Any] | None]:
    """Yield the function ``evaluate`` of cytominer-eval 0.1, or None where it is absent.

    It was written for NumPy below 1.24 and pandas below 3. What these took away since is there as
    long as it runs: two names, tables whose values can be written to, and groups that have the
    columns they are grouped by.
    """
    from pandas.core.groupby import DataFrameGroupBy

    changed = [
        (np, "float", float),
        (np, "str", str),
        (np, "fill_diagonal", _filled(np.fill_diagonal)),
        (DataFrameGroupBy, "apply", _applied),
    ]
    if find_spec("cytominer_eval") is None:
        yield None
        return
    with ExitStack() as stack:
        for where, name, value in changed:
            stack.enter_context(mock.patch.object(where, name, value, create=True))
        yield import_module("cytominer_eval").evaluate


def _filled(fill_diagonal: Callable[..., None]) -> Callable[..., None]:
    def fill(values: Any, value: float) -> None:
        values.flags.writeable = True
        fill_diagonal(values, value)

    return fill


def _applied(grouped: Any, function: Callable[..., Any]) -> Any:
    names = [grouped.keys] if isinstance(grouped.keys, str) else grouped.keys
    results = {key: function(grouped.obj.iloc[rows]) for key, rows in grouped.indices.items()}
    keys = pd.Index([key if isinstance(key, str) else key[0] for key in results], name=names[0])
    values = list(results.values())
    kind = pd.DataFrame if isinstance(values[0], pd.Series) else pd.Series
    return kind(values, keys)
