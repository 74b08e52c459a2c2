"""What is most like one perturbation, as efaar_benchmarking lists it: from one row of cosines."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.gene_maps import check_map_directions
from wellgram.pairs import UnitRows


def similars(map_data: Any, pert_col: str, pert1: Any, pert2: Any = None, topx: int = 10) -> Any:
    """Return the perturbations most like one, from its row of the matrix alone."""
    check_map_directions(map_data, pert_col)
    labels = pd.Index(map_data.metadata[pert_col])
    if labels.isna().any():
        raise Declined("a row has no label")
    if not isinstance(pert1, str | int) or not isinstance(pert2, str | int | None):
        raise Declined(f"{pert1!r} or {pert2!r} is no label")
    if (labels == pert1).sum() != 1 or pert2 == pert1 or (labels == pert2).sum() > 1:
        raise Declined(f"{pert1!r} or {pert2!r} is not in the map once, or they are the same")
    if type(topx) is not int or topx < 0:
        raise Declined(f"{topx!r} is no number of rows")
    if not map_data.features.index.equals(map_data.metadata.index):
        raise Declined("features and metadata have other rows")
    unit = UnitRows(map_data.features.to_numpy())
    place = labels.get_loc(pert1)
    every = np.arange(unit.n)
    cosines = unit.cosines(np.full(unit.n, place), every)
    table = pd.DataFrame({"pert": map_data.metadata[pert_col].array, "cosine_sim": cosines})
    table = table[every != place]
    table = table.sort_values("cosine_sim", ascending=False).reset_index(drop=True)
    margin = 8 * np.finfo(cosines.dtype).eps * np.sqrt(map_data.features.shape[1])
    near = -np.diff(table["cosine_sim"]) <= margin
    if near[:topx].any():
        raise Declined("the most alike are as alike but for rounding")
    if pert2 is None:
        return table.head(topx)
    if pert2 not in labels:
        print(f"{pert2} does not exist in this map.")
        return table.head(topx)
    rank = table[table["pert"] == pert2].index[0] + 1
    if near[max(rank - 2, 0) : rank].any():
        raise Declined(f"others are as alike as {pert2!r} but for rounding")
    return table.head(topx), rank, cosines[labels.get_loc(pert2)]
