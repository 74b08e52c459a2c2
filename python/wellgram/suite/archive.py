"""Findings as bytes and back: tables, arrays and plain values, and our own dataclasses of those.

Nothing of it is code, so a file that somebody else put there can do no harm.
"""

import io
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.checksums import read_arrays, write_arrays

_OURS = "wellgram."
_PLAIN = (bool, int, float, str, type(None))


def packed(value: Any) -> bytes:
    """Return a value as bytes.

    Raises
    ------
    TypeError
        If it holds what is none of tables, arrays, plain values, lists, mappings, or a dataclass of
        the package.
    """
    arrays: list[NDArray[Any]] = []
    tree = _to_tree(value, arrays)
    buffer = io.BytesIO()
    write_arrays(buffer, {"tree": tree}, {f"array{k}": array for k, array in enumerate(arrays)})
    return buffer.getvalue()


def unpacked(data: bytes) -> Any:
    """Return the value that `packed` made bytes of.

    Raises
    ------
    ValueError
        If the bytes are none of its, or not as they were.
    """
    about, saved = read_arrays(io.BytesIO(data))
    return _from_tree(about["tree"], saved)


def _to_tree(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if isinstance(value, pd.DataFrame):
        return _frame_tree(value, arrays)
    if isinstance(value, list | tuple):
        name = "tuple" if isinstance(value, tuple) else "list"
        return {name: [_to_tree(item, arrays) for item in value]}
    if isinstance(value, Mapping):
        return {"mapping": [[_to_tree(k, arrays), _to_tree(v, arrays)] for k, v in value.items()]}
    kind = type(value)
    if is_dataclass(kind) and kind.__module__.startswith(_OURS):
        held = {f.name: _to_tree(getattr(value, f.name), arrays) for f in fields(kind) if f.init}
        return {"made": [kind.__module__, kind.__name__], "fields": held}
    raise TypeError(f"cannot keep {kind.__name__}")


def _frame_tree(frame: pd.DataFrame, arrays: list[NDArray[Any]]) -> dict[str, Any]:
    plain = frame.index.equals(pd.RangeIndex(len(frame)))
    index = None if plain else _column_tree(frame.index.to_series(), arrays)
    columns = [[_to_tree(name, arrays), _column_tree(frame[name], arrays)] for name in frame]
    return {"frame": columns, "index": index, "rows": len(frame)}


def _column_tree(column: "pd.Series[Any]", arrays: list[NDArray[Any]]) -> Any:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufmM":
        return _to_tree(column.to_numpy(), arrays)
    values = [None if item is pd.NA else item for item in column.tolist()]
    return {"values": _to_tree(values, arrays), "dtype": str(column.dtype)}


def _from_tree(tree: Any, saved: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return saved[f"array{tree['array']}"]
    if "frame" in tree:
        columns = {name: _column(held, saved) for name, held in tree["frame"]}
        table = pd.DataFrame(columns, index=pd.RangeIndex(tree["rows"]))
        return table if tree["index"] is None else table.set_axis(_column(tree["index"], saved))
    if "list" in tree:
        return [_from_tree(item, saved) for item in tree["list"]]
    if "tuple" in tree:
        return tuple(_from_tree(item, saved) for item in tree["tuple"])
    if "mapping" in tree:
        return {_from_tree(k, saved): _from_tree(v, saved) for k, v in tree["mapping"]}
    module, name = tree["made"]
    # Of modules that are loaded: to import one that a file names would run it.
    made = getattr(sys.modules.get(module), name, None) if module.startswith(_OURS) else None
    if not (isinstance(made, type) and is_dataclass(made) and made.__module__ == module):
        raise ValueError(f"{module}.{name} is no result of ours")
    return made(**{field: _from_tree(held, saved) for field, held in tree["fields"].items()})


def _column(held: Any, saved: Mapping[str, NDArray[Any]]) -> Any:
    if "array" in held:
        return _from_tree(held, saved)
    return pd.Series(_from_tree(held["values"], saved), dtype=held["dtype"])
