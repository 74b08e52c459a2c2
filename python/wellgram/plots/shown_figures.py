"""Figures and axes that a notebook shows where they are the last value of a cell.

pyplot would keep every figure alive and may want a screen, so these show themselves instead: a
notebook asks a value for its picture, whatever is imported. The module is imported when something
is drawn, since it needs matplotlib.
"""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

_DOTS_PER_INCH = 110


class ShownFigure(Figure):
    """A figure that a notebook shows."""

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        self.savefig(written, format="png", dpi=_DOTS_PER_INCH)
        return written.getvalue()


class ShownAxes(Axes):
    """Axes whose figure a notebook shows."""

    def _repr_png_(self) -> bytes | None:
        drawn: Any = self.get_figure(root=True)
        return drawn._repr_png_() if isinstance(drawn, ShownFigure) else None
