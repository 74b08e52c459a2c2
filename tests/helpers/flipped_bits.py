"""Files with single bits flipped: each is refused, or has the values that were written."""

from collections import Counter

import wellgram


def flips(path, count, rng, unchanged):
    """Flip random bits of a file, one at a time; return how often which outcome was seen.

    Parameters
    ----------
    path
        A whole file, as which it is left.
    count
        How many bits; all, where the file has fewer.
    unchanged
        Reads the file, and returns whether its values are those that were written.
    """
    whole = path.read_bytes()
    assert unchanged(path)
    bits = 8 * len(whole)
    outcomes = Counter()
    for bit in rng.choice(bits, min(count, bits), replace=False).tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        try:
            outcomes["same" if unchanged(path) else "changed"] += 1
        except wellgram.WellgramError:
            outcomes["refused"] += 1
    path.write_bytes(whole)
    return outcomes
