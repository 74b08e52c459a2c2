"""Figures of known pairs among all pairs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.plots.canvas import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    RULE,
    SERIES,
    SMALL,
    WIDTH,
    Tabled,
    figure,
    finished,
    legend,
    shortened,
    table_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_recall(result: pd.DataFrame | Tabled, ax: "Axes | None" = None) -> "Axes":
    """Draw the recall of each source at each pair of tails, with its interval and chance.

    Parameters
    ----------
    result
        A `RecallResult`, or its table.
    ax
        Where to draw; a new figure if None.
    """
    table = table_of(result)
    sources = list(dict.fromkeys(table["source"]))
    tails = list(
        table[["tail_low", "tail_high"]].drop_duplicates().itertuples(index=False, name=None)
    )
    if ax is None:
        _, ax = figure(WIDTH, max(2.0, 1.2 + 0.42 * len(sources)))
    step = 0.6 / max(1, len(tails))
    for k, (low, high) in enumerate(tails):
        color = (BLUE, ORANGE)[k % 2]
        rows = table[(table["tail_low"] == low) & (table["tail_high"] == high)].set_index("source")
        rows = rows.loc[sources]
        place = np.arange(len(sources)) + (k - (len(tails) - 1) / 2) * step
        ends = rows["recall"]
        if "ci_low" in rows:
            low_end, high_end = rows["ci_low"], rows["ci_high"]
            ax.hlines(place, low_end, high_end, color=color, linewidth=1.6)
            ends = high_end.fillna(ends)
        label = f"tails {low:g} / {high:g}"
        ax.plot(rows["recall"], place, "o", markersize=5, color=color, label=label)
        for y, value, end in zip(place, rows["recall"], ends, strict=True):
            if not np.isnan(value):
                ax.annotate(
                    f"{value:.3f}", (end, y), (5, 0), textcoords="offset points", va="center",
                    fontsize=SMALL, color=INK,
                )  # fmt: skip
        chance = low + 1 - high
        ax.axvline(chance, color=color, linestyle=(0, (2, 2)), linewidth=1)
    ax.plot([], [], color=GREY, linestyle=(0, (2, 2)), linewidth=1, label="chance")
    ax.set_yticks(range(len(sources)), [_source(source) for source in sources])
    ax.set_ylim(len(sources) - 0.45, -0.55)
    ax.set_xlim(left=0)
    ax.margins(x=0.12)
    legend(ax, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, columnspacing=1)
    finished(ax, "recall: share of known pairs in the tails", "")
    ax.tick_params(axis="y", length=0)
    return ax


def plot_null(
    histogram: NDArray[np.int64],
    known: Mapping[str, NDArray[np.float64]],
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the cosines of all pairs, and of the known pairs of each source, as densities.

    Parameters
    ----------
    histogram
        Counts of the null in equal bins of [-1, 1], such as ``pair_histogram`` gives.
    known
        The cosines of the known pairs, per source.
    ax
        Where to draw; a new figure if None.
    """
    if ax is None:
        _, ax = figure()
    edges = np.linspace(-1, 1, len(histogram) + 1)
    bins = np.clip(2 * np.sqrt(histogram.sum()), 20, 100)
    joined = max(1, int(len(histogram) // bins))
    starts = np.arange(0, len(histogram), joined)
    edges = edges[np.append(starts, len(histogram))]
    share = np.add.reduceat(histogram, starts) / max(1, histogram.sum())
    ax.stairs(share / np.diff(edges), edges, fill=True, color=RULE, label="all pairs")
    for k, (name, cosines) in enumerate(known.items()):
        if len(cosines):
            coarse = np.linspace(-1, 1, int(np.clip(2 * np.sqrt(len(cosines)), 20, 100)) + 1)
            density, _ = np.histogram(np.clip(cosines, -1, 1), bins=coarse, density=True)
            color = SERIES[k % len(SERIES)]
            ax.stairs(density, coarse, label=shortened(name, 24), linewidth=1.3, color=color)
    met = np.concatenate(
        [edges[:-1][share > 1e-4], edges[1:][share > 1e-4], [0.0], *known.values()]
    )
    ax.set_xlim(max(-1, met.min() - 0.1), min(1, met.max() + 0.1))
    if len(known) <= 12:  # a longer legend would push the figure out of its frame
        legend(ax)
    return finished(ax, "cosine similarity of a pair", "density")


def _source(name: str) -> str:
    return shortened(name.replace("Metadata_", ""), 24)
