"""A digest of whatever was read: equal where every value, type and name is."""

import hashlib
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

import numpy as np
import pandas as pd


def digest_of(*values: Any) -> str:
    """Return a digest of values: arrays, tables, dataclasses, and what holds such."""
    digest = hashlib.sha256()
    for value in values:
        _add(digest, value)
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype} {value.shape}".encode())
        digest.update(repr(value.tolist()).encode("utf-8", "surrogatepass"))
    elif isinstance(value, pd.DataFrame):
        digest.update(f"table {value.shape}".encode())
        for place, name in enumerate(value.columns):
            column = value.iloc[:, place]
            _add(digest, (str(name), str(column.dtype), column.to_numpy(object)))
    elif isinstance(value, Mapping):
        _add(digest, [[name, value[name]] for name in sorted(value, key=str)])
    elif isinstance(value, list | tuple):
        digest.update(f"{len(value)} of".encode())
        for part in value:
            _add(digest, part)
    elif is_dataclass(value):
        _add(digest, (type(value).__name__, vars(value)))
    else:
        digest.update(f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass"))
