"""Alignment (batch correction): fit on control wells, one affine map per batch."""

from wellgram.align.affine import Alignment, BatchAffine
from wellgram.align.center_scale import CenterScale, PCACenterScale
from wellgram.align.tvn import TVN
from wellgram.errors import InputError

ALIGNMENTS: dict[str, type[Alignment]] = {
    cls.name: cls for cls in (CenterScale, PCACenterScale, TVN)
}
"""The registry: the name on the command line and the class behind it."""


def alignment(name: str) -> Alignment | None:
    """Return a new alignment of that name with its defaults; None for ``"none"``."""
    if name == "none":
        return None
    if name not in ALIGNMENTS:
        raise InputError(f"unknown alignment {name!r}; choose none, {', '.join(ALIGNMENTS)}")
    return ALIGNMENTS[name]()


__all__ = [
    "ALIGNMENTS",
    "TVN",
    "Alignment",
    "BatchAffine",
    "CenterScale",
    "PCACenterScale",
    "alignment",
]
