"""Two perturbations of a map side by side."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.pairs import PerturbationNeighbors

_BINS = 60


@dataclass(frozen=True)
class Comparison:
    """How two perturbations are like each other, and like all others.

    Columns of `shared`, the partners that are among the k nearest of both: ``row``; ``rank`` and
    ``cosine`` with the first; ``other_rank`` and ``other_cosine`` with the second. The smallest
    sum of ranks comes first.
    """

    first: PerturbationNeighbors
    second: PerturbationNeighbors
    cosine: float
    percentiles: tuple[float, float]
    """How many percent of the others are no more like the first than the second is; and reversed"""
    edges: tuple[float, float]
    """Of the histograms"""
    counts: tuple[Codes, Codes]
    """Of the cosines with all other rows, of the first and of the second (60,)"""
    shared: pd.DataFrame

    @property
    def expected(self) -> float:
        """How many of the nearest two rows of no likeness would share."""
        near = [(side.table["side"] == "nearest").sum() for side in (self.first, self.second)]
        return float(near[0] * near[1] / (len(self.first.cosines) - 1))


def compare(first: PerturbationNeighbors, second: PerturbationNeighbors) -> Comparison:
    """Compare two rows of a map by their nearest partners."""
    cosines = [side.cosines[~np.isnan(side.cosines)] for side in (first, second)]
    cosine = 1.0 if first.row == second.row else float(first.cosines[second.row])
    low, high = (float(end(list(map(end, cosines)))) for end in (np.min, np.max))
    if low == high:
        low, high = low - 0.01, high + 0.01
    counts = [np.histogram(values, _BINS, (low, high))[0] for values in cosines]
    below = [100.0 * float((values <= cosine).mean()) for values in cosines]
    near = [
        side.table.loc[side.table["side"] == "nearest", ["row", "rank", "cosine"]]
        for side in (first, second)
    ]
    shared = near[0].merge(near[1].add_prefix("other_"), left_on="row", right_on="other_row")
    shared = shared.drop(columns="other_row")
    order = np.argsort((shared["rank"] + shared["other_rank"]).to_numpy(), kind="stable")
    return Comparison(
        first, second, cosine, (below[0], below[1]), (low, high), (counts[0], counts[1]),
        shared.iloc[order].reset_index(drop=True),
    )  # fmt: skip
