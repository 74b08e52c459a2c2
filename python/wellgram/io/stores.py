"""Files of named arrays: HDF5, Zarr and NPZ. In each, ``embeddings`` (n, d) and labels (n,)."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.places import Place, Remote
from wellgram.io.reading import needed

EMBEDDINGS = "embeddings"
NOTE = "wellgram"
"""What wellgram wrote beside labels and embeddings: see `labels.py`"""
MISSING = "missing"
"""The group of masks: of the vector of that name, which values there are none"""

Arrays = Mapping[str, Any]
"""By name, what has a shape and a dtype and returns values for a slice; or a group of such"""


@dataclass(frozen=True)
class Store:
    """How a kind of file is opened and written."""

    open: Callable[[Place], AbstractContextManager[Arrays]]
    write: Callable[[Path, Mapping[str, NDArray[Any]]], None]
    """Arrays of numbers, booleans and text (of dtype object)"""
    streams: bool = True
    """Whether some rows can be read without reading all"""
    folder: bool = False


@contextmanager
def _open_hdf5(place: Place) -> Iterator[Arrays]:
    h5py = needed("h5py", "hdf5", repr(place.name))
    with ExitStack() as opened:
        file = opened.enter_context(place.open()) if isinstance(place, Remote) else place
        yield opened.enter_context(h5py.File(file, "r"))


def _write_hdf5(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    h5py = needed("h5py", "hdf5", repr(path.name))
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            kind = h5py.string_dtype() if values.dtype == object else values.dtype
            file.create_dataset(name, data=values, dtype=kind)


@contextmanager
def _open_zarr(place: Place) -> Iterator[Arrays]:
    zarr = needed("zarr", "zarr", repr(place.name))
    yield zarr.open_group(str(place), mode="r")


_CHUNK_BYTES = 1 << 24


def _write_zarr(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    zarr = needed("zarr", "zarr", repr(path.name))
    group = zarr.open_group(str(path), mode="w")
    for name, values in arrays.items():
        # Text in NumPy's own type: Zarr has one for it, and none for objects.
        data = values.astype(np.dtypes.StringDType()) if values.dtype == object else values
        width = max(1, values.nbytes // max(1, len(values)))
        rows = max(1, min(len(values), _CHUNK_BYTES // width))
        group.create_array(
            name,
            data=data,
            chunks=(rows, *(max(1, n) for n in values.shape[1:])),
            # A chunk of zeros that is not written cannot be told from one that is lost.
            config={"write_empty_chunks": True},
        )


class _Member:
    """An array of an NPZ: its shape and dtype at once, its values when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name
        with archive.open(name) as file:
            version = np.lib.format.read_magic(file)
            read = np.lib.format.read_array_header_1_0
            if version > (1, 0):
                read = np.lib.format.read_array_header_2_0
            self.shape, _, self.dtype = read(file)
        if self.dtype.hasobject:
            raise InputError(
                f"array {name.removesuffix('.npy')!r} of {Path(str(archive.filename)).name} holds "
                "Python objects, which are never loaded; save text as such (dtype=str)"
            )

    @cached_property
    def _values(self) -> NDArray[Any]:
        with self._archive.open(self._name) as file:
            values: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return values

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        found: NDArray[Any] = self._values[rows]
        return found


@contextmanager
def _open_npz(place: Place) -> Iterator[Arrays]:
    with ExitStack() as opened:
        file = opened.enter_context(place.open()) if isinstance(place, Remote) else place
        archive = opened.enter_context(zipfile.ZipFile(file))
        group: dict[str, Any] = {}
        for file_name in archive.namelist():
            within, _, name = file_name.removesuffix(".npy").rpartition("/")
            if file_name.endswith(".npy"):
                inside = group.setdefault(within, {}) if within else group
                inside[name] = _Member(archive, file_name)
        yield group


def _write_npz(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            plain = values.astype(np.str_) if values.dtype == object else values
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, plain, allow_pickle=False)


HDF5 = Store(_open_hdf5, _write_hdf5)

STORES = {
    ".h5": HDF5,
    ".hdf5": HDF5,
    ".h5ad": HDF5,
    ".zarr": Store(_open_zarr, _write_zarr, folder=True),
    ".npz": Store(_open_npz, _write_npz, streams=False),
}
"""The registry, by the suffix of a name."""
