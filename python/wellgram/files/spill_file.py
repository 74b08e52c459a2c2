"""A file of rows that are too many for memory, which no one but its process sees."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError


class SpillFile:
    """Rows (n, d) in a file without a name: it is gone when it is closed, or its process ends.

    Rows are read into arrays rather than mapped: pages of a mapped file count as memory of the
    process.

    Parameters
    ----------
    folder
        Where it lies.
    rows, width, dtype
        Its shape and the type of its values.

    Raises
    ------
    InputError
        If the folder cannot be written to, or has too little room for all rows.
    """

    def __init__(self, folder: str | Path, rows: int, width: int, dtype: Any) -> None:
        self.width, self.dtype = width, np.dtype(dtype)
        self._row_bytes = width * self.dtype.itemsize
        size = rows * self._row_bytes
        try:
            free = shutil.disk_usage(folder).free
            if free < size:
                raise InputError(_too_small(folder, free, size))
            self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - kept
            _reserve(self._file.fileno(), size)
        except OSError as problem:
            if hasattr(self, "_file"):
                self._file.close()
            raise InputError(
                f"aligned wells cannot be written to {str(folder)!r} ({problem.strerror}); name a "
                f"folder with {size / 1e9:.1f} GB free (--spill)"
            ) from None

    def narrow(self, width: int) -> None:
        """Make rows of fewer features of it, before any is written.

        Raises
        ------
        InputError
            If there are more than it was made for.
        """
        if width > self.width:
            raise InputError(
                f"aligned wells have {width} features, but their file was made for {self.width}"
            )
        self.width = width
        self._row_bytes = width * self.dtype.itemsize

    def write(self, places: NDArray[np.int64], rows: NDArray[Any]) -> None:
        """Write rows (m, d) to these places (m,)."""
        order = np.argsort(places, kind="stable")
        ordered = np.ascontiguousarray(rows[order], self.dtype)
        for first, last in _runs(places[order]):
            self._at(int(places[order[first]]), ordered[first:last], os.pwritev)

    def read(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """Return the rows (m, d) of some places (m,), which may repeat."""
        wanted, back = np.unique(places, return_inverse=True)
        rows = np.empty((len(wanted), self.width), self.dtype)
        for first, last in _runs(wanted):
            self._at(int(wanted[first]), rows[first:last], os.preadv)
        in_order = len(wanted) == len(places) and bool((back[1:] > back[:-1]).all())
        return rows if in_order else rows[back]

    def _at(self, place: int, rows: NDArray[Any], move: Any) -> None:
        """Read or write contiguous rows, from a place on."""
        if not rows.size:
            return
        bytes_left = rows.data.cast("B")
        offset = place * self._row_bytes
        while len(bytes_left):
            moved = move(self._file.fileno(), [bytes_left[: 1 << 30]], offset)
            if moved == 0:
                raise InputError("the file of aligned wells is shorter than what was written to it")
            bytes_left, offset = bytes_left[moved:], offset + moved

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        self._file.close()


def _reserve(descriptor: int, size: int) -> None:
    """Take the room of a file, so that none is missing later."""
    if size and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.ftruncate(descriptor, size)


def _runs(ascending: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where places that follow each other begin and end."""
    if not len(ascending):
        return []
    cuts = np.flatnonzero(np.diff(ascending) != 1) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(ascending)], strict=True))


def _too_small(folder: str | Path, free: int, size: int) -> str:
    return (
        f"aligned wells take {size / 1e9:.1f} GB, but {str(folder)!r} has {free / 1e9:.1f} GB "
        "free; name another folder (--spill)"
    )
