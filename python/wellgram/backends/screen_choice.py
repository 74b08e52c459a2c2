"""What ``WELLGRAM_SCREEN`` says: the name of a screen of passes, on processors or on cards."""

import os

CARD_SCREENS = ("none", "int8")
"""What screens passes on cards can have"""


def named_screen() -> str | None:
    """Return the name that the environment gives, or None."""
    return os.environ.get("WELLGRAM_SCREEN") or None
