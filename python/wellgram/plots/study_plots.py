"""Figures of studies: probes, blocks of a network, corrections of batch effects."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from wellgram.plots.canvas import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PINK,
    SMALL,
    Tabled,
    figure,
    finished,
    legend,
    remark,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_accuracies(result: pd.DataFrame | Tabled, ax: "Axes | None" = None) -> "Axes":
    """Draw accuracies with their intervals, and chance.

    Parameters
    ----------
    result
        A `ProbeResult`, or its table.
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure()
    at = np.arange(len(table))
    ax.bar(at, table["accuracy"], 0.6, color=PALE)
    ax.vlines(at, table["ci_low"], table["ci_high"], color=INK, linewidth=1)
    ax.hlines(table["chance"], at - 0.3, at + 0.3, color=GREY, linestyle=":", label="chance")
    ax.set_xticks(at, [name.replace("_", "-") for name in table["figure"]])
    legend(ax)
    return finished(ax, "", "accuracy")


def plot_depth(result: pd.DataFrame | Tabled, best: int, ax: "Axes | None" = None) -> "Axes":
    """Draw accuracies over the depth of blocks, the balanced one with its interval.

    Parameters
    ----------
    result
        A `BlockSearchResult`, or its table.
    best
        The row of the best block.
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure(5.6, 3.6)
    depth = table["depth"]
    ax.fill_between(
        depth,
        table["balanced_ci_low"],
        table["balanced_ci_high"],
        color=BLUE,
        alpha=0.2,
        linewidth=0,
    )
    ax.plot(depth, table["balanced"], color=BLUE, marker=".", label="balanced accuracy")
    ax.plot(depth, table["top_1"], color=GREY, linestyle="--", linewidth=1, label="top-1")
    for name, color in (("recall", ORANGE), ("consistency", GREEN), ("drug_targets", PINK)):
        if name in table:
            ax.plot(depth, table[name], color=color, linewidth=1, label=name.replace("_", " "))
    row = table.iloc[best]
    ax.annotate(
        str(row["block"]), (row["depth"], row["balanced"]), (0, 8), textcoords="offset points",
        ha="center", fontsize=SMALL, color=INK,
    )  # fmt: skip
    ax.margins(y=0.15)
    legend(ax)
    return finished(ax, "depth (block)", "score")


def plot_study(result: pd.DataFrame | Tabled, ax: "Axes | None" = None) -> "Axes":
    """Draw what each correction keeps of biology against what it removes of batches.

    The best is up on the right.

    Parameters
    ----------
    result
        A `BatchStudyResult`, or its table.
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure(5.6, 4.2)
    ax.vlines(table["batch_removed"], table["biology_ci_low"], table["biology_ci_high"], color=PALE)
    ax.scatter(table["batch_removed"], table["biology"], s=18, color=BLUE, zorder=2)
    for row in table.to_dict("records"):
        place = (row["batch_removed"], row["biology"])
        ax.annotate(
            row["correction"], place, (4, 3), textcoords="offset points", fontsize=SMALL, color=INK
        )
    ax.margins(x=0.15)
    remark(ax, "Bars: 95 % over experiments")
    return finished(ax, "batch removed", "biology kept")
