"""What can come of a call: it is left to the original, or found to differ from it."""


class Declined(Exception):  # noqa: N818  # says what happens, and is never seen as an error
    """Raised by a replacement, or by the check of its domain, to leave a call to the original."""


class DifferenceError(AssertionError):
    """A replacement and the original differ by more than is documented."""
