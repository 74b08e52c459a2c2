"""What a benchmark is: what it needs, how it is run, what it says."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.align import Alignment
from wellgram.backends.protocol import Progress
from wellgram.maps.build import map_rows
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.recall import Null
from wellgram.metrics.replicates import aligned_rows
from wellgram.stream import WellStream
from wellgram.wells import PerturbationMap, Wells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HELD_BYTES = 8 << 30
"""How large aligned wells may be to be held for what compares replicates"""


@dataclass(frozen=True)
class Task:
    """A screen, its map, and what is known of it."""

    wells: Wells | WellStream
    align: Alignment | None
    sources: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    same: Sequence[str] = ()
    null: Null | None = None
    targets: pd.DataFrame | None = None
    gene_sets: GeneSets | None = None
    seed: int = 0
    backend: str | None = None

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The labels of the rows that the map will have at most."""
        return map_rows(self.wells)[1]

    @cached_property
    def aligned(self) -> Wells:
        """The aligned wells, in memory."""
        rows = aligned_rows(self.wells, self.align)
        return Wells(rows, self.wells.metadata, self.wells.origin)

    def too_large(self) -> str | None:
        """Return why its aligned wells are not held in memory, or None."""
        size = len(self.wells) * self.wells.features * 4
        if size <= HELD_BYTES:
            return None
        return (
            f"its {len(self.wells):,} aligned wells of {self.wells.features:,} features would need "
            f"{size / 1e9:.0f} GB of memory"
        )


@dataclass(frozen=True)
class Headline:
    """The one figure of a benchmark that stands for it."""

    label: str
    value: str
    interval: str
    """95 %, or empty"""
    beside: str
    """What it is to be compared with"""


@dataclass(frozen=True)
class Figure:
    """A figure: how it is drawn, and what one sees in it."""

    draw: "Callable[[], Axes]"
    caption: str
    wide: bool = False
    """Whether it takes a line of a report for itself"""


@dataclass(frozen=True)
class Part:
    """What one benchmark found."""

    result: Any
    text: str
    records: pd.DataFrame
    """For the summary"""
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """For people: a table of words"""
    tables: Mapping[str, pd.DataFrame]
    """For files, by name"""
    figures: Mapping[str, Figure]
    """By name of the file"""
    headline: Headline | None = None


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of the suite."""

    name: str
    title: str
    step: str
    missing: Callable[[Task], str | None]
    """What a task lacks for it, in words, or None; raises for input that cannot be used"""
    run: Callable[[Task, PerturbationMap, Progress], Part]


Records = list[dict[Hashable, Any]]
