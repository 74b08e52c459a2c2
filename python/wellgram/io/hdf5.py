"""HDF5 as a file of named arrays."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from wellgram.io.contents import array_format
from wellgram.io.hdf5_links import check_within
from wellgram.io.places import Place, Remote
from wellgram.io.read_errors import needed
from wellgram.io.stores import Arrays


@contextmanager
def open_hdf5(place: Place) -> Iterator[Arrays]:
    """Yield the arrays of a file, and groups of them."""
    h5py = needed("h5py", "hdf5", repr(place.name))
    with ExitStack() as opened:
        file = opened.enter_context(place.open()) if isinstance(place, Remote) else place
        arrays = opened.enter_context(h5py.File(file, "r"))
        check_within(arrays, place.name)
        yield arrays


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    h5py = needed("h5py", "hdf5", repr(path.name))
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            kind = h5py.string_dtype() if values.dtype == object else values.dtype
            file.create_dataset(name, data=values, dtype=kind)


HDF5 = array_format("HDF5", (".h5", ".hdf5"), open_hdf5, _write)
