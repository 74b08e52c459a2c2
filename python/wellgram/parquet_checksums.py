"""Parquet files whose every part can be checked, also by a reader of a few columns.

Parquet has checksums of pages. It has none of the footer, which says what the columns are and where
they lie, and none of the headers of pages. So a file written here holds two kinds of sums more,
between its last page and its footer: a CRC-32 of each column chunk, headers included, and a SHA-256
of these and the footer. Other readers find pages and footer by their places, and pass them over. A
file that another tool writes anew, from what it read, has no sums that could be out of date.
"""

import hashlib
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

_MARK = b"WELLGRM1"
_SEAL = struct.Struct("<I32s8s")
"""What lies before the footer: the number of sums, a SHA-256, the mark; before it are the sums"""
_END = struct.Struct("<I4s")
"""The length of the footer, and the magic bytes of parquet"""
_MAGIC = b"PAR1"
_TAIL_BYTES = 1 << 16
"""Read at once from the end of a file: the footer of most files, as Arrow reads it"""
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True)
class Footer:
    """What a parquet file says of its columns, and the sums of its column chunks."""

    facts: pa.parquet.FileMetaData
    sums: NDArray[np.uint32] | None = None
    """(row groups, columns); None: the file has none, others wrote it"""


def write_parquet(table: pa.Table, path: Path, **options: Any) -> None:
    """Write a table as parquet, with checksums of pages, column chunks and the footer.

    The sums of chunks cost one more reading of the file, at some 2 GB/s.

    Parameters
    ----------
    table, path
        What is written, and where to.
    options
        Of `pyarrow.parquet.write_table`.
    """
    pa.parquet.write_table(table, path, write_page_checksum=True, **options)
    facts = pa.parquet.read_metadata(path)
    with path.open("r+b") as file:
        columns = range(facts.num_columns)
        sums = [
            [_sum(file, *_range(facts, group, column)) for column in columns]
            for group in range(facts.num_row_groups)
        ]
        counted = np.array(sums, "<u4").tobytes()
        end = file.seek(-_END.size, 2)
        length, _ = _END.unpack(file.read())
        file.seek(end - length)
        footer = file.read()
        digest = hashlib.sha256(counted + footer).digest()
        file.seek(end - length)
        file.write(counted + _SEAL.pack(len(counted) // 4, digest, _MARK) + footer)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame of pandas as `write_parquet` does, without its index."""
    write_parquet(pa.Table.from_pandas(frame, preserve_index=False), path)


def read_footer(file: IO[bytes]) -> Footer:
    """Read the footer of a parquet file, and check it where it has a checksum.

    Raises
    ------
    OSError, pyarrow.ArrowException
        If it is damaged, or the file is not parquet.
    """
    size = file.seek(0, 2)
    tail = _last(file, size, _TAIL_BYTES)
    length, magic = _END.unpack(tail[-_END.size :]) if len(tail) >= _END.size else (0, b"")
    if magic != _MAGIC or length + _END.size > size:
        file.seek(0)
        return Footer(pa.parquet.read_metadata(file))  # says what is wrong
    behind = length + _END.size
    tail = _longer(file, size, tail, behind + _SEAL.size)
    footer, before = tail[-behind:], tail[:-behind][-_SEAL.size :]
    if not before.endswith(_MARK):
        return Footer(_facts(footer))
    count, digest, _ = _SEAL.unpack(before)
    behind += _SEAL.size
    tail = _longer(file, size, tail, behind + 4 * count)
    sums = tail[:-behind][-4 * count :] if count else b""
    if hashlib.sha256(sums + footer).digest() != digest:
        raise OSError("the checksum of its footer differs")
    facts = _facts(footer)
    shape = (facts.num_row_groups, facts.num_columns)
    return Footer(facts, np.frombuffer(sums, "<u4").reshape(shape))


def check_chunks(file: IO[bytes], footer: Footer, group: int, names: Collection[str]) -> None:
    """Check columns of a row group, where the file has sums of them; some 2 GB/s.

    Raises
    ------
    OSError
        Naming the column whose checksum differs.
    """
    if footer.sums is None:
        return
    for column in range(footer.facts.num_columns):
        path = footer.facts.schema.column(column).path
        # A column of vectors is a path, such as embedding.list.element.
        if not (path in names or path.split(".")[0] in names or _is_below(path, names)):
            continue
        place = _range(footer.facts, group, column)
        if _sum(file, *place) != footer.sums[group, column]:
            raise OSError(f"the checksum of column {path.split('.')[0]!r} differs")


def _facts(footer: bytes) -> pa.parquet.FileMetaData:
    return pa.parquet.read_metadata(pa.BufferReader(_MAGIC + footer))


def _is_below(path: str, names: Collection[str]) -> bool:
    """Whether a path is within a column whose name holds points."""
    parts = path.split(".")
    return any(".".join(parts[:k]) in names for k in range(2, len(parts)))


def _range(facts: pa.parquet.FileMetaData, group: int, column: int) -> tuple[int, int]:
    """Return where a column chunk begins, and how many bytes it has."""
    chunk = facts.row_group(group).column(column)
    starts = [place for place in (chunk.dictionary_page_offset, chunk.data_page_offset) if place]
    return min(starts, default=0), chunk.total_compressed_size


def _sum(file: IO[bytes], start: int, length: int) -> int:
    """Return the CRC-32 of some bytes of a file."""
    file.seek(start)
    value = 0
    while length and (piece := file.read(min(length, _PIECE_BYTES))):
        value = zlib.crc32(piece, value)
        length -= len(piece)
    return value


def _last(file: IO[bytes], size: int, count: int) -> bytes:
    """Return the last bytes of a file."""
    file.seek(max(0, size - count))
    return file.read()


def _longer(file: IO[bytes], size: int, tail: bytes, count: int) -> bytes:
    """Return as many of the last bytes of a file, given some of them."""
    return tail if len(tail) >= min(count, size) else _last(file, size, count)
