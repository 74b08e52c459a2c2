"""HDF5 as a file of named arrays.

Checksums of arrays (fletcher32) are verified by the library where a file has them. Files written
here have them, and text of fixed length, which needs no heap. Their headers have the checksums that
HDF5 1.10 brought.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.io.contents import array_format
from wellgram.io.hdf5_heaps import HeapsChecked
from wellgram.io.hdf5_links import check_within
from wellgram.io.places import Place, Remote
from wellgram.io.read_errors import needed
from wellgram.io.stores import Arrays

_CHUNK_BYTES = 1 << 20
"""As much as the library keeps of an array that is read in parts"""


@contextmanager
def open_hdf5(place: Place) -> Iterator[Arrays]:
    """Yield the arrays of a file, and groups of them."""
    h5py = needed("h5py", "hdf5", repr(place.name))
    with ExitStack() as opened:
        raw = place.open() if isinstance(place, Remote) else place.open("rb")
        file = HeapsChecked(opened.enter_context(raw))
        arrays = opened.enter_context(h5py.File(file, "r"))
        check_within(arrays, place.name)
        yield arrays


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    h5py = needed("h5py", "hdf5", repr(path.name))
    with h5py.File(path, "w", libver="v110") as file:
        for name, values in arrays.items():
            stored = _fixed(values, h5py) if values.dtype == object else values
            file.create_dataset(name, data=stored, **checked_chunks(stored))


def checked_chunks(values: NDArray[Any]) -> dict[str, Any]:
    """Return the options of a dataset whose chunks have checksums."""
    if not values.size:  # there are no chunks to sum up
        return {}
    rows = max(1, _CHUNK_BYTES // (values.nbytes // len(values)))
    return {"chunks": (min(len(values), rows), *values.shape[1:]), "fletcher32": True}


def _fixed(text: NDArray[Any], h5py: Any) -> NDArray[np.bytes_]:
    """Return text as UTF-8 of one length."""
    encoded = [value.encode() for value in text.tolist()]
    length = max(1, *map(len, encoded)) if encoded else 1
    return np.array(encoded, h5py.string_dtype("utf-8", length))


HDF5 = array_format("HDF5", (".h5", ".hdf5"), open_hdf5, _write)
