"""Progress of a part of some work, told as progress of the whole."""

from wellgram.backends.protocol import Progress


def part_of(progress: Progress | None, begun: float, size: float) -> Progress | None:
    """Return a callback for a part of the work that starts there and is so large."""
    if progress is None:
        return None
    return lambda share: progress(begun + share * size)
