"""The blocks of a network: embeddings of the same wells, a file each or an array with an axis."""

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.input_kinds import check_path, check_wells, is_path
from wellgram.io.embedding_files import check_pattern, metadata_table
from wellgram.io.folders import tables_in
from wellgram.io.formats import (
    is_folder_of_tables,
)
from wellgram.io.frames import frame_of
from wellgram.io.layouts import layout_named
from wellgram.io.places import Place, Remote, locate, no_file, read_bytes, version_of
from wellgram.io.read_errors import reading
from wellgram.io.same_files import check_distinct, is_among
from wellgram.io.screens import Source, open_wells, wells_from_frame
from wellgram.stream import WellStream
from wellgram.wells import Wells


@dataclass(frozen=True)
class Blocks:
    """Embeddings of the same wells by several blocks, in order of depth, each read when needed."""

    names: Sequence[str]
    keys: Sequence[str]
    """What tells the embeddings of a block from others of its name"""
    open: Callable[[int], Wells | WellStream]
    """Returns the wells by a block: labels are there, embeddings may be read later"""

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"Blocks({len(self)}: {self.names[0]} to {self.names[-1]})"

    def read(self, k: int, like: Wells | WellStream) -> Wells:
        """Return the wells by a block, in the order of others.

        Raises
        ------
        InputError
            If they are not the same wells.
        """
        opened = self.open(k)
        wells = opened.read() if isinstance(opened, WellStream) else opened
        order = self._order(k, opened, like)
        if (order == np.arange(len(order))).all():
            return wells
        metadata = wells.metadata.iloc[order].reset_index(drop=True)
        return Wells(wells.embeddings[order], metadata, wells.origin)

    def check(self) -> None:
        """Raise unless all blocks are of the same wells, with the same labels.

        Raises
        ------
        InputError
            Naming the first well that differs, before any embedding is read.
        """
        first = self.open(0)
        for k in range(1, len(self)):
            self._order(k, self.open(k), first)

    def _order(
        self, k: int, opened: Wells | WellStream, like: Wells | WellStream
    ) -> NDArray[np.int64]:
        """Return which well of a block each of others is."""
        here, there = (pd.Index(w.metadata["well_id"]) for w in (opened, like))
        order = np.asarray(here.get_indexer(there), np.int64)
        more = here.difference(there)
        if (order < 0).any() or len(more):
            less = there[order < 0]
            which = f"{less[0]!r} is missing" if len(less) else f"{more[0]!r} is not in the first"
            raise InputError(
                f"block {self.names[k]!r} has other wells than block {self.names[0]!r}: "
                f"{len(less):,} are missing and {len(more):,} are new (first: {which}); give "
                "embeddings of the same wells for every block"
            )
        labels = opened.metadata["perturbation"].to_numpy()[order]
        differ = np.flatnonzero(labels != like.metadata["perturbation"].to_numpy())
        if len(differ):
            raise InputError(
                f"well {there[differ[0]]!r} is {labels[differ[0]]!r} in block {self.names[k]!r} "
                f"but {like.metadata['perturbation'].iloc[differ[0]]!r} in {self.names[0]!r}; "
                "label it alike"
            )
        return order


def open_blocks(
    source: str | Path | Sequence[str | Path] | NDArray[Any] | Mapping[str, Wells | WellStream],
    metadata: "Source | None" = None,
    *,
    layout: str = "rxrx1",
    pattern: str | None = None,
    encoding: str | None = None,
    **options: Any,
) -> Blocks:
    """Return the blocks of a network.

    Parameters
    ----------
    source
        A folder of tables or a list of them, one a block, named by the files and in the order of
        the numbers in their names; an array (blocks, n, d), or a ``.npy`` file of one; or wells by
        the names of blocks, in order. Paths may be URLs.
    metadata
        What was done to each well, as for `open_wells`; of an array, row for row.
    pattern
        Which files of a folder are blocks, such as ``*.parquet``; by default all tables.
    layout, encoding, options
        As for `open_wells`: which column plays which role.

    Raises
    ------
    InputError
        If there are fewer than two blocks, a file is not there or damaged, or blocks are of
        different wells.
    """
    if isinstance(source, Mapping):
        wells = list(source.values())
        for one in wells:
            check_wells(one)
        keys = [_digest(_rows(one)) for one in wells]
        blocks = Blocks(list(map(str, source)), keys, lambda k: wells[k])
    elif isinstance(source, np.ndarray) or is_array_file(source):
        check_pattern(pattern, [])
        blocks = _of_array(source, metadata, layout, encoding, options)
    else:
        for name in [source] if not isinstance(source, list | tuple) else source:
            check_path(name)
        blocks = _of_files(source, metadata, layout, pattern, {"encoding": encoding, **options})
    if len(blocks) < 2:
        raise InputError(f"there is {len(blocks)} block; two at least are needed to choose of")
    blocks.check()
    return blocks


