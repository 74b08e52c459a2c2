"""Zarr as a folder of named arrays, whose chunks have checksums (crc32c) where written here.

The library verifies them of any store that has them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.io.contents import array_format
from wellgram.io.places import Place
from wellgram.io.read_errors import needed
from wellgram.io.stores import Arrays

_CHUNK_BYTES = 1 << 24


@contextmanager
def _open(place: Place) -> Iterator[Arrays]:
    zarr = needed("zarr", "zarr", repr(place.name))
    store = needed("wellgram.io.zarr_store", "zarr", repr(place.name)).open_store(place)
    with store.refusing():
        yield zarr.open_group(store, mode="r")


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
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
            compressors=[zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()],
            # A chunk of zeros that is not written cannot be told from one that is lost.
            config={"write_empty_chunks": True},
        )


ZARR = array_format(
    "Zarr", (".zarr",), _open, _write, ("zarr.json", ".zgroup", ".zarray", ".zattrs")
)
