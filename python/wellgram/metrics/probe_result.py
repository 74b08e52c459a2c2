"""What a probe found: accuracies with intervals over batches, by class and by kind of wells."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes, Floats
from wellgram.files import save_csv
from wellgram.metrics.bootstrap import interval
from wellgram.metrics.labelled import LabelledWells, Sides
from wellgram.probes.accuracy import FIGURES, TOP, Outcomes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class ProbeResult:
    """How many tested wells were told right, with intervals over batches."""

    outcomes: Outcomes
    labelled: LabelledWells
    said: str
    """What was fitted and how wells were parted, in words"""
    untrained: Sequence[str]
    """Classes that some well was to be tested for and none was fitted on"""
    excluded: int
    """How many wells are left out because of that"""
    penalties: Sequence[float]
    """What was chosen, for each split; empty for neighbours"""
    resampled: Floats
    """Top-1, top-5 and balanced accuracy of each resample of batches: (3, r)"""

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per figure: ``top_1``, ``top_5`` and ``balanced``, the mean top-1 of classes.

        Columns: ``figure``, ``accuracy``, ``interval_low`` and ``interval_high`` (95 % over
        resampled batches), how many ``wells``, ``classes`` and ``batches`` were tested, and
        ``chance``, that of guessing any of the classes alike.
        """
        low, high = interval(self.resampled).T
        classes = len(np.unique(self.outcomes.codes))
        return pd.DataFrame(
            {
                "figure": FIGURES,
                "accuracy": self.outcomes.accuracies(),
                "interval_low": low,
                "interval_high": high,
                "wells": len(self.outcomes.codes),
                "classes": classes,
                "batches": len(np.unique(self.outcomes.batches)),
                "chance": np.minimum(np.array([1, TOP, 1]) / classes, 1),
            }
        )

    @property
    def top_1(self) -> float:
        """The share of tested wells whose class was found first."""
        return float((self.outcomes.ranks == 0).mean())

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """One row per class: ``class``, ``wells``, ``top_1`` and ``top_5``."""
        return self.outcomes.by_class(self.labelled.names)

    @cached_property
    def by_kind(self) -> pd.DataFrame:
        """One row per value of the kind's column, such as the cell type; empty without one."""
        kind = self.labelled.kind
        if kind is None:
            return pd.DataFrame(columns=["wells", *FIGURES])
        values = self.labelled.wells.metadata[kind].astype("str")
        kinds, names = pd.factorize(values, sort=True)
        return self.outcomes.by(kinds[self.outcomes.wells], list(names), kind)

    def __repr__(self) -> str:
        figures = ", ".join(
            f"{row['figure'].replace('_', '-')} {row['accuracy']:.3f} "
            f"({row['interval_low']:.3f}-{row['interval_high']:.3f})"
            for row in self.table.to_dict("records")
        )
        out = f"; {self.excluded:,} of untrained classes left out" if self.excluded else ""
        return f"{self.said}: {figures} of {len(self.outcomes.codes):,} wells{out}"

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw accuracies with their intervals; return the matplotlib axes."""
        from wellgram.plots import plot_accuracies

        return plot_accuracies(self.table, axes)

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
    sides: Sequence[Sides],
    said: str,
    penalties: Sequence[float],
    resamples: int,
    seed: int,
    backend: str | None,
) -> ProbeResult:
    """Put the tests of several splits together."""
    tested = Outcomes.joined(parts)
    untrained = np.unique(np.concatenate([side.untrained for side in sides]))
    return ProbeResult(
        tested,
        labelled,
        said,
        [labelled.names[k] for k in untrained],
        sum(side.excluded for side in sides),
        penalties,
        tested.resampled(resamples, seed=seed, backend=backend),
    )
