"""The distribution of all pairwise cosines: quantiles, a histogram, the ranks of chosen pairs."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends import takes_backend
from wellgram.backends.checks import as_numbers
from wellgram.backends.consumers import Extent, Histogram
from wellgram.backends.free_memory import check_room
from wellgram.backends.protocol import Floats, Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.pairs.order import order_statistics
from wellgram.pairs.row_labels import label_columns
from wellgram.pairs.scanning import scan
from wellgram.pairs.unit_rows import Map, PairDtype, UnitRows, check_indices, unit_pair
from wellgram.plots.html_tables import ShownTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class _Table(ShownTable):
    """A result that is a table of so many pairs."""

    table: pd.DataFrame
    pairs: int
    """How many pairs there are in all"""

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {self.pairs:,} pairs\n{self.table.to_string(max_rows=10)}"

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@dataclass(frozen=True, repr=False)
class PairQuantiles(_Table):
    """Quantiles of all cosines: columns ``share`` and ``cosine``."""

    @property
    def cosines(self) -> NDArray[np.float64]:
        """The quantiles, in the order asked for."""
        return self.table["cosine"].to_numpy()

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the cosine at each share; return the matplotlib axes."""
        from wellgram.plots import plot_line

        return plot_line(self.table, "share", "cosine", ax)


