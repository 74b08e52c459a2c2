"""What only the compiled core does, and is declined without it."""

from wellgram.accel.declined import Declined
from wellgram.backends.numpy_similarity import is_compiled


def check_compiled() -> None:
    """Decline where there is no compiled core."""
    if not is_compiled():
        raise Declined("there is no compiled core here")
