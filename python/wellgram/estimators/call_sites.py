"""Where a warning points to: the line that called the library, however deep within it arose."""

import sys


def level_outside() -> int:
    """Return the ``stacklevel`` by which a warning of the calling function points outside."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("wellgram."):
        level, frame = level + 1, frame.f_back
    return level
