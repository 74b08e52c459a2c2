"""Retrieval: whether a perturbation is nearest to itself in another map."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.metrics.bootstrap import item_bootstrap
from wellgram.metrics.shared import shared_rows
from wellgram.nulls import benjamini_hochberg
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Reference = Literal["perturbed-mean", "none"]
"""What is taken off the rows of each map: the mean of its rows, or nothing"""

_ROUNDED = 1e-6
"""Of its size before, what rounding may leave of a row that is the reference itself"""


@dataclass(frozen=True, repr=False)
class RetrievalResult:
    """How early each perturbation of a map is found in another map.

    `table` has a row per perturbation of both: what names it; ``own_cosine``, with itself;
    ``own_rank``, how many others are more similar, ties half; ``retrieval``, ``1 - own_rank / N``;
    ``p_value``, how often chance has a rank as good, and ``q_value``.
    """

    table: pd.DataFrame
    interval: tuple[float, float]
    """95 % of the score, over resampled perturbations"""
    no_skill: float
    """The score of no skill: that of chance, or of the map that was named"""

    @property
    def score(self) -> float:
        """The mean retrieval."""
        return float(self.table["retrieval"].mean())

    @property
    def normalized(self) -> float:
        """The share of what is above no skill, at least 0: ``(score - no skill) / (1 - no skill)``.

        NaN where no skill is perfect.
        """
        if self.no_skill >= 1:
            return np.nan
        return max(0.0, (self.score - self.no_skill) / (1 - self.no_skill))

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"Retrieval of {len(self.table):,} perturbations: {self.score:.3f} (95 % {low:.3f}-"
            f"{high:.3f}; no skill {self.no_skill:.3f}), normalized {self.normalized:.3f}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the histogram of p-values; return the matplotlib axes."""
        from wellgram.plots import plot_p_values

        return plot_p_values(self.table["p_value"].to_numpy(), ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def retrieval(
    first: LabelledMap,
    second: LabelledMap,
    *,
    reference: Reference = "perturbed-mean",
    no_skill: LabelledMap | None = None,
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> RetrievalResult:
    """Return how early each perturbation of one map is found in another, by cosine.

    Of N perturbations of both maps, ``1 - rank / N``, the rank being how many rows of the second
    are more similar to the row of the first than its own. 1 is perfect, chance
    ``1/2 + 1 / (2 N)``. It is the perturbation discrimination score of virtual cells (cell-eval's
    ``discrimination_score`` with cosines), between predicted and measured maps; it serves as well
    for two experiments, or two guides of each gene. By distances the score depends on the scale of
    a prediction (arXiv 2511.16954), by cosines it does not.

    Parameters
    ----------
    first, second
        Maps of the same features: the predicted and the measured one, for example.
    reference
        ``"perturbed-mean"``: of each map the mean of the rows compared is taken off, as Systema has
        it (Nature Biotechnology 2025, s41587-025-02777-8): what all perturbations share tells none
        apart. ``"none"``: rows as they are.
    no_skill
        A map made without skill, such as the mean of all training perturbations in each row: its
        score with the second map is that of no skill, for `RetrievalResult.normalized`. None:
        chance.
    resamples, seed
        How often perturbations are resampled for the interval, and the seed of that.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the rows that is done.

    Raises
    ------
    InputError
        If the maps differ in features, share fewer than two perturbations, one has a perturbation
        twice, or a row is not finite.

    Examples
    --------
    >>> import numpy as np, pandas as pd, wellgram as wg
    >>> labels = pd.DataFrame({"perturbation": ["a", "b", "c"]})
    >>> measured = wg.PerturbationMap(np.eye(3), labels)
    >>> predicted = wg.PerturbationMap(np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0.5]]), labels)
    >>> wg.retrieval(predicted, measured, reference="none").table["own_rank"].tolist()
    [0.0, 0.0, 1.0]
    """
    if reference not in get_args(Reference):
        known = " or ".join(map(repr, get_args(Reference)))
        raise InputError(f"unknown reference {reference!r}; choose {known}")
    check_whole(resamples, "resamples")
    names, cosine, ranks, as_good = _ranks(first, second, reference, progress)
    n = len(names)
    score = 1 - ranks / n
    p = (1 + as_good) / n
    table = names.assign(
        own_cosine=cosine,
        own_rank=ranks,
        retrieval=score,
        p_value=p,
        q_value=benjamini_hochberg(p),
    )
    floor = 0.5 + 0.5 / n
    if no_skill is not None:
        of_no_skill = _ranks(no_skill, second, reference, None)
        floor = float(1 - of_no_skill[2].mean() / len(of_no_skill[0]))
    return RetrievalResult(table, item_bootstrap(score, resamples=resamples, seed=seed), floor)


def _ranks(
    first: LabelledMap, second: LabelledMap, reference: Reference, progress: Progress | None
) -> tuple[pd.DataFrame, Floats, Floats, Codes]:
    """Return what names the perturbations of both (N rows), and of each what lies before itself.

    Its cosine with itself (N,), its rank (N,), ties half, and how many others are as similar or
    more (N,).
    """
    check_map(first)
    check_map(second)
    one, other = first.embeddings, second.embeddings
    if one.shape[1] != other.shape[1]:
        raise InputError(
            f"the maps have {one.shape[1]} and {other.shape[1]} features; they must be the same"
        )
    shared = shared_rows(first, second)
    x = _directions(one[shared["row_first"].to_numpy()], reference, "first")
    y = _directions(other[shared["row_second"].to_numpy()], reference, "second")
    run, every = get_backend(), np.arange(len(shared))
    own = run.pair_cosines(x, every, every, y).astype(np.float64)
    values = np.stack([np.nextafter(own, -np.inf), own], axis=1).ravel()
    label = every.astype(np.int32)[None]  # a perturbation is not compared with itself
    counts = run.rank_counts(
        x, y, 2 * np.arange(len(shared) + 1), values, label, label, progress=progress
    )
    as_good, above = counts.reshape(-1, 2).T
    names = shared.drop(columns=["row_first", "row_second"])
    return names, np.clip(own, -1, 1), (above + as_good) / 2, as_good


def _directions(rows: Floats, reference: Reference, which: str) -> Floats:
    """Return rows of length 1, less the reference; zero where nothing is left of a row."""
    wide = rows.astype(np.float64)
    if not np.isfinite(wide).all():
        bad = int(np.flatnonzero(~np.isfinite(wide).all(axis=1))[0])
        raise InputError(f"row {bad} of the {which} map holds a NaN or an Inf; leave it out")
    if reference == "perturbed-mean":
        less = wide - wide.mean(axis=0)
        less[np.abs(less).max(axis=1) <= _ROUNDED * np.abs(wide).max(axis=1)] = 0
        wide = less
    return np.asarray(get_backend().unit_rows(wide)[0])
