"""What a benchmark is: what it needs, how it is run, what it measures, and how that is shown."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.align import Alignment, aligned_in_memory
from wellgram.backends.protocol import Progress
from wellgram.errors import NotApplicable
from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import SetNull
from wellgram.metrics.gene_set_tests import GeneSets
from wellgram.metrics.precision_by_group import GroupNull
from wellgram.metrics.recall import Null, Same
from wellgram.stream import WellStream
from wellgram.wells import PerturbationMap, Wells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HELD_BYTES = 8 << 30
"""How large aligned wells may be to be held for what compares replicates"""

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

    @cached_property
    def labels(self) -> pd.DataFrame:
        """The labels of the rows that the map will have at most."""
        return map_rows(self.wells)[1]

    @cached_property
    def aligned(self) -> Wells:
        """The aligned wells, in memory."""
        return aligned_in_memory(self.wells, self.align)

    def check_fits(self) -> None:
        """Raise NotApplicable if the aligned wells are too large to be held in memory."""
        size = len(self.wells) * self.wells.features * 4
        if size > HELD_BYTES:
            raise NotApplicable(
                f"its {len(self.wells):,} aligned wells of {self.wells.features:,} features would "
                f"need {size / 1e9:.0f} GB of memory"
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

    @property
    def step(self) -> str:
        """The name of its step of the work."""
        return self.title[:1].lower() + self.title[1:]
