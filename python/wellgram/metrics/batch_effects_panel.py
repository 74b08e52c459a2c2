"""What is left of batches in a screen, before and after its alignment."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_wells
from wellgram.metrics.batch_measures import batch_accuracy, batch_mixing, similarities
from wellgram.nulls import random_subsets, stream_of
from wellgram.pairs import unit_embeddings
from wellgram.wells import WellLabels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST = 8
"""How many wells a batch has that is looked at: half of them are told by the others"""
_MEASURES = {
    "batch_accuracy": ("batch accuracy", "less"),
    "margin": ("cosine margin", "more"),
    "kbet": ("kBET acceptance", "more"),
    "ilisi": ("iLISI", "more"),
    "silhouette_batch": ("1 - |silhouette of batches|", "more"),
}


@dataclass(frozen=True, repr=False)
class BatchEffects:
    """What is left of batches: one row per measure.

    Columns of `table`: ``name`` and ``measure`` (in words); ``raw`` and ``aligned`` (NaN without an
    alignment); ``best``, whether ``"less"`` or ``"more"`` is better; ``chance``, where it is known.
    """

    table: pd.DataFrame
    wells: int
    """How many wells were looked at"""
    batches: int

    def __repr__(self) -> str:
        shown = self.table[["name", "raw", "aligned", "best"]].to_string(index=False)
        return f"What is left of {self.batches:,} batches in {self.wells:,} wells\n{shown}"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw each measure before and after the alignment; return the matplotlib axes."""
        from wellgram.plots import plot_batches

        return plot_batches(self, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def batch_effects(
    raw: WellLabels,
    aligned: WellLabels | None = None,
    *,
    sample: int = 5000,
    seed: int = 0,
    backend: str | None = None,
) -> BatchEffects:
    """Measure what is left of batches among wells, before and after an alignment.

    Looked at are treated wells of perturbations that are in two batches at least, so that a batch
    is not told by what was done in it; at most `sample` of them, drawn at random.
    ``batch_accuracy`` is that of linear discriminants on the other half of the wells;
    ``margin`` is the mean cosine of wells of one perturbation in different batches, less that of
    different perturbations in one batch; ``kbet``, ``ilisi`` and ``silhouette_batch`` are those of
    scib-metrics, 1 where batches mix (see `wellgram.metrics.mixing`).

    Parameters
    ----------
    raw, aligned
        The same wells (n, d) in the same order, before and after.
    sample, seed
        How many wells, and the seed of the draw.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        If there are no two batches that share perturbations, with eight wells each.
    """
    check_wells(raw)
    check_whole(sample, "sample")
    if aligned is not None:
        check_wells(aligned)
    chosen = shared_wells(raw)
    if len(chosen) > sample:
        drawn = random_subsets(
            len(chosen), sample, 1, seed=seed, stream=stream_of("batch effects")
        )[0]
        chosen = _of_large_batches(raw, chosen[np.sort(drawn)])
    if not len(chosen):
        raise NotApplicable(f"in a sample of {sample:,} wells no two batches have {_LEAST} each")
    perturbation = pd.factorize(raw.metadata["perturbation"].iloc[chosen])[0].astype(np.int64)
    batch = np.unique(raw.batches()[0][chosen], return_inverse=True)[1].astype(np.int64)
    columns = {
        name: _measured(wells.take(chosen), perturbation, batch, seed)
        for name, wells in (("raw", raw), ("aligned", aligned))
        if wells is not None
    }
    batches = int(batch.max()) + 1
    records = [
        {
            "name": name,
            "measure": said,
            "raw": columns["raw"][name],
            "aligned": columns["aligned"][name] if "aligned" in columns else np.nan,
            "best": best,
            "chance": 1 / batches if name == "batch_accuracy" else np.nan,
        }
        for name, (said, best) in _MEASURES.items()
    ]
    table = pd.DataFrame(records)
    return BatchEffects(table[table["raw"].notna()].reset_index(drop=True), len(chosen), batches)


def shared_wells(wells: WellLabels) -> Codes:
    """Return the treated wells of perturbations that are in two batches at least, eight a batch.

    Raises
    ------
    InputError
        If there are none; the message says why.
    """
    codes, names = wells.batches()
    if len(names) < 2:
        raise NotApplicable("the screen has one batch")
    labels = wells.metadata
    treated = np.flatnonzero((labels["in_map"] & ~labels["is_control"]).to_numpy(bool))
    held = pd.DataFrame({"perturbation": labels["perturbation"].iloc[treated].to_numpy(),
                         "batch": codes[treated]})  # fmt: skip
    often = held.groupby("perturbation", observed=True)["batch"].transform("nunique")
    chosen = _of_large_batches(wells, treated[(often >= 2).to_numpy()])
    if not len(chosen):
        raise NotApplicable(
            f"no two batches share perturbations and have {_LEAST} wells of such each"
        )
    return chosen


def _of_large_batches(wells: WellLabels, chosen: Codes) -> Codes:
    """Return those in batches of eight wells at least; none if fewer than two batches are left."""
    codes, names = wells.batches()
    counts = np.bincount(codes[chosen], minlength=len(names))
    if (counts >= _LEAST).sum() < 2:
        return chosen[:0]
    kept: Codes = chosen[counts[codes[chosen]] >= _LEAST]
    return kept


def _measured(rows: Rows, perturbation: Codes, batch: Codes, seed: int) -> dict[str, float]:
    one = np.zeros(len(rows), np.int64)
    alike = similarities(rows, perturbation, batch, one)
    return {
        "batch_accuracy": batch_accuracy(rows, batch, seed=seed),
        "margin": alike.same_perturbation - alike.same_batch,
        **batch_mixing(unit_embeddings(rows), batch),
    }
