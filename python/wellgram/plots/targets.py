"""Figures of drug targets."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

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
        A `CompoundGeneResult`, or its table.
    ax
        Where to draw; a new figure if None.
    dose
        What the doses are, with their unit.
    """
    table = table_of(result)
    if ax is None:
        _, ax = figure()
    names = [f"{c:g}" if isinstance(c, float) else str(c) for c in table["concentration"]]
    doses = np.array([isinstance(c, float) for c in table["concentration"]])
    at = np.arange(len(table)) + np.where(doses, 0.0, 0.35)
    middle, spread = (table[f"average_precision_baseline{end}"] for end in ("", "_sd"))
    for first, part in enumerate((doses, ~doses)):
        if not part.any():
            continue
        rows = table[part]
        # A level that stands alone has no line, so it is given some width.
        x = at[part] if part.sum() > 1 else at[part].repeat(2) + np.array([-0.2, 0.2])
        some = rows if part.sum() > 1 else rows.loc[rows.index.repeat(2)]
        ax.fill_between(
            x, (middle - 2 * spread)[some.index], (middle + 2 * spread)[some.index],
            color=RULE, linewidth=0, label=None if first and doses.any() else "random scores",
        )  # fmt: skip
        ax.plot(x, some["chance"], color=GREY, linestyle=(0, (2, 2)), linewidth=1,
                label=None if first and doses.any() else "chance")  # fmt: skip
        ax.vlines(at[part], rows["interval_low"], rows["interval_high"], color=BLUE, linewidth=1.6)
        ax.plot(at[part], rows["average_precision"], color=BLUE, marker="o", markersize=5,
                linewidth=1, label=None if first and doses.any() else "map")  # fmt: skip
    ax.set_xticks(at, names)
    ax.margins(y=0.12)
    legend(ax)
    return finished(ax, dose, "average precision of targets")
