"""The pass over all pairs of rows: whole, or cut into tiles whose results merge."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, overload

import numpy as np

from wellgram.backends import consumers as definitions
from wellgram.backends.consumers import Consumer, Extent, Matrix, State
from wellgram.backends.protocol import Progress
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.pairs.rows import BLOCK_ROWS, Map, Precision, UnitRows, unit_pair

Ranges = tuple[tuple[int, int], ...]


def pair_count(n: int) -> int:
    """Return the number of pairs i < j among n rows."""
    return Extent(n).pairs


@dataclass(frozen=True, repr=False)
class Scan(Sequence[Any]):
    """What the consumers of a pass hold; as a sequence, what each one found.

    A pass cut into ranges of tiles gives a `Scan` per range. They merge in any order, on any
    machine, and answer once all tiles are there.
    """

    consumers: tuple[Consumer, ...]
    states: tuple[State, ...]
    extent: Extent
    tiles: Ranges
    """The tiles that were met, as ranges (start, stop), ascending"""
    digest: str = ""
    """Of the first and the last row, so that passes over different maps are not merged"""

    def __repr__(self) -> str:
        met = sum(stop - start for start, stop in self.tiles)
        names = ", ".join(type(consumer).__name__ for consumer in self.consumers)
        return f"Scan({names}; {met:,} of {tile_count(self.extent):,} tiles)"

    def __len__(self) -> int:
        return len(self.consumers)

    @overload
    def __getitem__(self, k: int) -> Any: ...
    @overload
    def __getitem__(self, k: slice) -> Sequence[Any]: ...
    def __getitem__(self, k: int | slice) -> Any:
        return self._answers[k]

    @cached_property
    def _answers(self) -> list[Any]:
        total = tile_count(self.extent)
        if self.tiles != ((0, total),) and total:
            raise InputError(
                f"the pass is not complete: it has tiles {_words(self.tiles)} of 0 to {total - 1}; "
                "merge the others"
            )
        return [c.finish(s) for c, s in zip(self.consumers, self.states, strict=True)]

    def merge(self, other: "Scan") -> "Scan":
        """Return the pass over the tiles of both.

        Raises
        ------
        InputError
            If they are passes over different maps or with different consumers, or share a tile.
        """
        if (self.extent, self.digest) != (other.extent, other.digest):
            raise InputError("these are passes over different maps")
        if [_spec(c) for c in self.consumers] != [_spec(c) for c in other.consumers]:
            raise InputError("these are passes with different consumers")
        pairs = zip(self.consumers, self.states, other.states, strict=True)
        states = tuple(c.merge(a, b) for c, a, b in pairs)
        return Scan(
            self.consumers, states, self.extent, _join(self.tiles + other.tiles), self.digest
        )

    def save(self, path: str | Path) -> None:
        """Write consumers and states to a file (.npz) that `Scan.load` reads."""
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        for k, (consumer, state) in enumerate(zip(self.consumers, self.states, strict=True)):
            if isinstance(consumer, Matrix):
                raise InputError("the cosines of a Matrix are in its array; save that instead")
            arrays |= {f"{k}.counts": state.counts, f"{k}.values": state.values}
        about = {
            "consumers": [_spec(consumer) for consumer in self.consumers],
            "extent": [self.extent.rows, self.extent.columns],
            "tiles": self.tiles,
            "digest": self.digest,
        }
        with replacing(path) as temporary, temporary.open("wb") as file:
            arrays["about"] = np.array(json.dumps(about))
            np.savez(file, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: str | Path) -> "Scan":
        """Read a pass that `save` wrote.

        Raises
        ------
        InputError
            If the file is missing, damaged or something else.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                consumers = tuple(_from_spec(spec) for spec in about["consumers"])
                states = tuple(
                    State(file[f"{k}.counts"], file[f"{k}.values"]) for k in range(len(consumers))
                )
        except FileNotFoundError:
            raise InputError(f"there is no file {str(path)!r}") from None
        except Exception as problem:
            raise InputError(f"{str(path)!r} is no saved pass ({problem})") from None
        tiles = tuple((start, stop) for start, stop in about["tiles"])
        return cls(consumers, states, Extent(*about["extent"]), tiles, about["digest"])


def tile_count(extent: Extent) -> int:
    """Return the number of tiles of a pass: squares of 2,048 rows by 2,048 others.

    Numbered row by row; of a map against itself those on and above the diagonal.
    """
    rows, columns = _grid(extent)
    return Extent(rows, None if extent.symmetric else columns).pairs + rows * extent.symmetric


