"""The files of a folder move into another one all or none, though by one rename after another.

They lie, whole, in a hidden folder there. One rename gives it the name that says so. Whoever finds
that name, the next to write to the folder or to read from it, moves what is still in it.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from wellgram.errors import InputError, NotWritten
from wellgram.files.exchange import put_back

_MOVING = ".wellgram-moving"
_OLDER = ".wellgram-older"
"""A list, in the hidden folder, of files of an earlier run that go when the new ones are there"""


def list_older(folder: Path, names: Iterable[str]) -> None:
    """Note in a folder which files are removed where it is moved to."""
    (folder / _OLDER).write_text("\n".join(sorted(names)), encoding="utf-8")


def move_files(folder: Path, target: Path) -> None:
    """Move the files of a folder within `target` to `target`, in place of those of their names.

    Raises
    ------
    InputError
        If a file would take the place of a folder, or a folder that of a file; nothing is moved.
    """
    _check_replaceable(folder, target)
    try:
        while not _begun(folder, target):
            finish_moves(target)
        finish_moves(target)
    except KeyboardInterrupt:
        finish_moves(target)  # it takes a moment, and no later run needs to
        raise


def finish_moves(target: Path) -> None:
    """Move what a run that was killed had still to move, and what a running one has.

    Two may do so at a time: a file that is gone was moved by the other.

    Raises
    ------
    NotWritten
        If files cannot be moved.
    """
    moving = target / _MOVING
    if not moving.is_dir() or moving.is_symlink():
        return
    try:
        for name, _, files in os.walk(moving):
            place = target / Path(name).relative_to(moving)
            _check_no_link(place, target)
            place.mkdir(exist_ok=True)
            for file in files:
                if file != _OLDER:
                    with suppress(FileNotFoundError):
                        Path(name, file).replace(place / file)
        _remove_older(moving, target)
    except OSError as problem:
        raise NotWritten(
            f"results of a run that was stopped are still in {str(moving)!r} and cannot be moved "
            f"to {str(target)!r}: {problem.strerror or problem}; make the folder writable"
        ) from problem
    for name, _, _ in os.walk(moving, topdown=False):
        with suppress(OSError):  # another has removed it, or put the next results there
            Path(name).rmdir()


def settle(path: Path) -> None:
    """Finish or undo what killed runs left half done where a file or a folder is.

    To be called before it is read or written. It looks into the folder of `path`, and into the one
    above, since results may have subfolders.
    """
    put_back(path)
    for folder in (path.parent, path.parent.parent):
        finish_moves(folder)


def _begun(folder: Path, target: Path) -> bool:
    """Give a folder the name that says that it is whole; False if there is such a one."""
    try:
        folder.rename(target / _MOVING)
    except OSError as problem:
        if problem.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise
    return True


def _check_replaceable(folder: Path, target: Path) -> None:
    for name, _, files in os.walk(folder):
        place = target / Path(name).relative_to(folder)
        _check_no_link(place, target)
        if place.exists() and not place.is_dir():
            raise InputError(f"cannot write to {str(place)!r}: it is a file; choose another folder")
        for file in files:
            if (place / file).is_dir():
                raise InputError(
                    f"cannot write {str(place / file)!r}: it is a folder; choose another one"
                )


def _check_no_link(place: Path, target: Path) -> None:
    """Raise for a subfolder that leads elsewhere: a folder that was sent may hold such links."""
    if place != target and place.is_symlink():
        raise InputError(f"cannot write to {str(place)!r}: it is a link; choose another folder")


def _remove_older(moving: Path, target: Path) -> None:
    listed = moving / _OLDER
    with suppress(FileNotFoundError):
        for name in listed.read_text(encoding="utf-8").splitlines():
            # A folder that was sent may hold a list of anything.
            if name == Path(name).name and (target / name).is_file():
                (target / name).unlink(missing_ok=True)
        listed.unlink()
