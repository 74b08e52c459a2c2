"""Figures of a map: its similarities as a clustered matrix, and itself in two dimensions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.plots.canvas import (
    DRAWN_POINTS,
    GREY,
    INK,
    SERIES,
    SMALL,
    TEXT,
    Tabled,
    figure,
    finished,
    legend,
    point_size,
    shortened,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_NAMED = 60
"""How many rows of a matrix have their names beside them"""


def plot_similarity(
    cosines: pd.DataFrame,
    groups: Sequence[str],
    tree: NDArray[np.float64],
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw cosines as a matrix in the order of a clustering, with its tree and the groups.

    Parameters
    ----------
    cosines
        (m, m), its index the names of the rows, in the order of the tree's leaves.
    groups
        (m,): the group that each row is known to be of; drawn as a strip of colours.
    tree
        (m - 1, 4): the clustering, as SciPy's ``linkage`` returns it for rows in that order.
    ax
        Where to draw; a new figure if None.
    """
    from scipy.cluster.hierarchy import dendrogram

    m = len(cosines)
    if ax is None:
        _, ax = figure(5.6, 5.5)
    apart = np.where(np.eye(m, dtype=bool), np.nan, cosines.to_numpy())
    largest = float(np.nanmax(np.abs(apart)))
    image = ax.imshow(apart, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    names = [shortened(str(name), 16) for name in cosines.index] if m <= _MOST_NAMED else []
    ax.set_yticks(range(len(names)), names, fontsize=min(TEXT, 240 / max(m, 1)))
    ax.set_xticks([])
    ax.yaxis.tick_right()
    ax.tick_params(length=0, labelcolor=INK)
    ax.spines[:].set_visible(False)

    strip = ax.inset_axes((-0.05, 0, 0.035, 1))
    known = list(dict.fromkeys(groups))
    for k, group in enumerate(known):
        rows = [row for row, name in enumerate(groups) if name == group]
        color = SERIES[k % len(SERIES)]
        strip.barh(rows, 1, 1, color=color, linewidth=0, label=shortened(group, 28))
    branches = ax.inset_axes((-0.25, 0, 0.19, 1))
    joined = dendrogram(tree, no_plot=True)
    for places, heights in zip(joined["icoord"], joined["dcoord"], strict=True):
        leaves = (np.asarray(places) - 5) / 10  # SciPy's are 10 apart, from 5
        branches.plot(heights, leaves, color=GREY, linewidth=0.8)
    branches.invert_xaxis()
    for side in (strip, branches):
        side.set_ylim(m - 0.5, -0.5)
        side.set_axis_off()
    drawn = ax.get_figure(root=False)
    if drawn is not None:
        drawn.legend(
            *strip.get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False,
            fontsize=SMALL, labelcolor=INK,
        )  # fmt: skip
        bar = drawn.colorbar(image, ax=ax, shrink=0.4, pad=0.02, orientation="horizontal")
        bar.set_label("cosine similarity", fontsize=TEXT, color=INK)
        bar.ax.tick_params(labelsize=SMALL, labelcolor=INK, color=GREY)
        bar.outline.set_visible(False)
    return ax


def plot_map(
    result: pd.DataFrame | Tabled,
    ax: "Axes | None" = None,
    *,
    color: str | None = None,
    explained: Sequence[float] | None = None,
) -> "Axes":
    """Draw the rows of a map in two dimensions.

    Parameters
    ----------
    result
        A `PCAProjection`, or a table with ``x`` and ``y``.
    ax
        Where to draw; a new figure if None.
    color
        A column of the table whose values are coloured, those that most rows have first; rows
        without a value are grey.
    explained
        The shares of the two axes in the spread of the map; taken from a `PCAProjection`.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure(4.8, 4.3)
    shares: Any = getattr(result, "explained", None) if explained is None else explained
    values = table[color] if color is not None else pd.Series(index=table.index, dtype=object)
    common = values.value_counts().index[: len(SERIES)]
    other = ~values.isin(common)
    many = len(table) > DRAWN_POINTS
    left = "all" if color is None else "others"
    parts = [(other, GREY, left, 0.5)] if other.any() else []
    parts += [(values == value, SERIES[k], str(value), 0.75) for k, value in enumerate(common)]
    for rows, ink, name, alpha in parts:
        some = table[rows]
        ax.scatter(some["x"], some["y"], s=point_size(len(table)), color=ink, linewidths=0,
                   rasterized=many, alpha=alpha,
                   label=f"{shortened(name, 28)} ({len(some):,})")  # fmt: skip
    ax.set_aspect("equal", "datalim")
    ax.set_xticks([])
    ax.set_yticks([])
    if len(parts) > 1:
        legend(ax, loc="upper left", bbox_to_anchor=(0, -0.06), ncols=2, markerscale=1.5,
               handletextpad=0.1)  # fmt: skip
    said = ["", ""] if shares is None else [f" ({share:.1%} of the variance)" for share in shares]
    return finished(ax, f"first axis{said[0]}", f"second axis{said[1]}")
