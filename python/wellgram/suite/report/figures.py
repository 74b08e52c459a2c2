"""Figures within a page: vectors whose colours are the page's, so that they follow its scheme."""

import re
from typing import TYPE_CHECKING

from wellgram.plots import canvas, svg

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

_COLORS = {
    getattr(canvas, name): f"var(--{name.lower()})"
    for name in ("BLUE", "ORANGE", "GREEN", "PINK", "AMBER", "SKY", "PALE", "GREY", "RULE", "INK")
} | {"#000000": "var(--ink)"}
_COLOR = re.compile("|".join(_COLORS))


def inline(ax: "Axes", name: str, caption: str) -> "Markup":
    """Return the figure that holds the axes as an SVG element of a page.

    Identifiers begin with the figure's name, since those of all figures share one page; and the
    colours of the palette are variables, which the style of the page sets.
    """
    from markupsafe import Markup, escape

    text = svg(ax, name)
    text = text[text.index("<svg") :]
    opening, rest = text.split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', opening)
    assert box is not None
    rest = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", rest)
    rest = _COLOR.sub(lambda found: _COLORS[found.group()], rest)
    width = box.group(1).split()[2]
    return Markup(
        f'<svg id="{name}" viewBox="{box.group(1)}" style="--width: {width}" role="img" '
        f'aria-label="{escape(caption)}">{rest}'
    )
