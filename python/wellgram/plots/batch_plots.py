"""Figures of what is left of batches."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.plots.canvas import (
    BLUE,
    GREY,
    INK,
    RULE,
    SMALL,
    WIDTH,
    Tabled,
    figure,
    finished,
    legend,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_batches(result: pd.DataFrame | Tabled, ax: "Axes | None" = None) -> "Axes":
    """Draw each measure of what is left of batches, before and after an alignment.

    Parameters
    ----------
    result
        A `BatchEffects`, or its table: ``measure``, ``raw``, ``aligned`` (NaN where there is
        none), ``best`` (``"less"`` or ``"more"``) and ``chance`` (NaN where there is none).
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure(WIDTH, 1.2 + 0.42 * len(table))
    at = np.arange(len(table))
    ax.hlines(at, table["raw"], table["aligned"], color=RULE, linewidth=2.5, zorder=1)
    ax.plot(table["raw"], at, "o", markersize=6, color=GREY, markerfacecolor="none",
            markeredgewidth=1.5, label="raw")  # fmt: skip
    if table["aligned"].notna().any():
        ax.plot(table["aligned"], at, "o", markersize=6, color=BLUE, label="aligned")
    if table["chance"].notna().any():
        ax.plot(table["chance"], at, "|", markersize=14, color=INK, label="chance")
    names = [f"{row['measure']}\n{row['best']} is better" for row in table.to_dict("records")]
    ax.set_yticks(at, names)
    ax.set_ylim(len(table) - 0.5, -0.5)
    values = table[["raw", "aligned"]].to_numpy()
    ax.set_xlim(min(0.0, float(np.nanmin(values)) * 1.1) - 0.03, 1.03)
    legend(ax, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, columnspacing=1, handletextpad=0)
    finished(ax, "score", "")
    ax.tick_params(axis="y", length=0, labelsize=SMALL)
    ax.grid(axis="x", color=RULE, linewidth=0.6)
    ax.set_axisbelow(True)
    return ax
