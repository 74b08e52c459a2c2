"""Figures, each a function of a table that returns matplotlib axes."""

from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _PALE, _GREY = "#2563a8", "#9dc3e6", "#777777"


def figure(width: float, height: float) -> "tuple[Figure, Axes]":
    """Return a figure of width x height inches that needs no display, and its axes."""
    # Not pyplot: it would keep the figure alive and may want a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn, drawn.add_subplot()


def save_png(axes: "Axes", target: "Path | IO[bytes]") -> None:
    """Write the figure that holds the axes, as PNG."""
    drawn = axes.get_figure(root=True)
    if drawn is None:
        raise ValueError("the axes belong to no figure")
    drawn.savefig(target, dpi=160, format="png")


def plot_recall(table: pd.DataFrame, axes: "Axes | None" = None) -> "Axes":
    """Draw the recall of each source at each pair of tails, with its interval and chance.

    Parameters
    ----------
    table
        As `wellgram.metrics.RecallResult` has it.
    axes
        Where to draw; a new figure if None.
    """
    sources = list(dict.fromkeys(table["source"]))
    tails = list(table[["low", "high"]].drop_duplicates().itertuples(index=False, name=None))
    if axes is None:
        _, axes = figure(2.5 + 1.1 * len(sources), 3.4)
    width = 0.8 / len(tails)
    for k, (low, high) in enumerate(tails):
        rows = table[(table["low"] == low) & (table["high"] == high)].set_index("source")
        place = np.arange(len(sources)) + (k - (len(tails) - 1) / 2) * width
        colour = (_BLUE, _PALE)[k % 2]
        label = f"{low:g} / {high:g}"
        bars = axes.bar(place, rows.loc[sources, "recall"], 0.92 * width, color=colour, label=label)
        if "interval_low" in rows:
            ends = rows.loc[sources, ["interval_low", "interval_high"]].to_numpy()
            axes.vlines(place + 0.3 * width, *ends.T, color="#1d2733", linewidth=1)
        ink = ("white", "black")[k % 2]
        axes.bar_label(bars, fmt="%.3f", fontsize=7, label_type="center", color=ink)
        axes.axhline(low + 1 - high, color=colour, linestyle=":", linewidth=1)
    axes.set_xticks(range(len(sources)), [_wrap(source) for source in sources], fontsize=8)
    axes.set_ylabel("recall of known pairs")
    axes.set_title("Dotted: a map without signal", fontsize=8, color=_GREY, loc="right")
    axes.legend(title="tails", fontsize=7, title_fontsize=7, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def plot_null(
    histogram: NDArray[np.int64],
    known: Mapping[str, NDArray[np.float64]],
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw the cosines of all pairs, and of the known pairs of each source, as densities.

    Parameters
    ----------
    histogram
        Counts of the null in equal bins of [-1, 1].
    known
        The cosines of the known pairs, per source.
    axes
        Where to draw; a new figure if None.
    """
    if axes is None:
        _, axes = figure(6.5, 3.2)
    edges = np.linspace(-1, 1, len(histogram) + 1)
    width = edges[1] - edges[0]
    axes.stairs(histogram / max(1, histogram.sum()) / width, edges, fill=True, color="#d5d5d5",
                label="all pairs")  # fmt: skip
    for name, cosines in known.items():
        if len(cosines):
            coarse = np.linspace(-1, 1, int(np.clip(2 * np.sqrt(len(cosines)), 20, 100)) + 1)
            density, _ = np.histogram(np.clip(cosines, -1, 1), bins=coarse, density=True)
            axes.stairs(density, coarse, label=_shortened(name), linewidth=1.2)
    axes.set_xlim(-1, 1)
    if len(known) <= 12:  # a longer legend would push the figure out of its frame
        axes.legend(fontsize=7, frameon=False)
    return _finished(axes, "cosine similarity", "density")


def plot_bins(
    table: pd.DataFrame, axes: "Axes | None" = None, *, label: str = "cosine similarity"
) -> "Axes":
    """Draw counts in bins: columns ``low``, ``high`` and ``pairs``."""
    if axes is None:
        _, axes = figure(6.5, 3.2)
    edges = [*table["low"], table["high"].iloc[-1]]
    axes.stairs(table["pairs"], edges, fill=True, color=_PALE)
    return _finished(axes, label, "pairs")


def plot_line(table: pd.DataFrame, x: str, y: str, axes: "Axes | None" = None) -> "Axes":
    """Draw one column of a table against another."""
    if axes is None:
        _, axes = figure(4.8, 3.2)
    ordered = table.sort_values(x)
    axes.plot(ordered[x], ordered[y], color=_BLUE, marker=".")
    return _finished(axes, x, y)


def plot_neighbors(
    most: NDArray[np.floating[Any]],
    least: NDArray[np.floating[Any]],
    axes: "Axes | None" = None,
) -> "Axes":
    """Draw how the cosines of the nearest and of the farthest are spread over rows, by rank."""
    if axes is None:
        _, axes = figure(6.5, 3.2)
    for cosines, name, color in ((most, "most similar", _BLUE), (least, "least similar", _GREY)):
        if cosines.size:
            ranks = np.arange(1, cosines.shape[1] + 1)
            low, middle, high = np.quantile(cosines, (0.1, 0.5, 0.9), axis=0)
            axes.plot(ranks, middle, color=color, label=name)
            axes.fill_between(ranks, low, high, color=color, alpha=0.25, linewidth=0)
    axes.legend(fontsize=7, frameon=False)
    axes.set_title("Median over rows, and 10 to 90 %", fontsize=8, color=_GREY, loc="right")
    return _finished(axes, "rank", "cosine similarity")


def plot_doses(table: pd.DataFrame, axes: "Axes | None" = None) -> "Axes":
    """Draw average precision against dose, with its interval, beside chance and random scores.

    The band of random scores is two standard deviations over draws to either side.
    """
    if axes is None:
        _, axes = figure(4.8, 3.2)
    names = [f"{c:g}" if isinstance(c, float) else str(c) for c in table["concentration"]]
    at = np.arange(len(table))
    axes.fill_between(
        at, table["interval_low"], table["interval_high"], color=_BLUE, alpha=0.2, linewidth=0
    )
    axes.plot(at, table["average_precision"], color=_BLUE, marker=".", label="map")
    middle, spread = (table[f"average_precision_baseline{end}"] for end in ("", "_sd"))
    axes.fill_between(
        at, middle - 2 * spread, middle + 2 * spread, color=_GREY, alpha=0.2, linewidth=0,
        label="random scores",
    )  # fmt: skip
    axes.plot(at, table["chance"], color=_GREY, linestyle="--", linewidth=1, label="chance")
    axes.set_xticks(at, names)
    axes.legend(fontsize=7, frameon=False)
    return _finished(axes, "concentration", "average precision")


def plot_accuracies(table: pd.DataFrame, axes: "Axes | None" = None) -> "Axes":
    """Draw accuracies with their intervals, and chance: columns as `ProbeResult.table` has them."""
    if axes is None:
        _, axes = figure(4.8, 3.2)
    at = np.arange(len(table))
    axes.bar(at, table["accuracy"], 0.6, color=_PALE)
    axes.vlines(at, table["interval_low"], table["interval_high"], color="#1d2733", linewidth=1)
    axes.hlines(table["chance"], at - 0.3, at + 0.3, color=_GREY, linestyle=":", label="chance")
    axes.set_xticks(at, [name.replace("_", "-") for name in table["figure"]])
    axes.legend(fontsize=7, frameon=False)
    return _finished(axes, "", "accuracy")


def plot_depth(table: pd.DataFrame, best: int, axes: "Axes | None" = None) -> "Axes":
    """Draw accuracies over the depth of blocks, the balanced one with its interval.

    Columns as `BlockSearchResult.table` has them; `best` is the row of the best block.
    """
    if axes is None:
        _, axes = figure(5.6, 3.6)
    depth = table["depth"]
    axes.fill_between(
        depth, table["balanced_low"], table["balanced_high"], color=_BLUE, alpha=0.2, linewidth=0
    )
    axes.plot(depth, table["balanced"], color=_BLUE, marker=".", label="balanced accuracy")
    axes.plot(depth, table["top_1"], color=_GREY, linestyle="--", linewidth=1, label="top-1")
    for name, style in (("recall", "-."), ("consistency", ":"), ("drug_targets", (0, (5, 1)))):
        if name in table:
            label = name.replace("_", " ")
            axes.plot(depth, table[name], color=_PALE, linestyle=style, label=label)
    row = table.iloc[best]
    axes.annotate(
        str(row["block"]), (row["depth"], row["balanced"]), (0, 8), textcoords="offset points",
        ha="center", fontsize=8,
    )  # fmt: skip
    axes.margins(y=0.15)
    axes.legend(fontsize=7, frameon=False)
    return _finished(axes, "depth (block)", "score")


def plot_study(table: pd.DataFrame, axes: "Axes | None" = None) -> "Axes":
    """Draw what each correction keeps of biology against what it removes of batches.

    Columns as `BatchStudyResult.table` has them; the best is up on the right.
    """
    if axes is None:
        _, axes = figure(5.6, 4.2)
    axes.vlines(table["batch_removed"], table["biology_low"], table["biology_high"], color=_PALE)
    axes.scatter(table["batch_removed"], table["biology"], s=18, color=_BLUE, zorder=2)
    for row in table.to_dict("records"):
        place = (row["batch_removed"], row["biology"])
        axes.annotate(row["correction"], place, (4, 3), textcoords="offset points", fontsize=7)
    axes.margins(x=0.15)
    axes.set_title("Bars: 95 % over experiments", fontsize=8, color=_GREY, loc="right")
    return _finished(axes, "batch removed", "biology kept")


def plot_p_values(p: NDArray[np.floating[Any]], axes: "Axes | None" = None) -> "Axes":
    """Draw the histogram of p-values, beside the even spread that chance alone would give."""
    if axes is None:
        _, axes = figure(4.8, 3.2)
    tested = p[~np.isnan(p)]
    axes.hist(tested, bins=np.linspace(0, 1, 21).tolist(), color=_BLUE)
    axes.axhline(len(tested) / 20, color=_GREY, linestyle="--", linewidth=1, label="chance")
    axes.legend(fontsize=7, frameon=False)
    return _finished(axes, "p-value", "perturbations")


def plot_volcano(
    table: pd.DataFrame, score: str, threshold: float, axes: "Axes | None" = None
) -> "Axes":
    """Draw the p-value of each row of a table against its score, on a logarithmic scale.

    Rows whose ``corrected_p_value`` is below the threshold are coloured.
    """
    if axes is None:
        _, axes = figure(4.8, 3.6)
    tested = table[table["p_value"].notna()]
    found = (tested["corrected_p_value"] < threshold).to_numpy()
    for rows, color, name in ((~found, _GREY, "other"), (found, _BLUE, f"FDR < {threshold:g}")):
        some = tested[rows]
        label = f"{name} ({len(some):,})"
        axes.scatter(some[score], some["p_value"], s=6, color=color, alpha=0.6, label=label,
                     linewidths=0)  # fmt: skip
    axes.set_yscale("log")
    axes.invert_yaxis()
    axes.legend(fontsize=7, frameon=False)
    return _finished(axes, score.replace("_", " "), "p-value")


def _finished(axes: "Axes", x: str, y: str) -> "Axes":
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _shortened(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _wrap(text: str) -> str:
    return _shortened(text.replace("Metadata_", "")).replace(", ", ",\n")
