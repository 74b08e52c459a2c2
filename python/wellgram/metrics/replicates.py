"""What the scores of replicates share: aligned wells, and perturbations known to do nothing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Alignment, BatchAffine
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.stream import WellStream
from wellgram.wells import Wells


def aligned_rows(
    wells: Wells | WellStream, align: Alignment | BatchAffine | None, backend: str | None
) -> Rows:
    """Return the wells' embeddings, aligned if asked; an alignment is fitted if it was not."""
    held = wells if isinstance(wells, Wells) else wells.read()
    if align is None:
        return held.embeddings
    if isinstance(align, Alignment) and not align.is_fitted:
        align.fit(held, backend=backend)
    return align.transform(held, backend=backend)


def negative_rows(
    labels: pd.DataFrame, negatives: Sequence[str], wanted: bool
) -> NDArray[np.bool_]:
    """Return which rows of a map are perturbations that do nothing; none unless wanted.

    Raises
    ------
    InputError
        If they are wanted and none is in the map.
    """
    if not wanted:
        return np.zeros(len(labels), bool)
    found: NDArray[np.bool_] = labels["perturbation"].isin(list(negatives)).to_numpy(bool)
    if not found.any():
        first = f" (first: {negatives[0]!r})" if len(negatives) else ""
        raise InputError(
            f"no perturbation of the map is a negative control{first}; name some (negatives=), or "
            "take random sets of wells (null='permutation')"
        )
    return found
