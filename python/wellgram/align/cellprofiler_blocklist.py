"""CellProfiler's features that are known to be noisy."""

from itertools import permutations

_CHANNELS = ("AGP", "DNA", "ER", "Mito", "RNA")


def noisy_features() -> frozenset[str]:
    """Return the features of Way's blocklist (2019), doi 10.6084/m9.figshare.10255811.

    Of nuclei, the correlations by Manders and RWC of all pairs of channels, and granularities at
    the three largest scales.
    """
    pairs = {
        f"Nuclei_Correlation_{kind}_{first}_{second}"
        for kind in ("Manders", "RWC")
        for first, second in permutations(_CHANNELS, 2)
    }
    scales = {f"Nuclei_Granularity_{scale}_{c}" for scale in (14, 15, 16) for c in _CHANNELS}
    return frozenset(pairs | scales)
