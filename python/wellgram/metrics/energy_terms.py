"""What every energy distance is made of: three mean distances."""

from wellgram.backends.protocol import Floats


def energy_of_means(cross: Floats, within: Floats, other_within: Floats | float) -> Floats:
    """Return ``2 E|x - y| - E|x - x'| - E|y - y'|`` of these means, by Szekely and Rizzo."""
    return 2 * cross - within - other_within
