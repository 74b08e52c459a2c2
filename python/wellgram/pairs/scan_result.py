"""What a pass over pairs holds, whole or in part: parts merge, are saved and read again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np

from wellgram.backends import consumers as definitions
from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.pairs.tiling import tile_count

Ranges = tuple[tuple[int, int], ...]


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
            if consumer.writes_to is not None:
                kind = type(consumer).__name__
                raise InputError(f"the cosines of a {kind} are in its array; save that instead")
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
        if consumer.writes_to is None
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
