"""What the blocks of a network scored, and which is the best."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Floats
from wellgram.checksums import read_arrays, write_arrays
from wellgram.files import output_folder, replacing, save_csv
from wellgram.metrics.bootstrap import interval
from wellgram.plots.html_tables import ShownTable
from wellgram.probes.accuracy import FIGURES, Outcomes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CHOSEN_BY = FIGURES.index("balanced")


@dataclass(frozen=True)
class BlockScores:
    """What was found of a block: enough to resample it."""

    outcomes: Outcomes
    beside: Mapping[str, float]
    """Recall, drug targets and consistency, as far as the data allowed"""

    def save(self, path: Path, key: str) -> None:
        """Write it whole or not at all, under what tells it from other searches."""
        about = {"key": key, "beside": dict(self.beside)}
        with replacing(path) as temporary, temporary.open("wb") as file:
            write_arrays(file, about, vars(self.outcomes))

    @classmethod
    def load(cls, path: Path, key: str) -> "BlockScores | None":
        """Return what was saved under a key; None where it is absent, damaged or of another."""
        try:
            with path.open("rb") as file:
                about, arrays = read_arrays(file)
        except (OSError, ValueError):
            return None
        if about.get("key") != key:
            return None
        names = Outcomes.__dataclass_fields__
        return cls(Outcomes(**{name: arrays[name] for name in names}), about["beside"])


@dataclass(frozen=True, repr=False)
class BlockSearchResult(ShownTable):
    """The scores of a network's blocks, and which is the best.

    Columns of `table`, one row per block in order of depth:

    ``depth``, ``block``
        From 1, and its name.
    ``top_1``, ``top_5``, ``balanced``
        Accuracies of the probe; each with ``_ci_low`` and ``_ci_high``, 95 % over resampled
        batches.
    ``behind``, ``behind_ci_low``, ``behind_ci_high``
        How much the best block is ahead in balanced accuracy, in the same resamples of batches.
    ``best_share``
        The share of resamples in which this block is the best.
    ``recall``, ``drug_targets``, ``consistency``
        Where the data allows: the mean recall of sources at tails of 5 %, average precision of
        targets at the best dose, and the mean cosine of a perturbation's wells less that of its
        null.
    """

    names: Sequence[str]
    said: str
    """What was fitted, and how wells were parted"""
    scored: Sequence[BlockScores] = field(repr=False)
    resamples: int
    seed: int
    resumed: int
    """How many blocks had been scored before"""

    @cached_property
    def _resampled(self) -> Floats:
        """Accuracies of each block in each resample: (blocks, 3, r)."""
        return np.array(
            [one.outcomes.resampled(self.resamples, seed=self.seed) for one in self.scored]
        )

    @cached_property
    def _accuracies(self) -> Floats:
        return np.array([one.outcomes.accuracies() for one in self.scored])

    @property
    def best(self) -> str:
        """The block of the best balanced accuracy, the shallowest of equals."""
        return self.names[self._best]

    @property
    def _best(self) -> int:
        return int(self._accuracies[:, _CHOSEN_BY].argmax())

    @property
    def best_interval(self) -> tuple[str, str] | None:
        """The shallowest and deepest block of the middle 95 % of resamples' best ones.

        None where fewer than two batches were tested, or nothing was resampled.
        """
        winners = self._resampled[:, _CHOSEN_BY].argmax(axis=0)
        if not len(winners):
            return None
        low, high = np.percentile(winners, (2.5, 97.5), method="nearest").astype(int).tolist()
        return self.names[low], self.names[high]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per block: see the class."""
        count = len(self.names)
        table = pd.DataFrame({"depth": np.arange(1, count + 1), "block": list(self.names)})
        for k, name in enumerate(FIGURES):
            low, high = interval(self._resampled[:, k]).T
            table = table.assign(
                **{name: self._accuracies[:, k], f"{name}_ci_low": low, f"{name}_ci_high": high}
            )
        chosen = self._resampled[:, _CHOSEN_BY]
        low, high = interval(chosen[self._best] - chosen).T
        accuracy = self._accuracies[:, _CHOSEN_BY]
        table = table.assign(
            behind=accuracy[self._best] - accuracy,
            behind_ci_low=low,
            behind_ci_high=high,
            best_share=np.bincount(chosen.argmax(axis=0), minlength=count)
            / (chosen.shape[1] or np.nan),
        )
        beside = pd.DataFrame([dict(one.beside) for one in self.scored])
        return pd.concat([table, beside], axis=1)

    def __repr__(self) -> str:
        row = self.table.iloc[self._best]
        ends = self.best_interval
        within = "" if ends is None else f" (95 %: {ends[0]} to {ends[1]})"
        return (
            f"Best of {len(self.names)} blocks: {self.best}{within}, balanced "
            f"accuracy {row['balanced']:.3f} ({row['balanced_ci_low']:.3f}-"
            f"{row['balanced_ci_high']:.3f}), {self.said}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw accuracy over depth, with its interval; return the matplotlib axes."""
        from wellgram.plots import plot_depth

        return plot_depth(self.table, self._best, ax)

    def save(self, folder: str | Path) -> None:
        """Write ``blocks.csv``, ``blocks.png`` and ``best.json``."""
        from wellgram.plots import save_png

        row = self.table.iloc[self._best]
        best = {
            "best": self.best,
            "interval": self.best_interval,
            "balanced": float(row["balanced"]),
            "balanced_interval": [
                None if np.isnan(row[end]) else float(row[end])
                for end in ("balanced_ci_low", "balanced_ci_high")
            ],
            "said": self.said,
        }
        with output_folder(folder) as out:
            save_csv(self.table, out / "blocks.csv")
            save_png(self.plot(), out / "blocks.png")
            (out / "best.json").write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")
