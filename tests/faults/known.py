"""Failures of the fuzzer that are known and not mended yet, with what is missing.

A kind of file and an outcome are taken out when the cause is mended. The set may only shrink.
"""

from faults.reader_processes import CHANGED, HANG, TRACEBACK

_NO_CHECKSUM = "maps have no checksum of all that is in them"
_TEXT_IN_HDF5 = "libhdf5 follows a damaged heap of texts for ever"
_TEXT_IN_ZARR = "the codec vlen-utf8 believes a damaged count of texts"
_ENCODING = "text that is not UTF-8 is not refused by name"
_MAPS = tuple(
    f"map.{suffix}{how}"
    for suffix in ("parquet", "npz", "h5", "zarr", "h5ad")
    for how in ("", ", by rows")
)

KNOWN: dict[tuple[str, str], str] = {
    **{(kind, CHANGED): _NO_CHECKSUM for kind in _MAPS},
    **{(kind, HANG): _TEXT_IN_HDF5 for kind in (*_MAPS, "wells.h5") if ".h5" in kind},
    **{(kind, HANG): _TEXT_IN_ZARR for kind in (*_MAPS, "wells.zarr") if ".zarr" in kind},
    **{(kind, TRACEBACK): _ENCODING for kind in ("sets.gmt", "sets.tsv")},
    ("block.npz", TRACEBACK): "what zipfile raises of a damaged archive is passed on",
    ("unfinished", TRACEBACK): "a damaged method of compression is passed on",
}
