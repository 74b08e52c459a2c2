"""What a pass over pairs holds, whole or in part: parts merge, are saved and read again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np

from wellgram.backends.consumers import Consumer, Extent, State
from wellgram.checksums import read_arrays, write_arrays
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.pairs.recipes import Recipe, consumer_of, recipe_for_file, recipe_of
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
        if list(map(recipe_of, self.consumers)) != list(map(recipe_of, other.consumers)):
            raise InputError("these are passes with different consumers")
        pairs = zip(self.consumers, self.states, other.states, strict=True)
        states = tuple(c.merge(a, b) for c, a, b in pairs)
        return Scan(
            self.consumers, states, self.extent, _join(self.tiles + other.tiles), self.digest
        )

    def save(self, path: str | Path) -> None:
        """Write consumers and states to a file (.npz) that `Scan.load` reads, with a SHA-256.

        A consumer of one's own goes by the name of its class, ``module:qualname``, with its fields.

        Raises
        ------
        InputError
            If a consumer writes to an array, which is to be saved instead; or is of one's own and
            no dataclass of a module, or has fields that are no numbers, words, arrays or tuples of
            those.
        """
        arrays: dict[str, np.ndarray[Any, Any]] = {}
        recipes = [recipe_for_file(consumer) for consumer in self.consumers]
        for k, (recipe, state) in enumerate(zip(recipes, self.states, strict=True)):
            arrays |= {f"{k}.counts": state.counts, f"{k}.values": state.values}
            arrays |= {f"{k}.array{m}": array for m, array in enumerate(recipe.arrays)}
        about = {
            "consumers": [[recipe.kind, recipe.fields, len(recipe.arrays)] for recipe in recipes],
            "extent": [self.extent.rows, self.extent.columns],
            "tiles": self.tiles,
            "digest": self.digest,
        }
        with replacing(path) as temporary, temporary.open("wb") as file:
            write_arrays(file, about, arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Scan":
        """Read a pass that `save` wrote.

        The module of a consumer of one's own must have been imported: a file runs no code.

        Raises
        ------
        InputError
            If the file is missing, damaged or something else, or a consumer is not found here.
        """
        try:
            with Path(path).open("rb") as file:
                about, arrays = read_arrays(file)
            recipes = [
                Recipe(kind, given, tuple(arrays[f"{k}.array{m}"] for m in range(count)))
                for k, (kind, given, count) in enumerate(about["consumers"])
            ]
            consumers = tuple(map(consumer_of, recipes))
            states = tuple(
                State(arrays[f"{k}.counts"], arrays[f"{k}.values"]) for k in range(len(consumers))
            )
        except FileNotFoundError:
            raise InputError(f"there is no file {str(path)!r}") from None
        except InputError as problem:
            raise InputError(f"{str(path)!r}: {problem}") from None
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
