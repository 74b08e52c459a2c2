"""Profiles compared as copairs compares them, to the bit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.compiled_core import check_compiled
from wellgram.accel.copairs.ranking_keys import last_similarity, rank_keys
from wellgram.accel.copairs.similarities import SIMILARITIES, as_features
from wellgram.accel.declined import Declined
from wellgram.backends.numpy_similarity import NumpySimilarity
from wellgram.backends.protocol import Codes, Floats


def compare_profiles(feats: Any, distance: Any) -> "ComparedProfiles":
    """Return the profiles, ready to be compared, or decline."""
    if not isinstance(distance, str) or distance not in SIMILARITIES:
        raise Declined(f"distance {distance!r} is not supported")
    if type(feats) not in (np.ndarray, np.memmap):
        raise Declined("features are no matrix of NumPy")
    if feats.dtype.kind in "iu" and not distance.endswith("cosine"):
        raise Declined("distances of whole numbers may overflow")
    check_compiled()
    rows = as_features(np.ascontiguousarray(feats))
    with np.errstate(all="ignore"):
        similarity = SIMILARITIES[distance](rows)
    if not np.isfinite(similarity.rows).all():
        raise Declined("a row is all zero, and has no direction")
    if similarity.squares is not None and not (similarity.squares > 0).all():
        raise Declined("a row is the same in all features")
    return ComparedProfiles(similarity, distance == "abs_cosine")


@dataclass(frozen=True)
class ComparedProfiles:
    """Profiles whose similarities are told apart where copairs tells their keys apart."""

    similarity: NumpySimilarity
    absolute: bool

    def pairs(self, i: Codes, j: Codes) -> Floats:
        """Return 1 less the keys (m,) of profiles i and j."""
        values = self.similarity.pairs(np.minimum(i, j), np.maximum(i, j))
        return 1 - rank_keys(np.abs(values) if self.absolute else values).astype(np.float64)

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """Return the similarity that a partner must exceed to come before."""
        return last_similarity((1 - values).astype(np.float32))

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """Return what a partner must exceed to come before, or be equal."""
        keys = (1 - values).astype(np.float32)
        return last_similarity(np.nextafter(keys, np.float32(np.inf)))

    def counts_above(
        self,
        i: Codes,
        j: Codes,
        starts: Codes,
        values: Floats,
        own: NDArray[np.int32],
        other: NDArray[np.int32],
    ) -> Codes:
        """Return how many of profiles j are above each value of profiles i."""
        return self.similarity.counts_above(
            i, j, starts, values, own, other, absolute=self.absolute
        )
