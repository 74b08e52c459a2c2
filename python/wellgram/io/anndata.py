"""AnnData: wells or perturbations as observations, their embedding in ``X``, a layer or ``obsm``.

An object in memory, one whose ``X`` stays on disk (``backed``), and its files (``.h5ad``, and
``.zarr`` as `anndata` writes it) are the same table: the columns of ``obs``, and as columns of
vectors ``X``, each matrix of ``obsm`` under its name, and each layer as ``layers/NAME``. A file is
read without the object, since that holds ``obsm`` in memory also where it is backed.
"""

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.array_table import ArrayTable
from wellgram.io.read_errors import first_line, needed
from wellgram.io.stores import NOTE, Arrays

_NAME = "the AnnData object"


def is_anndata(source: Any) -> bool:
    """Whether something is an AnnData object; none is, where `anndata` was never imported."""
    module = sys.modules.get("anndata")
    return module is not None and isinstance(source, module.AnnData)


def table_of(source: Any) -> ArrayTable:
    """Return the table of an AnnData object."""
    found = _by_name(source.X, source.layers, source.obsm)
    note = source.uns.get(NOTE)
    return table(source.obs, note, found, lambda: nullcontext(found), _NAME)


def is_encoded(group: Any) -> bool:
    """Whether a group of HDF5 or Zarr is an AnnData object's, also of anndata before 0.8."""
    if not hasattr(group, "attrs"):
        return False
    # Before 0.8 the root said nothing of what it is, but obs did.
    obs = group.get("obs") if "X" in group else None
    is_old = getattr(obs, "attrs", {}).get("encoding-type") == "dataframe" or _is_records(obs)
    return is_old or group.attrs.get("encoding-type") == "anndata"


def _is_records(obs: Any) -> bool:
    """Whether observations are an array of records, as before 0.7."""
    return getattr(getattr(obs, "dtype", None), "names", None) is not None


def parts(group: Any, name: str) -> tuple[pd.DataFrame, str | None]:
    """Return ``obs``, and what wellgram wrote beside it; messages call the file by the name."""
    if _is_records(group["obs"]):
        raise InputError(
            f"'obs' of {name} is an array of records, as anndata wrote it before 0.7; read the "
            "file with anndata (read_h5ad) and write it anew (write_h5ad)"
        )
    read = _io().read_elem
    note = f"uns/{NOTE}"
    try:
        return read(group["obs"]), str(read(group[note])) if note in group else None
    # An encoding that anndata does not know is an error of its own, whose class is not public.
    except Exception as problem:
        raise InputError(
            f"cannot read 'obs' of {name}: {first_line(problem)}; the file may be damaged, or "
            "written by a newer anndata"
        ) from problem


def matrices_in(group: Any) -> Arrays:
    """Return the matrices of an AnnData object's group, not read yet."""
    layers, obsm = (
        {name: group[field][name] for name in group[field]} if field in group else {}
        for field in ("layers", "obsm")
    )
    return _by_name(group.get("X"), layers, obsm)


def table(
    obs: pd.DataFrame,
    note: str | None,
    matrices: Arrays,
    opened: Callable[[], AbstractContextManager[Arrays]],
    name: str,
) -> ArrayTable:
    """Return the table of observations and their matrices.

    The names of the observations are a column too, called as the index is, or ``well_id``; but not
    where wellgram made them of the other columns.
    """
    named = str(obs.index.name) if obs.index.name is not None else "well_id"
    columns: dict[str, pa.Array] = {}
    for column in obs.columns:
        try:
            columns[str(column)] = pa.array(obs[column], from_pandas=True)
        except pa.ArrowException as problem:
            raise InputError(
                f"column {column!r} of the obs of {name} cannot be read: {first_line(problem)}; "
                "make it one type"
            ) from None
    names: dict[str, str | None] = {}
    if note is None and named not in columns:
        columns[named] = pa.array(obs.index.astype(str))
        names["row_names"] = named if obs.index.is_unique else None
    embedding = "X" if "X" in matrices else None
    labels = pa.table(columns)
    return ArrayTable.of(labels, matrices, opened, name, embedding=embedding, note=note, **names)


@dataclass(frozen=True)
class _Dense:
    """A sparse matrix whose rows are made dense where they are asked for."""

    sparse: Any

    @property
    def shape(self) -> tuple[int, int]:
        rows, width = self.sparse.shape
        return int(rows), int(width)

    @property
    def dtype(self) -> np.dtype[Any]:
        kind: np.dtype[Any] = np.dtype(self.sparse.dtype)
        return kind

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        dense: NDArray[Any] = self.sparse[rows].toarray()
        return dense


def _by_name(x: Any, layers: Mapping[str, Any], obsm: Mapping[str, Any]) -> Arrays:
    layered = {f"layers/{name}": layer for name, layer in layers.items()}
    given = {**({} if x is None else {"X": x}), **layered, **obsm}
    found = {name: _matrix(node) for name, node in given.items()}
    return {name: matrix for name, matrix in found.items() if matrix is not None}


def _matrix(node: Any) -> Any:
    """Return a matrix of numbers that gives rows for a slice; None for what is none."""
    encoding = getattr(node, "attrs", {}).get("encoding-type", "")
    if encoding in ("csr_matrix", "csc_matrix"):
        node = _io().sparse_dataset(node)
    elif encoding == "dataframe":
        node = _io().read_elem(node)
    if isinstance(node, pd.DataFrame):
        node = node.to_numpy()
    if len(getattr(node, "shape", ())) != 2 or np.dtype(node.dtype).kind not in "biuf":
        return None
    # A sparse matrix, of scipy or on disk, is what can be made one of the other kind.
    sparse = hasattr(node, "toarray") or hasattr(node, "to_memory")
    return _Dense(node) if sparse else node


def _io() -> Any:
    needed("anndata", "anndata", "an AnnData file")
    return needed("anndata.io", "anndata", "an AnnData file")