@dataclass(frozen=True, repr=False)
class PairHistogram(_Table):
    """Counts of all cosines in equal bins: columns ``low``, ``high`` and ``n_pairs``."""

    @property
    def counts(self) -> NDArray[np.int64]:
        """The pairs in each bin."""
        return self.table["n_pairs"].to_numpy()

    @property
    def edges(self) -> NDArray[np.float64]:
        """The bin edges, one more than bins."""
        return np.append(self.table["low"].to_numpy(), self.table["high"].iloc[-1])

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the histogram; return the matplotlib axes."""
        from wellgram.plots import plot_bins

        return plot_bins(self.table, ax)


@dataclass(frozen=True, repr=False)
class PairRanks(_Table):
    """Where chosen pairs lie among all, one row per chosen pair.

    Columns: the labels of both rows where x is a map, ``row`` and ``other_row``; ``cosine``;
    ``below`` and ``up_to``, how many pairs have a smaller cosine, and one not larger; and
    ``percentile``, 100 times ``up_to`` over all pairs (the right rank; the left is ``below``'s).
    """

    @cached_property
    def left_rank(self) -> NDArray[np.float64]:
        """The share of pairs with a smaller cosine."""
        return self.table["below"].to_numpy() / self.pairs

    @cached_property
    def right_rank(self) -> NDArray[np.float64]:
        """The share of pairs whose cosine is not larger."""
        return self.table["up_to"].to_numpy() / self.pairs

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw how the percentiles are spread; return the matplotlib axes."""
        from wellgram.plots import plot_bins

        counts, edges = np.histogram(self.table["percentile"], bins=50, range=(0, 100))
        bins = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n_pairs": counts})
        return plot_bins(bins, ax, label="percentile of the chosen pairs")


@takes_client
@takes_backend
def pair_quantiles(
    x: Map,
    shares: ArrayLike,
    *,
    other: Map | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> PairQuantiles:
    """Return quantiles of the cosines of all pairs, exact as sorting them would have it.

    What ``numpy.quantile`` returns of all cosines (its default, linear between the two nearest of
    N values at share (N - 1)), without storing them: two brackets are guessed from a sample, and
    one pass counts what lies below and keeps what lies within.

    Parameters
    ----------
    x, other, dtype, backend, progress, client
        As for `wellgram.pairs.scan_pairs`.
    shares
        One or more shares in [0, 1].

    Raises
    ------
    InputError
        If a share is not in [0, 1], there are no pairs, or as `wellgram.pairs.scan_pairs` has it.
    """
    wanted = np.atleast_1d(as_numbers(shares, "shares"))
    if wanted.ndim != 1 or not ((wanted >= 0) & (wanted <= 1)).all():
        raise InputError(f"shares must lie in [0, 1], not {np.asarray(shares).tolist()}")
    rows, others = unit_pair(x, other, dtype)
    pairs = _count(rows, others)
    values = exact_quantiles(rows, wanted, other=others, progress=progress)
    return PairQuantiles(pd.DataFrame({"share": wanted, "cosine": values}), pairs)


def exact_quantiles(
    rows: UnitRows,
    shares: Floats,
    *,
    other: UnitRows | None = None,
    left_out: Floats | None = None,
    progress: Progress | None = None,
) -> Floats:
    """Return the quantiles (s,) of the cosines of all pairs, less those left out.

    Parameters
    ----------
    rows, other, left_out, progress
        As for `wellgram.pairs.order.order_statistics`.
    shares
        (s,), in [0, 1].
    """
    pairs = Extent(rows.n, None if other is None else other.n).pairs
    pairs -= 0 if left_out is None else len(left_out)
    place = shares * (pairs - 1)
    below, above = np.floor(place).astype(np.int64), np.ceil(place).astype(np.int64)
    ranks = np.unique(np.concatenate([below, above]))
    found = order_statistics(
        rows, ranks.tolist(), other=other, left_out=left_out, progress=progress
    ).cosines
    found = np.clip(found, -1, 1)  # rounding carries those of equal rows past 1
    low, high = (found[np.searchsorted(ranks, at)] for at in (below, above))
    # As numpy.quantile interpolates, from the nearer end.
    part, step = place - below, high - low
    return np.asarray(np.where(part < 0.5, low + step * part, high - step * (1 - part)))


@takes_client
@takes_backend
def pair_histogram(
    x: Map,
    *,
    bins: int = 400,
    low: float = -1.0,
    high: float = 1.0,
    other: Map | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> PairHistogram:
    """Return the number of pairs in each of equal bins of [low, high).

    What lies outside is counted in the first and the last bin.

    Parameters
    ----------
    x, other, dtype, backend, progress, client
        As for `wellgram.pairs.scan_pairs`.
    bins, low, high
        How many bins, and the ends of their range.

    Raises
    ------
    InputError
        If low < high or bins >= 1 does not hold, or as `wellgram.pairs.scan_pairs` has it.
    """
    consumer = Histogram(low, high, bins)
    # Counts, edges and the three columns of the table.
    check_room(5 * 8 * bins, f"a table of {bins:,} bins", "ask for fewer (bins=)")
    rows, others = unit_pair(x, other, dtype)
    (counts,) = scan(rows, others, [consumer], progress=progress)
    edges = consumer.edges
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n_pairs": counts})
    return PairHistogram(table, _count(rows, others))


@takes_client
@takes_backend
def pair_ranks(
    x: Map,
    i: ArrayLike,
    j: ArrayLike,
    *,
    other: Map | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> PairRanks:
    """Return the cosines of chosen pairs, and their exact ranks among all pairs, from one pass.

    Parameters
    ----------
    x, other, dtype, backend, progress, client
        As for `wellgram.pairs.scan_pairs`.
    i, j
        (m,): the chosen pairs, rows of x and rows of other (or of x).

    Raises
    ------
    InputError
        If an index is out of range, there are no pairs, or as `wellgram.pairs.scan_pairs` has it.
    """
    rows, others = unit_pair(x, other, dtype)
    partners = others or rows
    first, second = check_indices(i, rows.n, "i"), check_indices(j, partners.n, "j")
    # Rounding carries cosines of equal rows past 1, where they tie.
    cosines = np.clip(rows.cosines(first, second, others).astype(np.float64), -1, 1)
    pairs = _count(rows, others)
    ranked: Any = order_statistics(rows, (), other=others, values=cosines, progress=progress).ranked
    below = np.where(cosines <= -1, 0, ranked.below)
    up_to = np.where(cosines >= 1, pairs, ranked.up_to)
    table = pd.concat(
        [label_columns(rows, first), label_columns(partners, second, "other_")], axis=1
    ).assign(
        cosine=cosines,
        below=below,
        up_to=up_to,
        percentile=100 * (up_to / pairs),
    )
    return PairRanks(table, pairs)


def _count(rows: UnitRows, others: UnitRows | None) -> int:
    pairs = Extent(rows.n, None if others is None else others.n).pairs
    if pairs == 0:
        raise InputError(f"there are no pairs among {rows.n} rows")
    return pairs
