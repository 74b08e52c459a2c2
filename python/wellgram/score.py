"""The whole job: wells in, a map and its scores out."""

import json
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wellgram.aggregate import Method, Precision, build_map, map_rows
from wellgram.align import Alignment
from wellgram.backends import get_backend
from wellgram.backends.protocol import Progress
from wellgram.files import output_folder
from wellgram.info import environment, peak_memory
from wellgram.io import write_map
from wellgram.metrics import RecallResult, known_pairs, relationship_recall
from wellgram.metrics.recall import Null
from wellgram.plots import plot_recall, save_png
from wellgram.report import write_report
from wellgram.wells import PerturbationMap, WellLabels

RESAMPLES = 1000
"""How often genes are resampled for the confidence intervals of a score"""

Step = Callable[[str], AbstractContextManager[Progress]]
"""Announces a step of the work and yields a callback for the share done."""


@contextmanager
def _silent(_: str) -> Iterator[Progress]:
    yield lambda _: None


@dataclass(frozen=True, repr=False)
class ScoreResult:
    """A map, its recall (None where nothing was known to recall), and a summary of the run."""

    map_: PerturbationMap
    recall: RecallResult | None
    summary: dict[str, Any]

    def __repr__(self) -> str:
        return f"{self.map_!r}\n{self.recall or self.summary['recall']}"

    def save(self, folder: str | Path) -> None:
        """Write ``map.parquet``, ``summary.json``, ``report.html``, ``recall.csv``, ``recall.png``.

        They appear together or not at all.
        """
        with output_folder(folder) as out:
            write_map(self.map_, out / "map.parquet")
            if self.recall is not None:
                self.recall.save(out / "recall.csv")
                save_png(plot_recall(self.recall.table), out / "recall.png")
            summary = json.dumps(self.summary, indent=2, allow_nan=False)
            (out / "summary.json").write_text(summary + "\n", encoding="utf-8")
            write_report(out / "report.html", self.summary, self.map_, self.recall)


def score(
    wells: WellLabels,
    align: Alignment | None = None,
    *,
    sources: Mapping[str, pd.DataFrame] | None = None,
    same: Sequence[str] = (),
    aggregate: Method = "mean",
    null: Null | None = None,
    precision: Precision = "float32",
    backend: str | None = None,
    step: Step = _silent,
) -> ScoreResult:
    """Align and aggregate wells into a map and score its recall of known relationships.

    Parameters
    ----------
    wells
        The wells, in memory or as a stream.
    align
        An alignment such as `TVN`; None for none.
    sources, same, null
        See `relationship_recall`. With neither sources nor same there is a map and no score.
    aggregate, precision
        See `build_map`.
    backend
        See `set_backend`.
    step
        Told of every step; for progress bars.

    Raises
    ------
    InputError
        If an input cannot be used. What the labels alone can tell is checked before any work.
    """
    get_backend(backend)
    wanted = bool(sources or same)
    if wanted:
        known_pairs(map_rows(wells)[1], sources, same=same, null=null)
    seconds: dict[str, float] = {}
    clock = time.perf_counter()
    with step("align and aggregate") as progress:
        map_ = build_map(
            wells,
            align,
            method=aggregate,
            precision=precision,
            backend=backend,
            progress=progress,
        )
    seconds["align and aggregate"] = time.perf_counter() - clock
    recall = None
    if wanted:
        clock = time.perf_counter()
        with step("recall of known relationships") as progress:
            recall = relationship_recall(
                map_,
                sources,
                same=same,
                null=null,
                resamples=RESAMPLES,
                backend=backend,
                progress=progress,
            )
        seconds["recall"] = time.perf_counter() - clock
    return ScoreResult(map_, recall, _summary(wells, map_, recall, seconds, backend))


def _summary(
    wells: WellLabels,
    map_: PerturbationMap,
    recall: RecallResult | None,
    seconds: Mapping[str, float],
    backend: str | None,
) -> dict[str, Any]:
    run = get_backend(backend)
    return {
        "screen": {
            "wells": len(wells),
            "features": wells.features,
            "batches": len(wells.batches()[1]) if "batch" in wells.metadata else 0,
            "batch column": wells.origin.get("batch", "batch"),
            "control wells": int(wells.metadata["is_control"].sum()),
            "controls": wells.origin.get("control", "is_control"),
        },
        "map": {
            "perturbations": len(map_),
            "features": map_.embeddings.shape[1],
            **dict(map_.provenance),
        },
        "recall": _records(recall.table) if recall else "skipped: no known pairs given",
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "peak_memory_bytes": peak_memory(),
        "run": {"backend": run.name, "as": run.describe()},
        "environment": environment(),
    }


def _records(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows of a table; JSON has no NaN, so what is missing becomes None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
