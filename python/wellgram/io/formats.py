"""The formats of tables, chosen by the suffix of a name; and what is in memory as a table."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wellgram.errors import InputError
from wellgram.files import settle
from wellgram.io import anndata
from wellgram.io.delimited import CSV, TSV
from wellgram.io.h5ad import H5AD
from wellgram.io.hdf5 import HDF5
from wellgram.io.npz import NPZ
from wellgram.io.parquet import PARQUET
from wellgram.io.places import Place, locate, no_file
from wellgram.io.read_errors import reading
from wellgram.io.table_format import Format
from wellgram.io.tables import ArrowTable, Table
from wellgram.io.text_encodings import check_encoding
from wellgram.io.zarr import ZARR

FORMATS = {entry.name: entry for entry in (CSV, TSV, PARQUET, HDF5, H5AD, ZARR, NPZ)}
"""The registry, by name."""

_SUFFIX = re.compile(r"(\.[^./\s]+)+")


def register_format(entry: Format) -> None:
    """Add a format, so that tables and maps are read from its files, and maps written to them.

    A format that has the name of another takes its place.

    Parameters
    ----------
    entry
        What the format is called, how names of its files end, and how they are opened and written.

    Raises
    ------
    InputError
        If it has no suffix, one that does not begin with a dot, or one of another format.
    """
    if not entry.suffixes:
        raise InputError(f"format {entry.name!r} has no suffixes; name at least one (suffixes=)")
    for suffix in entry.suffixes:
        if not _SUFFIX.fullmatch(suffix):
            raise InputError(
                f"{suffix!r} of format {entry.name!r} is no suffix; give a dot and letters, such "
                "as '.csv'"
            )
        other = _by_suffix().get(suffix.lower(), entry)
        if other.name != entry.name:
            raise InputError(
                f"suffix {suffix!r} of format {entry.name!r} is that of format {other.name!r}; "
                "choose another suffix, or the same name to replace that format"
            )
    FORMATS[entry.name] = entry


def open_table(
    path: "str | Place", name: str | None = None, *, encoding: str | None = None
) -> Table:
    """Open a file or a store, here or at a URL, by the suffix of its name.

    Parameters
    ----------
    path
        The file or store.
    name
        What messages call it.
    encoding
        What text is in, where the kind of file leaves that open; None: UTF-8.

    Raises
    ------
    InputError
        If it is missing, damaged or of an unknown kind, or a package it needs is not installed.
    """
    check_encoding(encoding)
    place = locate(path)
    if isinstance(place, Path):
        settle(place)
    entry = format_of(place)
    if entry is None and (place.is_file() or place.is_dir()):
        raise InputError(f"{place.name!r} is of an unknown kind; give {table_suffixes()}")
    if entry is None or not is_there(place):
        raise no_file(place)
    with reading(repr(str(place))):
        if encoding is not None and entry.open_encoded is not None:
            return entry.open_encoded(place, name or place.name, encoding)
        return entry.open(place, name or place.name)


def table_of(source: Any) -> Table:
    """Return the table that is in memory, or that something in memory reads.

    Raises
    ------
    InputError
        If it is no table, or can be read only once.
    """
    return anndata.table_of(source) if anndata.is_anndata(source) else ArrowTable.of(source)


def format_of(place: Place) -> Format | None:
    """Return the format that the name of a file or folder is of, if it is known."""
    return _by_suffix().get(_suffix(place).lower())


def is_table(place: Place) -> bool:
    """Whether the name of a file, or of a store that is a folder, is that of a table."""
    return format_of(place) is not None


def is_there(place: Place) -> bool:
    """Whether there is a file, or the folder that a store is, of that name."""
    entry = format_of(place)
    return place.is_dir() if entry is not None and entry.is_folder else place.is_file()


def is_folder_of_tables(place: Place) -> bool:
    """Whether there is a folder of that name, whose files are tables; none that is a store."""
    entry = format_of(place)
    return (entry is None or not entry.is_folder) and place.is_dir()


def stem_of(place: Place) -> str:
    """Return the name of a file without its suffix: all of it, such as ``.csv.gz``."""
    return place.name[: len(place.name) - len(_suffix(place))]


def table_suffixes() -> str:
    """Return the suffixes of all formats, for messages."""
    return _listed(FORMATS.values())


def map_suffixes() -> str:
    """Return the suffixes of the formats that hold maps, for messages."""
    return _listed(entry for entry in FORMATS.values() if entry.write_map is not None)


def _listed(entries: Iterable[Format]) -> str:
    *most, last = (suffix for entry in entries for suffix in entry.suffixes)
    return f"{', '.join(most)} or {last}"


def _by_suffix() -> dict[str, Format]:
    return {suffix.lower(): entry for entry in FORMATS.values() for suffix in entry.suffixes}


def _suffix(place: Place) -> str:
    """Return the longest end of a name that is a known suffix, or the last suffix that it has.

    It is as the name has it; suffixes are known in small letters.
    """
    ends = ["".join(place.suffixes[k:]) for k in range(len(place.suffixes))]
    known = _by_suffix()
    return next((end for end in ends if end.lower() in known), place.suffix)
