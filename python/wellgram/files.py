"""Files appear whole or not at all: written under a temporary name, then renamed."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wellgram.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, delete it otherwise."""
    path = Path(path)
    # The name ends as the real one does, since writers choose their format by it.
    temporary = path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def output_folder(path: str | Path) -> Iterator[Path]:
    """Yield a folder that can be written to; if the work inside fails, leave no new folder behind.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, before the work begins.
    """
    path = Path(path)
    missing = [p for p in (path, *path.parents) if not p.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".{uuid.uuid4().hex[:12]}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        _remove_empty(missing)
        raise InputError(
            f"cannot write to the output folder {str(path)!r}: {os.strerror(problem.errno or 0)}; "
            "choose another one"
        ) from None
    try:
        yield path
    except BaseException:
        _remove_empty(missing)
        raise


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