def scan_pairs(
    x: Map,
    consumers: Sequence[Consumer],
    *,
    other: Map | None = None,
    tiles: tuple[int, int] | None = None,
    precision: Precision | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Hand the cosine of every pair of rows to consumers, in one pass; the matrix is never stored.

    Parameters
    ----------
    x
        A map, or a matrix (n, d) of float32 or float64 whose rows need not have length 1: an array,
        a memory map, or anything that is read by ranges of rows (`RowSource`). Extra memory is
        three times the map up to 0.5 GB of it, and does not grow beyond.
    consumers
        Such as `CountBelow`, `Histogram`, `Bracket`, `Ranks`, `Nearest`, `RowMoments`,
        `WithinGroups` and `Matrix`; any number of them.
    other
        (m, d): every row of x with every row of other, instead of the pairs i < j of x.
    tiles
        Only the tiles start to stop - 1 of `tile_count`; merge the results of all.
    precision
        The type of the products, by default that of x. ``"float64"`` for parity with float64
        tools. Measured against it on rows of 128 to 3,600 features, half of them noisy copies of
        the others, ``"float32"`` errs by less than 3e-8 (root mean square) and 5e-6 (at most:
        cosines near 1 of 3,600 features); ``"bfloat16"`` by less than 3e-4 and 3e-3, the rounding
        of the rows, and is twice as fast where the processor has AVX512-BF16, and slower where not.
    backend
        See `wellgram.set_backend`.
    progress
        Called now and then with the share done, in [0, 1].

    Returns
    -------
    Scan
        A sequence of what each consumer found, in their order.

    Raises
    ------
    InputError
        If a row is zero or not finite, the two maps differ in features or type, a consumer does not
        fit them, or there are no such tiles.
    """
    return scan(*unit_pair(x, other, precision, backend), consumers, tiles, progress)


def scan(
    rows: UnitRows,
    others: UnitRows | None,
    consumers: Sequence[Consumer],
    tiles: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> Scan:
    """Make a pass over rows that are of length 1 already; see `scan_pairs`."""
    extent = Extent(rows.n, None if others is None else others.n)
    total = tile_count(extent)
    start, stop = (0, total) if tiles is None else tiles
    if not 0 <= start <= stop <= total:
        raise InputError(f"tiles {start} to {stop} are not within 0 to {total}")
    run = rows.run.pair_scan(consumers, extent, rows.dtype, bfloat16=rows.bfloat16)
    partners = rows if others is None else others
    blocks = [
        (*across, *along)
        for top, bottom, left, right in _areas(extent, start, stop)
        for across in rows.spans(top, bottom)
        for along in partners.spans(max(left, across[0]) if extent.symmetric else left, right)
    ]
    done, whole = 0, sum(_size(*block) for block in blocks)
    for top, bottom, left, right in blocks:
        x, y = rows.span(top, bottom), partners.span(left, right)
        size = _size(top, bottom, left, right)
        run.add(x, y, top, left, _part(progress, done / whole, size / whole))
        done += size
    met = ((start, stop),) if stop > start else ()
    digest = _digest(rows) + ("" if others is None else _digest(others))
    return Scan(tuple(consumers), tuple(run.states()), extent, met, digest)


def _grid(extent: Extent) -> tuple[int, int]:
    rows = -(-extent.rows // BLOCK_ROWS)
    return rows, rows if extent.columns is None else -(-extent.columns // BLOCK_ROWS)


def _areas(extent: Extent, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the tiles from start to stop as few areas: rows top to bottom, columns left to right.

    Of a map against itself, an area counts above the diagonal only, so that one may hold any
    number of complete rows of tiles.
    """
    rows, columns = _grid(extent)
    last = extent.rows if extent.columns is None else extent.columns

    def area(top: int, bottom: int, left: int, right: int) -> tuple[int, int, int, int]:
        cut = np.minimum(np.array([top, bottom]) * BLOCK_ROWS, extent.rows).tolist()
        return *cut, left * BLOCK_ROWS, min(right * BLOCK_ROWS, last)

    tile, complete = 0, -1  # the first of a run of complete rows
    for row in range(rows):
        left = row if extent.symmetric else 0
        first, end = max(start, tile), min(stop, tile + columns - left)
        if end - first == columns - left:
            complete = row if complete < 0 else complete
        else:
            if complete >= 0:
                yield area(complete, row, complete if extent.symmetric else 0, columns)
                complete = -1
            if first < end:
                yield area(row, row + 1, left + first - tile, left + end - tile)
        tile += columns - left
    if complete >= 0:
        yield area(complete, rows, complete if extent.symmetric else 0, columns)


def _size(top: int, bottom: int, left: int, right: int) -> int:
    return (bottom - top) * (right - left)


def _part(progress: Progress | None, done: float, share: float) -> Progress | None:
    return None if progress is None else lambda part: progress(done + share * part)


def _digest(rows: UnitRows) -> str:
    hashed = blake2b(f"{rows.n} {rows.d} {rows.dtype} {rows.bfloat16}".encode(), digest_size=8)
    for row in {0, rows.n - 1} if rows.n else ():
        hashed.update(rows.span(row, row + 1).tobytes())
    return hashed.hexdigest()


def _join(ranges: Ranges) -> Ranges:
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if joined and start < joined[-1][1]:
            raise InputError(f"tile {start} is in both passes")
        if joined and start == joined[-1][1]:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return tuple(joined)


def _words(ranges: Ranges) -> str:
    return ", ".join(f"{start} to {stop - 1}" for start, stop in ranges) or "none"


def _spec(consumer: Consumer) -> dict[str, Any]:
    """Return what a consumer is made of, as JSON has it."""
    made_of = {
        f.name: getattr(consumer, f.name)
        for f in fields(consumer)  # type: ignore[arg-type]
    }
    plain = {
        name: {"array": value.tolist(), "dtype": str(value.dtype)}
        if isinstance(value, np.ndarray)
        else value
        for name, value in made_of.items()
        if not isinstance(consumer, Matrix)
    }
    spec: dict[str, Any] = json.loads(
        json.dumps({"kind": type(consumer).__name__, "fields": plain})
    )
    return spec


def _from_spec(spec: dict[str, Any]) -> Consumer:
    def value(given: Any) -> Any:
        if isinstance(given, dict):
            return np.array(given["array"], given["dtype"])
        return tuple(map(value, given)) if isinstance(given, list) else given

    kind = getattr(definitions, spec["kind"])
    made: Consumer = kind(**{name: value(given) for name, given in spec["fields"].items()})
    return made
