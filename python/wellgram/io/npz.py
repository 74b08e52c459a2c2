"""NPZ as a file of named arrays, whose rows are read from where they lie if they can be."""

import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.contents import array_format
from wellgram.io.places import Place, Remote
from wellgram.io.stores import Arrays


class _Member:
    """An array of an NPZ: its shape and dtype at once, its values when they are asked for.

    Some rows are read from where they lie in the file if they are as they are in memory. All rows
    are read through the archive, which knows their check sum.
    """

    def __init__(self, file: IO[bytes], archive: zipfile.ZipFile, name: str) -> None:
        self._file, self._archive, self._name = file, archive, name
        with archive.open(name) as member:
            version = np.lib.format.read_magic(member)
            read = np.lib.format.read_array_header_1_0
            if version > (1, 0):
                read = np.lib.format.read_array_header_2_0
            self.shape, by_columns, self.dtype = read(member)
            header = member.tell()
        if self.dtype.hasobject:
            raise InputError(
                f"array {name.removesuffix('.npy')!r} of {Path(str(archive.filename)).name} holds "
                "Python objects, which are never loaded; save text as such (dtype=str)"
            )
        facts = archive.getinfo(name)
        size = math.prod(self.shape) * self.dtype.itemsize
        whole = facts.file_size == header + size
        stored = facts.compress_type == zipfile.ZIP_STORED
        self.streams = stored and whole and not by_columns and len(self.shape) > 0
        """Whether some rows can be read without reading all"""
        self._first = self._start() + header if self.streams else 0

    def _start(self) -> int:
        """Return where a member begins in the file: after its name and what else is before it."""
        place = self._archive.getinfo(self._name).header_offset
        self._file.seek(place)
        name, extra = struct.unpack("<HH", self._file.read(30)[26:])
        return int(place + 30 + name + extra)

    @cached_property
    def _values(self) -> NDArray[Any]:
        with self._archive.open(self._name) as member:
            values: NDArray[Any] = np.lib.format.read_array(member, allow_pickle=False)
        return values

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        first, last, step = rows.indices(self.shape[0])
        if not self.streams or last - first == self.shape[0]:
            found: NDArray[Any] = self._values[rows]
            return found
        some: NDArray[Any] = np.empty((max(0, last - first), *self.shape[1:]), self.dtype)
        row = some[:1].nbytes
        self._file.seek(self._first + first * row)
        if self._file.readinto(some.reshape(-1).view(np.uint8)) < some.nbytes:  # type: ignore[attr-defined]
            raise zipfile.BadZipFile(f"{self._name} is shorter than its header says")
        return some[::step]


@contextmanager
def open_npz(place: Place) -> Iterator[Arrays]:
    """Yield the arrays of a file, and groups of them."""
    with place.open() if isinstance(place, Remote) else place.open("rb") as file:
        archive = zipfile.ZipFile(file)
        group: dict[str, Any] = {}
        for file_name in archive.namelist():
            within, _, name = file_name.removesuffix(".npy").rpartition("/")
            if file_name.endswith(".npy"):
                inside = group.setdefault(within, {}) if within else group
                inside[name] = _Member(file, archive, file_name)
        yield group


def _write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            plain = values.astype(np.str_) if values.dtype == object else values
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, plain, allow_pickle=False)


NPZ = array_format("NPZ", (".npz",), open_npz, _write)
