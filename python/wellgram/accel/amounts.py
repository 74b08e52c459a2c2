"""How much there must be to do before a replacement pays."""

import os

from wellgram.accel.declined import Declined


def check_amount(amount: int, least: int) -> None:
    """Decline what an original has done before the work could be handed out.

    ``WELLGRAM_ACCEL_SMALL=1`` takes small calls too, so that tests of the originals, whose inputs
    are small, run the replacements.
    """
    if amount < least and os.environ.get("WELLGRAM_ACCEL_SMALL", "0") in ("", "0"):
        raise Declined("there is too little to do")
