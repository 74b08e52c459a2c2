"""What a run of all benchmarks returns, and how it is written."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.checksums import Checksum
from wellgram.files import save_csv
from wellgram.io import write_map
from wellgram.metrics import RecallResult
from wellgram.plots import save_png
from wellgram.plots.html_tables import html_of
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Outcome, Part, Skipped
from wellgram.suite.report import write_report
from wellgram.suite.results_folder import SUMMARY, placing_results
from wellgram.suite.summary import summary_of
from wellgram.wells import PerturbationMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class RunRecord:
    """How a run was made."""

    screen: Mapping[str, Any]
    """Its wells, features, batches and controls: counts, and the columns they are from"""
    seconds: Mapping[str, float]
    """By step of the work"""
    peak_memory_bytes: int
    seed: int
    backend_name: str
    device: str
    """How the backend ran: instruction set, threads, card"""
    environment: Mapping[str, Any]
    """Versions, and which backends work here"""
    command: str | None = None
    inputs: Mapping[str, Checksum | None] = field(default_factory=dict)
    """By path; None for what is not on this machine"""
    taken_up: Sequence[str] = ()
    """Benchmarks whose findings an interrupted run had left"""
    notes: Sequence[str] = ()
    """What is to be known of the screen before its figures are believed"""


@dataclass(frozen=True, repr=False)
class ScoreResult:
    """A map, the outcome of each benchmark, and how the run was made."""

    map_: PerturbationMap
    outcomes: Mapping[str, Outcome]
    """By the name of the benchmark, all of `BENCHMARKS`"""
    record: RunRecord
    covariates: Mapping[str, Mapping[str, Outcome]] = field(default_factory=dict)
    """The outcomes for a number of each well in place of the embedding, by its column"""

    @property
    def parts(self) -> dict[str, Part]:
        """The benchmarks that were run."""
        return {name: part for name, part in self.outcomes.items() if isinstance(part, Part)}

    @property
    def skipped(self) -> dict[str, str]:
        """Why the other benchmarks were not run."""
        return {
            name: outcome.reason
            for name, outcome in self.outcomes.items()
            if isinstance(outcome, Skipped)
        }

    @property
    def recall(self) -> RecallResult | None:
        """The recall of known pairs; None where it was not measured."""
        part = self.parts.get("recall")
        return None if part is None else part.result

    @property
    def files(self) -> list[str]:
        """The names of the files that `save` writes, sorted."""
        names = ["map.parquet", SUMMARY, "report.html"]
        for part in self.parts.values():
            names += [f"{name}.csv" for name in part.findings.tables]
            names += [f"{name}.png" for name in part.presentation.figures]
        return sorted(names)

    @property
    def summary(self) -> dict[str, Any]:
        """Every figure, and how the run was made: what `save` writes to ``summary.json``."""
        return summary_of(self)

    def __repr__(self) -> str:
        lines = (
            repr(outcome.result) if isinstance(outcome, Part) else f"{name}: {outcome.reason}"
            for name, outcome in self.outcomes.items()
        )
        return "\n".join([repr(self.map_), *lines])

    def _repr_html_(self) -> str:
        tables = (
            html_of(BENCHMARKS[name].title, pd.DataFrame([*shown.rows], columns=[*shown.head]))
            for name, shown in ((name, part.presentation) for name, part in self.parts.items())
        )
        skipped = (
            f"<p>{escape(f'{BENCHMARKS[name].title}: {reason}')}</p>"
            for name, reason in self.skipped.items()
        )
        return "\n".join([f"<p>{escape(repr(self.map_))}</p>", *tables, *skipped])

    def save(self, folder: str | Path) -> None:
        """Write ``map.parquet``, ``summary.json``, ``report.html``, and tables and figures.

        Each benchmark that was run has its tables (``.csv``) and figures (``.png``). Files appear
        together or not at all; at a URL, one by one. Files of an earlier run that are not written
        again are removed: those that its summary names.
        """
        drawn: dict[str, Axes] = {}
        with placing_results(folder) as out:
            write_map(self.map_, out / "map.parquet")
            for part in self.parts.values():
                for name, table in part.findings.tables.items():
                    save_csv(table, out / f"{name}.csv")
                for name, figure in part.presentation.figures.items():
                    drawn[name] = figure.draw()
                    save_png(drawn[name], out / f"{name}.png")
            summary = json.dumps(self.summary, indent=2, allow_nan=False)
            (out / SUMMARY).write_text(summary + "\n", encoding="utf-8")
            write_report(out / "report.html", self, BENCHMARKS, drawn)
