"""Which kind of table a source is: a file by its suffix, or what is in memory by what it offers."""

from pathlib import Path
from typing import Any

from wellgram.errors import InputError
from wellgram.io import anndata
from wellgram.io.contents import open_store
from wellgram.io.places import Place, locate
from wellgram.io.stores import STORES
from wellgram.io.tables import ArrowTable, Table, TableFile, is_table_file


def open_table(path: "str | Place", name: str | None = None) -> Table:
    """Open a file or a store, here or at a URL, by the suffix of its name.

    Raises
    ------
    InputError
        If it is missing, damaged or of an unknown kind, or a package it needs is not installed.
    """
    place = locate(path)
    if not is_table(place):
        if not (place.is_file() or place.is_dir()):
            raise InputError(f"there is no file {str(place)!r}")
        raise InputError(
            f"{place.name!r} is of an unknown kind; give .parquet, .csv, .tsv or .txt, one of the "
            f"last three with .gz, or {', '.join(STORES)}"
        )
    if is_table_file(place):
        return TableFile.open(place, name)
    if not is_there(place):
        raise InputError(f"there is no file {str(place)!r}")
    return open_store(place, name or place.name)


def table_of(source: Any) -> Table:
    """Return the table that is in memory, or that something in memory reads.

    Raises
    ------
    InputError
        If it is no table, or can be read only once.
    """
    return anndata.table_of(source) if anndata.is_anndata(source) else ArrowTable.of(source)


def is_path(source: Any) -> bool:
    """Whether something is the name of a file or folder."""
    return isinstance(source, str | Path)


def is_table(place: Place) -> bool:
    """Whether the name of a file, or of a store that is a folder, is that of a table."""
    return is_table_file(place) or place.suffix in STORES


def is_there(place: Place) -> bool:
    """Whether there is a file, or the folder that a store is, of that name."""
    store = STORES.get(place.suffix)
    return place.is_dir() if store is not None and store.folder else place.is_file()
