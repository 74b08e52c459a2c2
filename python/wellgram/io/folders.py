"""Which tables a folder holds, here or at a URL: those on top, or else those of its subfolders."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from wellgram.errors import InputError
from wellgram.files import finish_moves, settle
from wellgram.io.formats import format_of, is_table, is_there
from wellgram.io.places import Place, Remote, check_link


def tables_in(folder: Place, pattern: str = "*") -> list[Place]:
    """Return the tables of a folder whose names match a pattern, sorted by path.

    Where the folder has none itself, those of its subfolders. Names that begin with ``.`` or ``_``
    are ignored, of files and of folders: copies of an editor, of a Mac, marks of Spark.

    Parameters
    ----------
    folder
        The folder.
    pattern
        A glob. One without ``/`` is matched by names; another by the path within the folder, where
        ``**`` stands for any number of folders.

    Raises
    ------
    InputError
        If a link leads nowhere, or a folder cannot be listed.
    """
    if isinstance(folder, Path):
        finish_moves(folder)
        settle(folder)
    wanted = pattern.split("/")
    tables = [] if len(wanted) > 1 else _matching(folder, wanted, deep=False)
    if not tables:
        tables = _matching(folder, wanted if len(wanted) > 1 else ["**", *wanted], deep=True)
    return sorted(tables, key=str)


def _matching(folder: Place, wanted: Sequence[str], *, deep: bool) -> list[Place]:
    tables: list[Place] = []
    for place, parts in _entries(folder, deep=deep):
        is_wanted = is_table(place) and _matches(parts, wanted)
        may_be_folder = deep and "." not in place.name
        if (is_wanted or may_be_folder) and isinstance(place, Path) and place.is_symlink():
            check_link(place)
        if is_wanted and is_there(place):
            tables.append(place)
    return tables


def _entries(folder: Place, *, deep: bool) -> Iterator[tuple[Place, list[str]]]:
    """Yield what is in a folder, and its path within: of subfolders too, if `deep`."""
    if isinstance(folder, Path):
        yield from _local_entries(folder, [], deep, (folder.resolve(),))
    else:
        yield from _remote_entries(folder, deep)


def _local_entries(
    folder: Path, above: list[str], deep: bool, parents: tuple[Path, ...]
) -> Iterator[tuple[Path, list[str]]]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as problem:
        raise InputError(
            f"cannot list folder {str(folder)!r}: {problem.strerror}; make it readable"
        ) from problem
    for path in inside:
        if _is_ignored(path.name):
            continue
        within = [*above, path.name]
        if not deep or not path.is_dir() or _is_store(path):
            yield path, within
        elif (real := path.resolve()) not in parents:  # a link to a folder above has no end
            yield from _local_entries(path, within, deep, (*parents, real))


def _remote_entries(folder: Remote, deep: bool) -> Iterator[tuple[Remote, list[str]]]:
    seen: set[str] = set()
    for place in folder.inside_it(deep=deep):
        within = place.inside.removeprefix(folder.inside).strip("/").split("/")
        if any(map(_is_ignored, within)):
            continue
        # Of a store that is a folder, the file system lists the files.
        for k in range(1, len(within)):
            store = folder.child("/".join(within[:k]))
            if _is_store(store):
                place, within = store, within[:k]
                break
        if place.url not in seen:
            seen.add(place.url)
            yield place, within


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "_"))


def _is_store(place: Place) -> bool:
    entry = format_of(place)
    return entry is not None and entry.is_folder


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether a path is like a pattern, in which ``**`` is any number of folders."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        return _matches(parts, wanted[1:]) or (bool(parts) and _matches(parts[1:], wanted))
    return bool(parts) and fnmatchcase(parts[0], wanted[0]) and _matches(parts[1:], wanted[1:])
