"""Zarr as a folder of named arrays, whose chunks have checksums (crc32c) where written here.

The library verifies them of any store that has them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.contents import array_format
from wellgram.io.places import Place
from wellgram.io.read_errors import needed
from wellgram.io.stores import Arrays

_METADATA = ("zarr.json", ".zarray", ".zgroup")
_CHUNK_BYTES = 1 << 24
_LISTED = "wellgram_arrays"
"""The attribute that lists all arrays, since one is a file that can be lost"""


@contextmanager
def _open(place: Place) -> Iterator[Arrays]:
    zarr = needed("zarr", "zarr", repr(place.name))
    store = needed("wellgram.io.zarr_store", "zarr", repr(place.name)).open_store(place)
    with store.refusing():
        group = zarr.open_group(store, mode="r")
        _check_all_there(group, place.name)
        if isinstance(place, Path):
            _check_members(place, group)
        yield group


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    zarr = needed("zarr", "zarr", repr(path.name))
    group = zarr.open_group(str(path), mode="w", attributes={_LISTED: sorted(arrays)})
    for name, values in arrays.items():
        # Text in NumPy's own type: Zarr has one for it, and none for objects.
        data = values.astype(np.dtypes.StringDType()) if values.dtype == object else values
        width = max(1, values.nbytes // max(1, len(values)))
        rows = max(1, min(len(values), _CHUNK_BYTES // width))
        group.create_array(
            name,
            data=data,
            chunks=(rows, *(max(1, n) for n in values.shape[1:])),
            compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()],
            # A chunk of zeros that is not written cannot be told from one that is lost.
            config={"write_empty_chunks": True},
        )


def _check_all_there(group: Any, where: str) -> None:
    """Raise if an array that was written here is gone."""
    for name in group.attrs.get(_LISTED, ()):
        if not hasattr(group.get(name), "shape"):  # or there is a group in its place
            raise InputError(
                f"{where!r} is damaged: its array {name!r} is gone; copy or write the store again"
            )


def _check_members(folder: Path, group: Any) -> None:
    """Raise where a folder says that it is an array or a group, but the library passed it over.

    It passes over those whose metadata it does not understand.
    """
    members = dict(group.members())
    for inside in folder.iterdir():
        if inside.name not in members and any((inside / file).is_file() for file in _METADATA):
            raise ValueError(f"the metadata of {inside.name!r} is damaged")
    for name, node in members.items():
        if not hasattr(node, "shape"):
            _check_members(folder / name, node)


ZARR = array_format("Zarr", (".zarr",), _open, _write, (*_METADATA, ".zattrs"))
