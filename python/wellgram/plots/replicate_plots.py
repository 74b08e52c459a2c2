"""Figures of scores of single perturbations and their p-values."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.plots.canvas import (
    BLUE,
    DRAWN_POINTS,
    GREY,
    RULE,
    Tabled,
    figure,
    finished,
    legend,
    point_size,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_volcano(
    result: pd.DataFrame | Tabled,
    score: str,
    threshold: float = 0.05,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the p-value of each perturbation against its score, on a logarithmic scale.

    Parameters
    ----------
    result
        Such as a `ConsistencyResult`, `MagnitudeResult` or `MeanAveragePrecisionResult`, or a
        table with ``p_value`` and its false discovery rate, ``q_value``.
    score
        The column of the score.
    threshold
        Rows whose false discovery rate is up to it are coloured.
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure()
    tested = table[table["p_value"].notna()]
    found = (tested["q_value"] <= threshold).to_numpy()
    kinds = ((~found, GREY, "others"), (found, BLUE, f"false discovery rate ≤ {threshold:.0%}"))
    for rows, color, name in kinds:
        some = tested[rows]
        ax.scatter(some[score], some["p_value"], s=point_size(len(tested)), color=color, alpha=0.65,
                   label=f"{name}: {len(some):,}", linewidths=0,
                   rasterized=len(tested) > DRAWN_POINTS)  # fmt: skip
    ax.set_yscale("log")
    ax.invert_yaxis()
    ax.margins(y=0.08)
    legend(ax, loc="lower right", bbox_to_anchor=(1, 1), ncols=2, columnspacing=1, handletextpad=0)
    return finished(ax, score.replace("_", " "), "p-value")


def plot_p_values(p: NDArray[np.floating[Any]], ax: "Axes | None" = None) -> "Axes":
    """Draw the histogram of p-values, beside the even spread that chance alone would give."""
    if ax is None:
        _, ax = figure()
    tested = p[~np.isnan(p)]
    counts, edges = np.histogram(tested, bins=np.linspace(0, 1, 21))
    ax.stairs(counts, edges, fill=True, color=BLUE, alpha=0.85)
    ax.axhline(len(tested) / 20, color=GREY, linestyle=(0, (2, 2)), linewidth=1.2, label="chance")
    ax.set_xlim(0, 1)
    ax.locator_params(axis="y", integer=True)
    ax.grid(axis="y", color=RULE, linewidth=0.6)
    ax.set_axisbelow(True)
    legend(ax)
    return finished(ax, "p-value", "perturbations")
