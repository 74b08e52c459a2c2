"""Agreement of two experiments: whether a perturbation looks like itself in the other one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.philox_draws import under
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.metrics.shared import shared_rows
from wellgram.nulls import stream_of
from wellgram.pairs.unit_rows import unit_embeddings
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class AgreementResult:
    """How much more alike two maps' rows of one perturbation are than rows of different ones.

    `table` has a row per perturbation of both: what names it, its ``cosine``, and ``above``, the
    share of the unmatched pairs that are less alike.
    """

    table: pd.DataFrame
    unmatched_pairs: int
    matched_mean: float
    unmatched_mean: float
    ks_statistic: float
    ks_p_value: float
    cvm_statistic: float
    cvm_p_value: float

    def __repr__(self) -> str:
        return (
            f"Agreement: {len(self.table):,} matched pairs, mean cosine {self.matched_mean:.3f}, "
            f"{self.unmatched_pairs:,} unmatched {self.unmatched_mean:.3f}; Kolmogorov-Smirnov "
            f"{self.ks_statistic:.3f} (p = {self.ks_p_value:.2g}), Cramer-von Mises "
            f"{self.cvm_statistic:.3g} (p = {self.cvm_p_value:.2g})"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the histogram of shares of unmatched pairs below; return the matplotlib axes."""
        from wellgram.plots import plot_p_values

        return plot_p_values(1 - self.table["above"].to_numpy(), ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def replicate_agreement(
    first: LabelledMap,
    second: LabelledMap,
    *,
    most_unmatched: int = 1_000_000,
    seed: int = 0,
    backend: str | None = None,
) -> AgreementResult:
    """Compare the cosines of matched rows of two maps with those of unmatched ones.

    Matched are the rows of one perturbation (and type and dose) in both maps, of two experiments
    for example; unmatched, a row of the first with one of the second of another perturbation. Their
    distributions are compared by the two-sample Kolmogorov-Smirnov and Cramer-von Mises tests, as
    in ViTally Consistent (arXiv 2411.02572); p-values take pairs for independent.

    Parameters
    ----------
    first, second
        Maps of the same features.
    most_unmatched
        Of more unmatched pairs so many are drawn at random, with replacement.
    seed
        Same seed, same pairs.
    backend
        See `wellgram.set_backend`.

    Raises
    ------
    InputError
        If the maps differ in features, share fewer than two perturbations, or one has a
        perturbation twice.
    """
    from scipy.stats import cramervonmises_2samp, ks_2samp

    check_map(first)
    check_map(second)
    one, other = first.embeddings, second.embeddings
    if one.shape[1] != other.shape[1]:
        raise InputError(
            f"the maps have {one.shape[1]} and {other.shape[1]} features; they must be the same"
        )
    check_whole(most_unmatched, "most_unmatched")
    if most_unmatched < 1:
        raise InputError(f"most_unmatched must be 1 or more, not {most_unmatched}")
    shared = shared_rows(first, second)
    i, j = (shared[f"row_{which}"].to_numpy() for which in ("first", "second"))
    run = get_backend()
    dtype = np.result_type(one, other)
    x, y = (
        unit_embeddings(embeddings[rows].astype(dtype))
        for embeddings, rows in ((one, i), (other, j))
    )
    every = np.arange(len(shared))
    matched = run.pair_cosines(x, every, every, y)
    unmatched = run.pair_cosines(x, *_unmatched(len(shared), most_unmatched, seed), y)
    ks, cvm = ks_2samp(matched, unmatched), cramervonmises_2samp(matched, unmatched)
    below = np.searchsorted(np.sort(unmatched), matched, side="left")
    return AgreementResult(
        shared.drop(columns=["row_first", "row_second"]).assign(
            cosine=np.clip(matched, -1, 1), above=below / len(unmatched)
        ),
        len(unmatched),
        _mean(matched),
        _mean(unmatched),
        float(ks.statistic),
        float(ks.pvalue),
        float(cvm.statistic),
        float(cvm.pvalue),
    )


def _unmatched(count: int, most: int, seed: int) -> tuple[Codes, Codes]:
    """Return rows of the first and of the second that are not matched: all pairs, or some."""
    pairs = count * (count - 1)
    if pairs <= most:
        number = np.arange(pairs)
    else:
        below = np.tile([count, count - 1], most)
        drawn = under(below, seed, stream_of("unmatched"), 0).reshape(most, 2)
        number = drawn[:, 0] * (count - 1) + drawn[:, 1]
    row, other = np.divmod(number, count - 1)
    return row, other + (other >= row)


def _mean(values: Rows) -> float:
    return float(np.clip(values, -1, 1).mean(dtype=np.float64))
