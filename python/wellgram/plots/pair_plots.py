"""Figures of cosines of pairs."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.plots.canvas import (
    BLUE,
    GREY,
    ORANGE,
    RULE,
    Tabled,
    figure,
    finished,
    legend,
    remark,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_bins(
    result: pd.DataFrame | Tabled, ax: "Axes | None" = None, *, label: str = "cosine similarity"
) -> "Axes":
    """Draw counts in bins: a `PairHistogram`, or columns ``low``, ``high`` and ``n_pairs``."""
    table = table_of(result)
    if ax is None:
        _, ax = figure()
    edges = [*table["low"], table["high"].iloc[-1]]
    ax.stairs(table["n_pairs"], edges, fill=True, color=BLUE, alpha=0.85)
    return finished(ax, label, "pairs")


def plot_line(result: pd.DataFrame | Tabled, x: str, y: str, ax: "Axes | None" = None) -> "Axes":
    """Draw one column of a table against another."""
    if ax is None:
        _, ax = figure()
    ordered = table_of(result).sort_values(x)
    ax.plot(ordered[x], ordered[y], color=BLUE, marker=".")
    return finished(ax, x, y)


def plot_neighbors(
    most: NDArray[np.floating[Any]],
    least: NDArray[np.floating[Any]],
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how the cosines of the nearest and of the farthest are spread over rows, by rank.

    Parameters
    ----------
    most, least
        (n, k): as `Neighbors.nearest_cosines` and `farthest_cosines` have them.
    ax
        Where to draw; a new figure if None.
    """
    if ax is None:
        _, ax = figure()
    for cosines, name, color in ((most, "most similar", BLUE), (least, "least similar", ORANGE)):
        if cosines.size:
            ranks = np.arange(1, cosines.shape[1] + 1)
            low, middle, high = np.quantile(cosines, (0.1, 0.5, 0.9), axis=0)
            ax.plot(ranks, middle, color=color, label=name)
            ax.fill_between(ranks, low, high, color=color, alpha=0.25, linewidth=0)
    legend(ax)
    remark(ax, "Median over rows, and 10 to 90 %")
    return finished(ax, "rank", "cosine similarity")


def plot_neighbors_of(
    cosines: NDArray[np.floating[Any]],
    nearest: NDArray[np.floating[Any]],
    farthest: NDArray[np.floating[Any]],
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the cosines of one perturbation with all others, its nearest and farthest marked.

    Parameters
    ----------
    cosines
        (n,): with all others, NaN where there is none.
    nearest, farthest
        (k,): those to be marked.
    ax
        Where to draw; a new figure if None.
    """
    if ax is None:
        _, ax = figure()
    there = cosines[~np.isnan(cosines)]
    bins = int(np.clip(2 * np.sqrt(len(there)), 10, 100))
    counts, edges = np.histogram(there, bins=bins)
    ax.stairs(counts, edges, fill=True, color=RULE, label="all others")
    top = counts.max() * 0.06
    for marked, name, color in ((nearest, "nearest", BLUE), (farthest, "farthest", ORANGE)):
        ax.vlines(marked, 0, top, color=color, linewidth=1, label=name)
    ax.axvline(0, color=GREY, linewidth=0.6)
    legend(ax)
    return finished(ax, "cosine similarity", "perturbations")
