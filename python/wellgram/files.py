"""Files appear whole or not at all: written under a temporary name, then renamed."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from wellgram.errors import InputError
from wellgram.spreadsheets import without_formulas


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it otherwise.

    What is written there may be a file or a folder.

    Raises
    ------
    InputError
        If the folder of `path` is not there, or a file would take the place of a folder.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    # The name ends as the real one does, since writers choose their format by it.
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")
    try:
        yield temporary
        if path.is_dir() and not temporary.is_dir():
            raise InputError(f"cannot write {str(path)!r}: it is a folder; choose another name")
        if temporary.is_dir() and path.exists():
            _exchange(temporary, path)
        else:
            temporary.replace(path)
    finally:
        _remove(temporary)


def _exchange(folder: Path, path: Path) -> None:
    """Put a folder in the place of what is there: a folder cannot be renamed to one with files."""
    old = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")
    path.replace(old)
    try:
        folder.replace(path)
    except BaseException:
        old.replace(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def save_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table for people as CSV, whole or not at all, without formulas of spreadsheets.

    Where programs read names back, they must stay as they are: such tables are written elsewhere.
    """
    with replacing(path) as temporary:
        without_formulas(table).to_csv(temporary, index=False)


@contextmanager
def output_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder within `path`, whose files move to `path` if the work succeeds.

    If it fails, what was in `path` is as it was, and a new folder is not left behind.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, before the work begins.
    """
    path = Path(path)
    missing = [p for p in (path, *path.parents) if not p.exists()]
    temporary = path / f".{uuid.uuid4().hex[:12]}"
    try:
        try:
            temporary.mkdir(parents=True)
        except OSError as problem:
            raise InputError(
                f"cannot write to the output folder {str(path)!r}: "
                f"{os.strerror(problem.errno or 0)}; choose another one"
            ) from None
        yield temporary
        for file in sorted(temporary.rglob("*")):
            target = path / file.relative_to(temporary)
            if file.is_dir():
                target.mkdir(exist_ok=True)
            else:
                file.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _remove_empty(missing)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
