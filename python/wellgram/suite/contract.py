"""What a benchmark is: what it needs, how it is run, what it measures, and how that is shown."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.align import Alignment, aligned_in_memory
from wellgram.backends.protocol import Codes, Progress
from wellgram.errors import NotApplicable
from wellgram.files.spill_file import SpillFile
from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import SetNull
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.precision_by_group import GroupNull
from wellgram.metrics.recall import Null, Same
from wellgram.metrics.spilled_wells import AlignedWells, SpilledWells, zero_wells
from wellgram.stream import WellStream
from wellgram.wells import PerturbationMap, Wells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HELD_BYTES = 2 << 30
"""How large aligned wells may be to be held for what compares wells; larger ones go to a file"""
_NAMED = 12
"""Of wells that are left out, so many are named"""

Step = Callable[[str], AbstractContextManager[Progress]]
"""Announces a step of the work and yields a callback for the share done."""


@dataclass(frozen=True)
class Task:
    """A screen, how it is aligned, and what is known of its perturbations."""

    wells: Wells | WellStream
    align: Alignment | None
    sources: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    same: Same = ()
    null: Null | None = None
    targets: pd.DataFrame | None = None
    gene_sets: GeneSets | None = None
    seed: int = 0
    same_separator: str | None = None
    """What parts values in the texts of the columns `same`"""
    consistency_null: SetNull = "batches"
    magnitude_null: SetNull = "batches"
    average_precision_null: GroupNull = "rankings"
    spill_folder: str | None = None
    """Where a file of aligned wells goes; None: where the system has temporary files"""

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The labels of the rows that the map will have at most."""
        return map_rows(self.wells)[1]

    @property
    def spills(self) -> bool:
        """Whether its aligned wells are too large to be held, and go to a file."""
        size = len(self.wells) * self.wells.features * 4
        return not self.wells.in_memory and size > HELD_BYTES

    @cached_property
    def spill(self) -> SpillFile:
        """The file that they go to; it is made when it is first asked for.

        Raises
        ------
        InputError
            If the folder cannot be written to, or has too little room.
        """
        dtype = self.wells.dtype if isinstance(self.wells, WellStream) else np.float32
        folder = tempfile.gettempdir() if self.spill_folder is None else self.spill_folder
        return SpillFile(folder, len(self.wells), self.wells.features, dtype)

    def end(self) -> None:
        """Let go of the file of aligned wells, if there is one."""
        if "spill" in self.__dict__:
            self.spill.close()

    @cached_property
    def all_aligned(self) -> AlignedWells:
        """The aligned wells, in memory or in a file."""
        if self.spills and isinstance(self.wells, WellStream):
            return SpilledWells.of(self.wells, self.align, self.spill)
        return aligned_in_memory(self.wells, self.align)

    @cached_property
    def zero_wells(self) -> Codes:
        """The wells that are nothing but zeros once they are aligned."""
        return zero_wells(self.all_aligned)

    @cached_property
    def aligned(self) -> AlignedWells:
        """The aligned wells, in memory or in a file, without those that have no direction left."""
        wells, zero = self.all_aligned, self.zero_wells
        if not len(zero):
            return wells
        if isinstance(wells, SpilledWells):
            return wells.without(zero)
        kept = np.delete(np.arange(len(wells)), zero)
        metadata = wells.metadata.iloc[kept].reset_index(drop=True)
        return Wells(wells.take(kept), metadata, wells.origin, checked=True)

    @property
    def zero_words(self) -> str:
        """Words on wells that were left out for they are zero once aligned, or nothing."""
        if "zero_wells" not in self.__dict__ or not len(self.zero_wells):
            return ""
        ids = self.wells.metadata["well_id"].iloc[self.zero_wells[:_NAMED]]
        more = f" and {len(self.zero_wells) - _NAMED:,} more" * (len(self.zero_wells) > _NAMED)
        return (
            f"{len(self.zero_wells):,} wells are nothing but zeros once they are aligned, and are "
            f"left out where wells are compared: {', '.join(map(str, ids))}{more}"
        )

    def check_fits(self) -> None:
        """Raise NotApplicable if all wells must be aligned at once, and are too large for that."""
        if self.spills and self.align is not None and not self.align.streams:
            size = len(self.wells) * self.wells.features * 4
            raise NotApplicable(
                f"{self.align.name} aligns all wells at once: {len(self.wells):,} of "
                f"{self.wells.features:,} features would need {size / 1e9:.0f} GB of memory"
            )

    def check_features(self, least: int) -> None:
        """Raise NotApplicable if the wells have fewer features than that."""
        if self.wells.features < least:
            raise NotApplicable(f"{self.wells.features} features are too few")


@dataclass(frozen=True)
class Findings:
    """What one benchmark measured."""

    result: Any
    """The result object of the metric"""
    records: pd.DataFrame
    """The figures of the summary"""
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """What is written as CSV, by the name of the file"""


@dataclass(frozen=True)
class Headline:
    """The figure that stands for a benchmark."""

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
class Presentation:
    """How the findings of a benchmark are shown to a person."""

    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    """A table of words under that head"""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    """By the name of the file"""
    headline: Headline | None = None
    note: str = ""
    """What must be known to read the figures rightly; the terminal shows it too"""


@dataclass(frozen=True)
class Part:
    """The outcome of a benchmark that was run."""

    findings: Findings
    presentation: Presentation

    @property
    def result(self) -> Any:
        """The result object of the metric."""
        return self.findings.result


@dataclass(frozen=True)
class Skipped:
    """The outcome of a benchmark that was not run."""

    reason: str
    asked_for: bool = True
    """Whether it would have been run if the data allowed it"""


Outcome = Part | Skipped


def present_records(task: Task, findings: Findings) -> Presentation:
    """Return the records as a table: the presentation of a benchmark that has none of its own."""
    head = [str(column).replace("_", " ") for column in findings.records]
    rows = [
        [f"{value:.4g}" if isinstance(value, float) else str(value) for value in row]
        for row in findings.records.itertuples(index=False)
    ]
    return Presentation("", head, rows)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark: an entry of `wellgram.suite.BENCHMARKS`."""

    name: str
    """On the command line and in the summary"""
    title: str
    check: Callable[[Task], None]
    """Raises NotApplicable if the data does not allow it, InputError if an input is wrong; looks
    at labels alone, before any embedding is read"""
    run: Callable[[Task, PerturbationMap, Progress], Findings]
    """Measures; may raise NotApplicable for what only the map can tell"""
    present: Callable[[Task, Findings], Presentation] = present_records
    """Optional: words, figures and a headline for the report and the terminal"""
    compares_wells: bool = False
    """Whether it needs the aligned wells"""

    @property
    def step(self) -> str:
        """The name of its step of the work."""
        return self.title[:1].lower() + self.title[1:]
