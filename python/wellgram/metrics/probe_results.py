"""What a probe found: accuracies with intervals over batches, by class and by kind of wells."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes, Floats
from wellgram.files import save_csv
from wellgram.label_rules.missing_labels import without_missing
from wellgram.metrics.bootstrap import interval
from wellgram.metrics.labelled import LabelledWells
from wellgram.probes.accuracy import FIGURES, TOP, Outcomes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class ProbeResult:
    """How many tested wells were told right, with intervals over batches."""

    outcomes: Outcomes
    classes: Sequence[str]
    """The names that codes stand for"""
    kinds: "pd.Series[str] | None"
    """Of each tested well, such as its cell type; None where there is no such column"""
    said: str
    """What was fitted and how wells were parted, in words"""
    left_out: pd.DataFrame
    """One row per class of which wells are left out: ``class`` and ``n_wells``.

    Of it, or of any second class, no well was fitted on where they were to be tested.
    """
    penalties: Sequence[float]
    """What was chosen, for each split that is tested; empty for neighbours"""
    resamples: int
    seed: int

    @cached_property
    def resampled(self) -> Floats:
        """Top-1, top-5 and balanced accuracy of each resample of batches: (3, r)."""
        return self.outcomes.resampled(self.resamples, seed=self.seed)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per figure: ``top_1``, ``top_5`` and ``balanced``, the mean top-1 of classes.

        Columns: ``figure``, ``accuracy``, ``ci_low`` and ``ci_high`` (95 % over
        resampled batches), how many ``n_wells``, ``n_classes`` and ``n_batches`` were tested, and
        ``chance``, that of guessing any of the classes alike.
        """
        low, high = interval(self.resampled).T
        classes = len(np.unique(self.outcomes.codes))
        return pd.DataFrame(
            {
                "figure": FIGURES,
                "accuracy": self.outcomes.accuracies(),
                "ci_low": low,
                "ci_high": high,
                "n_wells": len(self.outcomes.codes),
                "n_classes": classes,
                "n_batches": len(np.unique(self.outcomes.batches)),
                "chance": np.minimum(np.array([1, TOP, 1]) / classes, 1),
            }
        )

    @property
    def untrained(self) -> list[str]:
        """The classes of wells that are left out."""
        return list(self.left_out["class"])

    @property
    def excluded(self) -> int:
        """How many wells are left out."""
        return int(self.left_out["n_wells"].sum())

    @property
    def top_1(self) -> float:
        """The share of tested wells whose class was found first."""
        return float((self.outcomes.ranks == 0).mean())

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """One row per class: ``class``, ``n_wells``, ``top_1`` and ``top_5``."""
        return self.outcomes.by_class(self.classes)

    @cached_property
    def by_kind(self) -> pd.DataFrame:
        """One row per value of the kind's column, such as the cell type; empty without one.

        Columns: that column, ``n_wells``, ``top_1``, ``top_5`` and ``balanced``; ``ci_low`` and
        ``ci_high`` of top-1.
        """
        if self.kinds is None:
            return pd.DataFrame(columns=["n_wells", *FIGURES, "ci_low", "ci_high"])
        codes, names = pd.factorize(without_missing(self.kinds), sort=True)
        records: list[dict[Hashable, Any]] = []
        for k, name in enumerate(names):
            part = self.outcomes.some(codes == k)
            low, high = interval(part.resampled(self.resamples, seed=self.seed)[0]).tolist()
            figures = dict(zip(FIGURES, part.accuracies().tolist(), strict=True))
            ends = {"ci_low": low, "ci_high": high}
            about: dict[Hashable, Any] = {self.kinds.name: name, "n_wells": len(part.ranks)}
            records.append(about | figures | ends)
        return pd.DataFrame(records)

    def __repr__(self) -> str:
        figures = ", ".join(
            f"{row['figure'].replace('_', '-')} {row['accuracy']:.3f}"
            + ("" if np.isnan(row["ci_low"]) else
               f" ({row['ci_low']:.3f}-{row['ci_high']:.3f})")
            for row in self.table.to_dict("records")
        )  # fmt: skip
        out = f"; {self.excluded:,} of untrained classes left out" if self.excluded else ""
        return f"{self.said}: {figures} of {len(self.outcomes.codes):,} wells{out}"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw accuracies with their intervals; return the matplotlib axes."""
        from wellgram.plots import plot_accuracies

        return plot_accuracies(self.table, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


def tested_wells(labelled: LabelledWells, wells: Codes, ranks: Codes) -> Outcomes:
    """Return wells, by their numbers, with the ranks that their own classes had."""
    batches, _ = labelled.wells.batches()
    return Outcomes(ranks, labelled.codes[wells], batches[wells], wells)


def probe_result(
    labelled: LabelledWells,
    parts: Sequence[Outcomes],
    left_out: Codes,
    said: str,
    penalties: Sequence[float],
    resamples: int,
    seed: int,
) -> ProbeResult:
    """Put the tests of several splits together; `left_out` has the classes of untested wells."""
    tested = Outcomes.joined(parts)
    kinds = None
    if labelled.kind is not None:
        kinds = labelled.wells.metadata[labelled.kind].astype("str").iloc[tested.wells]
    untrained, counts = np.unique(left_out, return_counts=True)
    return ProbeResult(
        tested,
        labelled.names,
        kinds,
        said,
        pd.DataFrame({"class": [labelled.names[k] for k in untrained], "n_wells": counts}),
        penalties,
        resamples,
        seed,
    )
