"""What is written appears when it is whole; what was there before stays until then."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd

from wellgram.errors import InputError, NotWritten
from wellgram.files.exchange import replace_folder
from wellgram.files.moving import finish_moves, move_files, settle
from wellgram.files.temporary_names import remove, remove_leftovers, temporary_name
from wellgram.spreadsheets import without_formulas

_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""What only writing meets: a full disk, a quota, a largest size, a disk that is read only"""


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it otherwise.

    A file or a folder may be written there. Leftovers of killed processes beside it are removed.

    Raises
    ------
    InputError
        If the folder of `path` is not there, or a file would take the place of a folder.
    NotWritten
        If it cannot be written: the disk is full, or may not be written to.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    settle(path)
    remove_leftovers(path.parent)
    temporary = path.with_name(temporary_name(path.name))
    try:
        with _explaining(temporary, path):
            yield temporary
            if path.is_dir() and not temporary.is_dir():
                raise InputError(f"cannot write {str(path)!r}: it is a folder; choose another name")
            if temporary.is_dir() and path.exists():
                replace_folder(temporary, path)
            else:
                temporary.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before it says more
            remove(temporary)


def save_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table for people as CSV, whole or not at all, without formulas of spreadsheets.

    Where programs read names back, they must stay as they are: such tables are written elsewhere.
    """
    with replacing(path) as temporary:
        without_formulas(table).to_csv(temporary, index=False)


@contextmanager
def output_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder within `path`, whose files move to `path` if the work succeeds.

    If it fails, what was in `path` is as it was, and a new folder is not left behind. They move all
    or none: what is stopped within is finished by the next run, or by who reads a file there.
    Leftovers of killed processes in `path` are removed.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, before the work begins.
    NotWritten
        If a file cannot be written: the disk is full, or may not be written to.
    """
    path = Path(path)
    missing = [p for p in (path, *path.parents) if not p.exists()]
    temporary = path / temporary_name()
    try:
        try:
            temporary.mkdir(parents=True)
        except OSError as problem:
            raise InputError(
                f"cannot write to the output folder {str(path)!r}: "
                f"{os.strerror(problem.errno or 0)}; choose another one"
            ) from None
        finish_moves(path)
        remove_leftovers(path)
        with _explaining(temporary, path):
            yield temporary
            move_files(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(missing)


@contextmanager
def _explaining(temporary: Path, path: Path) -> Iterator[None]:
    """Name what is written, not what it is called meanwhile, where writing fails."""
    try:
        yield
    except NotWritten as problem:  # of a file that was written into the temporary folder
        raise NotWritten(str(problem).replace(str(temporary), str(path))) from problem
    except OSError as problem:
        name = problem.filename if isinstance(problem.filename, str) else ""
        written = name.startswith(str(temporary))
        if problem.errno not in _OF_WRITING and not written:
            raise
        target = name.replace(str(temporary), str(path)) if written else str(path)
        cause = os.strerror(problem.errno) if problem.errno else str(problem)
        raise NotWritten(f"cannot write {target!r}: {cause}") from problem


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
