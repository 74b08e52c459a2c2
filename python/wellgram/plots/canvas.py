"""What all figures share: size, colours, axes, and how they are written."""

import io
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which are told apart by people who see fewer; a report has others of the
# same names where the page is dark.
BLUE, ORANGE, GREEN, PINK = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
AMBER, SKY = "#e69f00", "#56b4e9"
PALE, GREY, RULE, INK = "#9dc3e6", "#8b949e", "#d5dae0", "#1d2733"
SERIES = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)

WIDTH = 4.6
"""Inches: on a phone, letters have about the size that they are given here"""
SMALL, TEXT = 8.0, 9.5
"""Sizes of letters, in points"""
DRAWN_POINTS = 1500
"""How many points are drawn as such where a figure is made of vectors; more become an image"""


class Tabled(Protocol):
    """A result that has a table."""

    @property
    def table(self) -> pd.DataFrame:
        """The table."""


def table_of(result: pd.DataFrame | Tabled) -> pd.DataFrame:
    """Return the table of a result, or the table that was given."""
    return result if isinstance(result, pd.DataFrame) else result.table


def figure(width: float = WIDTH, height: float = 3.0) -> "tuple[Figure, Axes]":
    """Return a figure of width x height inches that needs no display, and its axes.

    A notebook shows either of them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from wellgram.plots.shown_figures import ShownAxes, ShownFigure

    drawn = ShownFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn, drawn.add_subplot(axes_class=ShownAxes)


def finished(ax: "Axes", x: str, y: str) -> "Axes":
    """Label the axes, and take away what says nothing."""
    ax.set_xlabel(x, fontsize=TEXT, color=INK)
    ax.set_ylabel(y, fontsize=TEXT, color=INK)
    ax.tick_params(labelsize=TEXT - 0.5, color=GREY, labelcolor=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["bottom", "left"]].set_color(GREY)
    return ax


def legend(ax: "Axes", **options: Any) -> None:
    """Show what the marks are, where anything is named."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(fontsize=SMALL, frameon=False, labelcolor=INK, **options)


def remark(ax: "Axes", text: str) -> None:
    """Say how the figure is read, small, above it."""
    ax.set_title(text, fontsize=SMALL, color=GREY, loc="right")


def save_png(ax: "Axes", target: "Path | IO[bytes]") -> None:
    """Write the figure that holds the axes, as PNG; its axes then stay where they were laid."""
    drawn = _figure_of(ax)
    drawn.savefig(target, dpi=160, format="png")
    drawn.set_layout_engine("none")  # to lay axes out takes as long as to draw them


def svg(ax: "Axes", name: str) -> str:
    """Return the figure that holds the axes as SVG: letters are text, the ground is transparent.

    The same figure and name give the same bytes.
    """
    import matplotlib as mpl

    written = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        _figure_of(ax).savefig(written, format="svg", dpi=220, transparent=True, metadata=nothing)
    return written.getvalue()


def point_size(points: int) -> float:
    """Return the area of a point in square points, where there are so many: few are larger."""
    return float(min(30, max(6, 9000 / max(points, 1))))


def shortened(text: str, most: int = 40) -> str:
    """Return a text as a label, cut if it is longer than most; a dollar begins no formula."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return cut.replace("$", r"\$")


def _figure_of(ax: "Axes") -> "Figure":
    drawn = ax.get_figure(root=True)
    if drawn is None:
        raise ValueError("the axes belong to no figure")
    return drawn
