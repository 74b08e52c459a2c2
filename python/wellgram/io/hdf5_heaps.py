"""Text of variable length in HDF5: its heaps are checked before the library reads them.

Such text lies in global heap collections, each a list of objects that say how long they are. Where
a length is damaged, the library may come to an object of no length, and stay there for ever. So
what it reads passes through here: a collection that it comes to is walked first.
"""

import io
import struct
from typing import IO, Any

_SIGNATURE = b"GCOL"
_HEADER = struct.Struct("<H6xQ")
"""Of a collection, and of each object in it: its number and its length"""
_SEARCHED_BYTES = 1 << 16
"""The library comes to a collection by a read of 4 KiB; more at once is values of arrays"""


class HeapsChecked(io.RawIOBase):
    """A file open to be read, which raises where a heap in what is read has no end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._end = file.seek(0, 2)
        self._checked: set[int] = set()
        """Where collections begin that were walked"""

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read anywhere."""
        return True

    def tell(self) -> int:
        """Return where the next read begins."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go where the next read begins."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer, and check the heaps that begin in them."""
        wanted = len(buffer)
        if wanted > _SEARCHED_BYTES:
            return int(self._file.readinto(buffer))  # type: ignore[attr-defined]
        start = self._file.tell()
        lead = min(start, len(_SIGNATURE) - 1)  # a signature may have begun in another read
        self._file.seek(start - lead)
        around = self._file.read(lead + wanted + len(_SIGNATURE) - 1)
        found = around[lead : lead + wanted]
        buffer[: len(found)] = found
        place = around.find(_SIGNATURE)
        while place >= 0:
            self._check(start - lead + place)
            place = around.find(_SIGNATURE, place + 1)
        self._file.seek(start + len(found))
        return len(found)

    def _check(self, start: int) -> None:
        """Walk a collection; raise if an object has no length."""
        if start in self._checked:
            return
        self._file.seek(start)
        header = self._file.read(_HEADER.size)
        size = _HEADER.unpack(header)[1] if len(header) == _HEADER.size else 0
        self._file.seek(start)
        collection = self._file.read(min(size, self._end - start))
        place, last = _HEADER.size, len(collection) - _HEADER.size
        while place <= last:
            number, length = _HEADER.unpack_from(collection, place)
            # Object 0 is what is free: its length is that of all of it.
            step = _HEADER.size + (length + 7) // 8 * 8 if number else length
            if not 0 < step <= len(collection) - place:
                raise OSError(
                    "a heap of its text is damaged: a length there is not that of its text"
                )
            place += step
        self._checked.add(start)