def is_array_file(source: Any) -> bool:
    """Whether something is the name of a file of one array, which has an axis of blocks."""
    return is_path(source) and locate(source).suffix.lower() == ".npy"


def _of_array(
    source: Any, metadata: Any, layout: str, encoding: str | None, options: Mapping[str, Any]
) -> Blocks:
    stack = source if isinstance(source, np.ndarray) else _array_of(locate(source))
    if stack.dtype.kind not in "biuf":
        raise InputError(f"an array of blocks holds numbers, not {stack.dtype}; convert it")
    if stack.ndim != 3:
        raise InputError(
            f"an array of blocks has axes (blocks, wells, features), not shape {stack.shape}"
        )
    if metadata is None:
        raise InputError("an array of blocks needs the metadata of its wells (metadata=)")
    if not isinstance(metadata, pd.DataFrame):
        table = metadata_table((), metadata, layout_named(layout), encoding)
        metadata = frame_of(table.read(table.names, text=()))
    frame: pd.DataFrame = metadata
    if len(frame) != stack.shape[1]:
        raise InputError(
            f"blocks are of {stack.shape[1]:,} wells, but the metadata has {len(frame):,} rows"
        )
    names = [f"block {k + 1:0{len(str(len(stack)))}d}" for k in range(len(stack))]

    def opened(k: int) -> Wells:
        return wells_from_frame(np.asarray(stack[k]), frame, layout=layout, **options)

    return Blocks(names, [_digest(np.asarray(rows)) for rows in stack], opened)


def _array_of(place: Place) -> NDArray[Any]:
    """Return the array of a ``.npy`` file, whose values are read when they are asked for."""
    if not place.is_file():
        raise no_file(place)
    # Beside a wrong value, a damaged header raises what Python's parser does, or asks for too much.
    with reading(repr(str(place)), ValueError, TokenError, SyntaxError, OverflowError, MemoryError):
        if isinstance(place, Remote):
            stack: NDArray[Any] = np.load(io.BytesIO(read_bytes(place)), allow_pickle=False)
            return stack
        return np.lib.format.open_memmap(place, mode="r")


def _of_files(
    source: Any, metadata: Any, layout: str, pattern: str | None, options: Mapping[str, Any]
) -> Blocks:
    given = [source] if is_path(source) else list(source)
    about = [locate(metadata)] if is_path(metadata) else []
    paths: list[Place] = []
    folders: list[Place] = []
    for place in map(locate, given):
        if is_folder_of_tables(place):
            folders.append(place)
            inside = tables_in(place, pattern or "*")
            paths += sorted((p for p in inside if not is_among(p, about)), key=_natural)
        elif place.is_file() or place.is_dir():
            paths.append(place)
        else:
            raise no_file(place, "file or folder")
    check_pattern(pattern, folders)
    check_distinct(paths)
    names = [path.name.split(".")[0] for path in paths]
    twice = [name for k, name in enumerate(names) if name in names[:k]]
    if twice:
        raise InputError(f"two files are of block {twice[0]!r}; name blocks apart")
    keys = [version_of(path) for path in paths]
    scheme = layout_named(layout)  # raises, before any file is opened

    def opened(k: int) -> WellStream:
        return open_wells(_named(paths[k]), metadata, layout=scheme.name, **options)

    return Blocks(names, keys, opened)


def _named(place: Place) -> str | Path:
    return place.url if isinstance(place, Remote) else place


def _natural(path: Place) -> list[Any]:
    """Return a key by which block_2 comes before block_10."""
    parts = re.split(r"(\d+)", path.name)
    return [int(part) if part.isdecimal() else part for part in parts]


def _rows(wells: Wells | WellStream) -> NDArray[Any]:
    return wells.embeddings if isinstance(wells, Wells) else wells.unchecked()


def _digest(rows: NDArray[Any]) -> str:
    return hashlib.blake2b(np.ascontiguousarray(rows).tobytes(), digest_size=16).hexdigest()
