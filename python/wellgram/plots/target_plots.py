"""Figures of drug targets."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.plots.canvas import BLUE, GREY, RULE, Tabled, figure, finished, legend, table_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_doses(
    result: pd.DataFrame | Tabled, ax: "Axes | None" = None, *, dose: str = "concentration"
) -> "Axes":
    """Draw average precision against dose, with its interval, beside chance and random scores.

    The band of random scores is two standard deviations over draws to either side. What no dose
    names, such as the largest similarity over doses (``max``), stands apart.

    Parameters
    ----------
    result
        A `DrugTargetsResult`, or its table.
    ax
        Where to draw; a new figure if None.
    dose
        What the doses are, with their unit.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure()
    names = [f"{c:g}" if isinstance(c, float) else str(c) for c in table["concentration"]]
    doses = np.array([dose not in ("all", "max") for dose in table["concentration"]])
    at = np.arange(len(table)) + np.where(doses, 0.0, 0.35)
    said: tuple[str, str, str] = ("random scores", "chance", "map")
    for part in (doses, ~doses):
        if part.any():
            _draw(ax, at[part], table[part], said)
            said = ("_", "_", "_")  # named once
    ax.set_xticks(at, names)
    ax.margins(y=0.12)
    legend(ax)
    return finished(ax, dose, "average precision of targets")


def _draw(
    ax: "Axes", x: NDArray[np.float64], rows: pd.DataFrame, said: tuple[str, str, str]
) -> None:
    """Draw levels that are joined by lines."""
    scores, low, high = rows["average_precision"], rows["ci_low"], rows["ci_high"]
    wide, some = x, rows
    if len(x) == 1:  # what stands alone has no line, so it is given some width
        wide, some = x.repeat(2) + np.array([-0.2, 0.2]), rows.loc[rows.index.repeat(2)]
    middle, spread = (some[f"average_precision_baseline{end}"] for end in ("", "_sd"))
    ax.fill_between(wide, middle - 2 * spread, middle + 2 * spread, color=RULE, linewidth=0,
                    label=said[0])  # fmt: skip
    ax.plot(wide, some["chance"], color=GREY, linestyle=(0, (2, 2)), linewidth=1, label=said[1])
    ax.vlines(x, low, high, color=BLUE, linewidth=1.6)
    ax.plot(x, scores, color=BLUE, marker="o", markersize=5, linewidth=1, label=said[2])
