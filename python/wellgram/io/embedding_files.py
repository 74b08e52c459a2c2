"""Which tables embeddings are read from: files, folders, URLs, what is in memory, or a list."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from wellgram.errors import InputError
from wellgram.input_kinds import is_path
from wellgram.io.folder_columns import with_folder_columns
from wellgram.io.folders import tables_in
from wellgram.io.formats import (
    is_folder_of_tables,
    is_table,
    open_table,
    table_of,
    table_suffixes,
)
from wellgram.io.layouts import Layout
from wellgram.io.places import Place, Remote, locate
from wellgram.io.processing_levels import check_one_level
from wellgram.io.read_ahead import side_by_side
from wellgram.io.same_files import check_distinct, is_among
from wellgram.io.stacked import StackedTable
from wellgram.io.tables import Table


def embedding_tables(
    source: Any, metadata: Any, layout: Layout, pattern: str | None, encoding: str | None
) -> tuple[list[Table], str | None]:
    """Open the tables that embeddings are read from, and say how many files of what they are.

    Parameters
    ----------
    source
        A path or URL of a file or folder, what is in memory, or a list of such.
    metadata
        The same of the metadata, whose files may lie in a folder of embeddings.
    layout
        Says which files of a folder are embeddings.
    pattern
        A glob that says so instead.
    encoding
        What text of csv and tsv files is in.

    Returns
    -------
    tuple
        The tables; and what was read: how many files, of which folders. None for a file alone.

    Raises
    ------
    InputError
        If there is nothing to read, a file is read twice, or a plate at several levels.
    """
    given = _as_list(source)
    if not given:
        raise InputError("no embeddings were given")
    about = [locate(each) for each in _as_list(metadata) if is_path(each)]
    sources, folders = _expanded(given, pattern or layout.files, about)
    check_pattern(pattern, folders)
    check_distinct(sources)
    check_one_level([place for place in sources if isinstance(place, Path | Remote)])
    several = bool(folders) or len(sources) > 1
    return _opened(sources, encoding), _count(sources, folders) if several else None


def check_pattern(pattern: str | None, folders: Sequence[Place]) -> None:
    """Raise if a pattern is given where there is no folder whose files it chooses.

    Raises
    ------
    InputError
        Naming the pattern.
    """
    if pattern is not None and not folders:
        raise InputError(
            f"pattern {pattern!r} chooses files of a folder, and no folder was given; give one, or "
            "leave it out (pattern=)"
        )


def metadata_table(
    tables: Sequence[Table], metadata: Any, layout: Layout, encoding: str | None
) -> Table:
    """Open the table that describes wells: of its own, or that of the embeddings.

    Parameters
    ----------
    tables
        Those of the embeddings.
    metadata
        A path or URL of a file or folder, what is in memory, or a list of such, whose tables are
        put one below the other; None where the embeddings' own table holds it.
    layout
        Says whether that can be.
    encoding
        What text of csv and tsv files is in.

    Raises
    ------
    InputError
        If there is nothing to read, or the layout keeps metadata in a file of its own.
    """
    if metadata is None:
        if layout.separate and not set(layout.perturbation) & set(tables[0].names):
            raise InputError(
                f"layout {layout.name!r} keeps metadata in a file of its own; name it (metadata=)"
            )
        return tables[0]
    given = _as_list(metadata)
    if not given:
        raise InputError("no metadata were given (metadata=)")
    sources, folders = _expanded(given, "*", [])
    opened = _opened(sources, encoding)
    return opened[0] if len(opened) == 1 else StackedTable.of(opened, _count(sources, folders))


def _as_list(source: Any) -> list[Any]:
    return list(source) if isinstance(source, Sequence) and not is_path(source) else [source]


def _expanded(
    given: Sequence[Any], pattern: str, left_out: Sequence[Place]
) -> tuple[list[Any], list[Place]]:
    """Return sources with the tables of each folder in its place, and the folders."""
    sources: list[Any] = []
    folders: list[Place] = []
    for source in given:
        place = locate(source) if is_path(source) else None
        if place is None:
            sources.append(source)
        elif is_folder_of_tables(place):
            folders.append(place)
            inside = [file for file in tables_in(place, pattern) if not is_among(file, left_out)]
            if not inside and not is_table(place):
                raise InputError(
                    f"folder {str(place)!r} holds no table named like {pattern!r} "
                    f"({table_suffixes()})"
                )
            sources += inside or [place]  # which is to be a file then, by its name
        else:
            sources.append(place)
    return sources, folders


def _opened(sources: Sequence[Any], encoding: str | None) -> list[Table]:
    """Return the table of each; messages call files by their names, or paths if names repeat."""
    places = [source for source in sources if isinstance(source, Path | Remote)]
    alike = len({place.name for place in places}) < len(places)
    label = str if alike else attrgetter("name")
    far = any(isinstance(place, Remote) for place in places)
    alone = len(sources) == 1

    def opened(numbered: tuple[int, Any]) -> Table:
        number, source = numbered
        if isinstance(source, Path | Remote):
            table = open_table(source, label(source), encoding=encoding)
            return with_folder_columns(table, source)
        table = table_of(source)
        numbered_name = f"{table.name.removeprefix('the ')} {number}"
        return table if alone else replace(table, name=numbered_name)

    return list(side_by_side(opened, list(enumerate(sources, start=1)), far=far))


def _count(sources: Sequence[Any], folders: Sequence[Place]) -> str:
    """Return how many files were read, and of which folders."""
    kind = "file" if all(isinstance(source, Path | Remote) for source in sources) else "table"
    count = f"{len(sources):,} {kind}{'' if len(sources) == 1 else 's'}"
    where = " and ".join(repr(str(folder)) for folder in folders)
    return f"{count} of {where}" if where else count
