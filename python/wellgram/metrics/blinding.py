"""Wells without what they are tested for, so that a correction cannot be fitted on it."""

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wellgram.align import Aligner, Alignment, needs_fit
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.wells import Wells

HIDDEN = "hidden"
"""The label that all tested wells have for an alignment"""
_SEEN = ("well_id", "batch", "is_control", "in_map")


def blinded(wells: Wells, tested: NDArray[np.bool_]) -> Wells:
    """Return wells of which an alignment may know all: batches, controls, and untested labels.

    The perturbation of tested wells (n,) is `HIDDEN`, controls too; columns without a role, which
    might say the same in other words, are left out.
    """
    seen = wells.metadata[[name for name in _SEEN if name in wells.metadata]]
    labels = wells.metadata["perturbation"].astype("str").where(~tested, HIDDEN)
    return replace(wells, metadata=seen.assign(perturbation=labels))


def aligned_blind(wells: Wells, align: Alignment | None, tested: NDArray[np.bool_]) -> Rows:
    """Return the embeddings by an alignment that is fitted here, on wells `blinded`.

    Raises
    ------
    InputError
        If it was fitted before: it may have seen the labels of tested wells.
    """
    check_unfitted(align)
    if align is None:
        return wells.embeddings
    own = copy.deepcopy(align)  # that of the caller stays unfitted
    return own.aligned(blinded(wells, tested)).embeddings


def check_unfitted(align: Aligner) -> None:
    """Raise if an alignment was fitted before: it may have seen the labels of tested wells."""
    if align is None or needs_fit(align):
        return
    raise InputError(
        f"{type(align).__name__} was fitted before, maybe on labels that are tested here; give it "
        "unfitted, or give wells that it has aligned if you know that it was not"
    )
