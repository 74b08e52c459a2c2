"""Agreement of guides: whether knock-outs of a gene by different guides look alike."""

import numpy as np
import pandas as pd

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import ColumnMissing
from wellgram.input_kinds import check_wells
from wellgram.label_rules.missing_labels import is_missing
from wellgram.maps.build import map_rows
from wellgram.metrics.replicate_consistency import ConsistencyResult, consistency
from wellgram.metrics.replicates import aligned_rows
from wellgram.stream import WellStream
from wellgram.wells import KEYS, Wells


@takes_backend
def guide_agreement(
    wells: Wells | WellStream,
    guide: str,
    align: Alignment | BatchAffine | None = None,
    *,
    draws: int = 10_000,
    seed: int = 0,
    backend: str | None = None,
) -> ConsistencyResult:
    """Return how alike the guides of each gene are, and how often chance does as well.

    The wells of a guide are averaged, and guides take the place of wells in `consistency`: a gene
    whose guides differ owes its embedding to what they hit besides.

    Parameters
    ----------
    wells
        The wells; those in the map count. A stream is read.
    guide
        The column that names the guide.
    align, draws, seed, backend
        As for `consistency`.

    Returns
    -------
    ConsistencyResult
        Columns as it has them, ``n_wells`` being the number of guides; ``least_guide``, the one
        least like the others; and ``least_cosine``, its mean cosine with them.

    Raises
    ------
    InputError
        If there is no such column, or no gene has two guides.
    """
    check_wells(wells)
    if guide not in wells.metadata:
        raise ColumnMissing(
            f"there is no column {guide!r} that names the guide; there are "
            f"{', '.join(map(str, wells.metadata.columns))}"
        )
    kept = wells.metadata["in_map"].to_numpy(bool) & ~is_missing(wells.metadata[guide])
    keys = [key for key in KEYS if key in wells.metadata]
    grouped = wells.metadata[kept].groupby([*keys, guide], dropna=False, sort=True, observed=True)
    run = get_backend()
    rows = aligned_rows(wells, align)
    codes = np.full(len(rows), -1, np.int64)
    codes[kept] = grouped.ngroup()
    sums, counts = run.group_sums(rows, codes, grouped.ngroups)
    labels = grouped.size().reset_index()[[*keys, guide]]
    of_guides = Wells(
        sums / counts[:, None],
        labels.assign(well_id=labels[guide], is_control=False, in_map=True),
    )
    result = consistency(of_guides, draws=draws, seed=seed)
    least, cosine = _least_alike(of_guides)
    names = pd.Series(labels[guide].to_numpy()[least]).where(~np.isnan(cosine), None)
    table = result.table.assign(least_guide=names, least_cosine=cosine)
    table["reason"] = table["reason"].replace("one well", "one guide")
    return ConsistencyResult(table, f"{draws:,} random sets of as many guides")


def _least_alike(wells: Wells) -> tuple[Codes, Floats]:
    """Return of each row of the map its well least like the others, and its mean cosine to them."""
    run = get_backend()
    codes, labels = map_rows(wells)
    unit, _ = run.unit_rows(wells.embeddings)
    sums, counts = run.group_sums(unit, codes, len(labels))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = ((unit * sums[codes]).sum(axis=1) - 1) / (counts[codes] - 1)
    order = np.lexsort((cosine, codes))
    least = order[np.searchsorted(codes[order], np.arange(len(labels)))]
    return least, np.where(counts > 1, np.clip(cosine[least], -1, 1), np.nan)
