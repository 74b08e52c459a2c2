"""What random sets are drawn from: the wells of each batch, or all; and how many of which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.wells import WellLabels

SetNull = Literal["batches", "permutation"]
"""Random sets with as many wells of each batch, or of as many wells whatever their batches"""


@dataclass(frozen=True)
class BatchKind:
    """Perturbations (m,) that have so many wells of these batches, and none of others."""

    batches: tuple[int, ...]
    counts: tuple[int, ...]
    members: Codes


@dataclass(frozen=True)
class Strata:
    """The wells of each batch, of a pool of wells."""

    wells: Codes
    """(n,) the pool, batch after batch"""
    starts: Codes
    """(batches + 1,) where each begins"""
    names: Sequence[str]

    @classmethod
    def of(cls, pool: Codes, batches: Codes, names: Sequence[str]) -> "Strata":
        """Return the batches of a pool; `batches` (all wells,) are their codes."""
        order = np.argsort(batches[pool], kind="stable")
        starts = np.searchsorted(batches[pool[order]], np.arange(len(names) + 1))
        return cls(pool[order], starts, names)

    @property
    def whole(self) -> bool:
        """Whether the pool is one stratum, so that a set may be of any batches."""
        return len(self.names) == 1

    def words(self, draws: int) -> str:
        """Say what so many random sets are."""
        within = "" if self.whole else " of each batch"
        return f"{draws:,} random sets of as many wells{within}"

    def __getitem__(self, batch: int) -> Codes:
        return self.wells[self.starts[batch] : self.starts[batch + 1]]


def strata_of_null(null: str, wells: WellLabels, pool: Codes) -> tuple[Strata, Codes]:
    """Return the strata that a null draws sets from, and the stratum (n,) of each well.

    ``"batches"``: each batch of the wells is a stratum. ``"permutation"``, or one batch: the pool
    is one.
    """
    batches, names = wells.batches()
    if null != "batches":
        batches, names = np.zeros_like(batches), ["all wells"]
    return Strata.of(pool, batches, names), batches


def batch_kinds(codes: Codes, batches: Codes, wanted: NDArray[np.bool_]) -> list[BatchKind]:
    """Return the kinds of the perturbations that are wanted, in a fixed order.

    The work grows with the wells, not with perturbations times batches.

    Parameters
    ----------
    codes
        (n,) the perturbation of each well, -1 for none.
    batches
        (n,) the batch of each well.
    wanted
        (p,) which perturbations.
    """
    wells = np.flatnonzero(codes >= 0)
    wells = wells[wanted[codes[wells]]]
    cells, counts = np.unique(np.stack([codes[wells], batches[wells]]), axis=1, return_counts=True)
    owners, starts = np.unique(cells[0], return_index=True)
    kinds: dict[bytes, tuple[Codes, Codes, list[int]]] = {}
    for owner, held, many in zip(
        owners.tolist(),
        np.split(cells[1], starts[1:]),
        np.split(counts, starts[1:]),
        strict=True,
    ):
        key = np.concatenate([held, many]).tobytes()
        kinds.setdefault(key, (held, many, []))[2].append(owner)
    return [
        BatchKind(tuple(held.tolist()), tuple(many.tolist()), np.array(members, np.int64))
        for held, many, members in kinds.values()
    ]
