"""NPZ as a file of named arrays, whose rows are read from where they lie if they can be.

The archive knows a CRC-32 of each array, and no value is used before it has been compared. Where a
pass reads ranges of a file at a URL from the first row to the last, its end tells.
"""

import math
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.contents import array_format
from wellgram.io.places import Place, Remote
from wellgram.io.stores import Arrays

_END = struct.Struct("<10sH10s")
"""The end of an archive: within it the number of members, or `_MANY` where it does not hold it"""
_MANY = 0xFFFF
_PIECE_BYTES = 1 << 20
_SETTLED_NS = 2 * 10**9
"""How old a file is whose time of change tells it from a later one: clocks of files tick slowly"""
_CHECKED: set[tuple[int | str, ...]] = set()
"""The arrays whose checksums agreed, so that ranges of rows cost one check in all"""


class _Member:
    """An array of an NPZ: its shape and dtype at once, its values when they are asked for.

    Some rows are read from where they lie in the file if they are as they are in memory. All rows
    are read through the archive, which checks them. Before the first range of rows is read, all of
    the array is, once: at some 2 GB/s here, and from a URL at the cost of fetching it.
    """

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile, name: str, place: Place) -> None:
        self._file, self._archive, self.name, self._place = file, archive, name, place
        with archive.open(name) as member:
            version = np.lib.format.read_magic(member)
            read = np.lib.format.read_array_header_1_0
            if version > (1, 0):
                read = np.lib.format.read_array_header_2_0
            try:
                self.shape, by_columns, self.dtype = read(member)
            except TokenError as problem:
                raise zipfile.BadZipFile(f"the header of {name!r} is damaged") from problem
            header = member.tell()
            member.seek(0)
            self.header_sum = zlib.crc32(member.read(header))
        if self.dtype.hasobject:
            raise InputError(
                f"array {name.removesuffix('.npy')!r} of {Path(str(archive.filename)).name} holds "
                "Python objects, which are never loaded; save text as such (dtype=str)"
            )
        facts = archive.getinfo(name)
        self.whole_sum = facts.CRC
        size = math.prod(self.shape) * self.dtype.itemsize
        whole = facts.file_size == header + size
        if not whole:  # a length that is damaged, or what another tool wrote
            self._check()
        stored = facts.compress_type == zipfile.ZIP_STORED
        self.streams = stored and whole and not by_columns and len(self.shape) > 0
        """Whether some rows can be read without reading all"""
        self._first = self._start() + header if self.streams else 0

    def _start(self) -> int:
        """Return where a member begins in the file: after its name and what else is before it."""
        place = self._archive.getinfo(self.name).header_offset
        self._file.seek(place)
        name, extra = struct.unpack("<HH", self._file.read(30)[26:])
        return int(place + 30 + name + extra)

    def _check(self) -> None:
        """Read all of it; the archive raises at the end where its checksum differs."""
        with self._archive.open(self.name) as member:
            while member.read(_PIECE_BYTES):
                pass

    def _check_once(self) -> None:
        """Check it, unless it was checked and the file has not changed since."""
        if isinstance(self._place, Remote):
            # A store that tells no time of change still has another sum after one.
            key: tuple[int | str, ...] = (self._place.version(), self.name, self.whole_sum)
            is_settled = True
        else:
            facts = os.fstat(self._file.fileno())
            changed = facts.st_mtime_ns
            key = (facts.st_dev, facts.st_ino, facts.st_size, changed, self.name)
            is_settled = time.time_ns() - changed > _SETTLED_NS
        if key not in _CHECKED:
            self._check()
            if is_settled:
                _CHECKED.add(key)

    def in_order(self) -> "_Member | _InOrder":
        """Return it for a pass from its first row to its last."""
        return _InOrder(self) if self.streams and isinstance(self._place, Remote) else self

    @cached_property
    def _values(self) -> NDArray[Any]:
        with self._archive.open(self.name) as member:
            values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return values

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        first, last, step = rows.indices(self.shape[0])
        if not self.streams or last - first == self.shape[0]:
            found: NDArray[Any] = self._values[rows]
            return found
        self._check_once()
        return self.unchecked(first, last)[::step]

    def unchecked(self, first: int, last: int) -> NDArray[Any]:
        """Return some rows, whose checksum was not looked at."""
        some: NDArray[Any] = np.empty((max(0, last - first), *self.shape[1:]), self.dtype)
        row = some[:1].nbytes
        self._file.seek(self._first + first * row)
        if self._file.readinto(some.reshape(-1).view(np.uint8)) < some.nbytes:  # type: ignore[attr-defined]
            raise zipfile.BadZipFile(f"{self.name} is shorter than its header says")
        return some


class _InOrder:
    """An array of a file at a URL, in a pass from its first row to its last.

    It is fetched once: what is read is added up, and the last range tells whether all is as it was
    written. Ranges out of order are checked before.
    """

    def __init__(self, member: _Member) -> None:
        self._member = member
        self.shape, self.dtype = member.shape, member.dtype
        self._row, self._sum = 0, member.header_sum
        """Up to which row ranges were read one after the other, and the CRC-32 up to there"""

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        first, last, step = rows.indices(self.shape[0])
        if first != self._row or step != 1 or last - first == self.shape[0]:
            return self._member[rows]
        some = self._member.unchecked(first, last)
        self._row += len(some)
        self._sum = zlib.crc32(some.reshape(-1).view(np.uint8).data, self._sum)
        if self._row == self.shape[0] and self._sum != self._member.whole_sum:
            raise zipfile.BadZipFile(f"Bad CRC-32 for file {self._member.name!r}")
        return some


@contextmanager
def open_npz(place: Place) -> Iterator[Arrays]:
    """Yield the arrays of a file, and groups of them."""
    with place.open() if isinstance(place, Remote) else place.open("rb") as file:
        archive = zipfile.ZipFile(file)
        _check_count(file, archive)
        group: dict[str, Any] = {}
        for file_name in archive.namelist():
            within, _, name = file_name.removesuffix(".npy").rpartition("/")
            if file_name.endswith(".npy"):
                inside = group.setdefault(within, {}) if within else group
                inside[name] = _Member(file, archive, file_name, place)
            else:
                archive.open(file_name).close()  # raises where its name is damaged
        yield group


def _check_count(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Raise if the directory of an archive names fewer members than its end says there are."""
    file.seek(-_END.size - len(archive.comment), 2)
    _, count, _ = _END.unpack(file.read(_END.size))
    if count not in (len(archive.infolist()), _MANY):
        raise zipfile.BadZipFile(f"{len(archive.infolist())} of {count} arrays can be found")


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            plain = values.astype(np.str_) if values.dtype == object else values
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, plain, allow_pickle=False)


NPZ = array_format("NPZ", (".npz",), open_npz, _write)
