"""Failures of the fuzzer that are known and not mended yet, with what is missing.

A kind of file and an outcome are taken out when the cause is mended. The set may only shrink.
"""

from faults.reader_processes import HANG

KNOWN: dict[tuple[str, str], str] = {
    ("wells.zarr", HANG): "a damaged count of texts has Zarr's vlen-utf8 ask for all memory",
}
