"""Maps of efaar_benchmarking: what a map must be, and the aggregation that makes one."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.screen_checks import (
    PLAIN,
    check_directions,
    check_labels,
    check_names,
    check_rows,
)
from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows


def of_groups(
    embeddings: Any, metadata: Any, pert_col: Any, keys_to_remove: Any, method: Any
) -> None:
    """Decline unless embeddings are finite floats and the labels plain."""
    check_rows(embeddings, metadata, (pert_col,))
    check_labels(metadata, pert_col, PLAIN)
    if isinstance(metadata[pert_col].dtype, pd.CategoricalDtype):
        raise Declined("labels are categorical")
    # Of a text the original asks whether it contains a label.
    if not (isinstance(keys_to_remove, str) and _are_texts(metadata[pert_col])):
        check_names(keys_to_remove, metadata, pert_col)
    if method == "mean":
        raise Declined("only medians are faster here: pandas takes means in one pass")
    if method != "median":
        raise Declined(f"there is no method {method!r}")


def _are_texts(labels: "pd.Series[Any]") -> bool:
    return pd.api.types.infer_dtype(labels, skipna=False) == "string"


def aggregate(
    embeddings: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    keys_to_remove: Any = (),
    method: str = "mean",
) -> Any:
    """Return the median of the rows of each perturbation."""
    from sklearn.utils import Bunch

    grouped = metadata.reset_index(drop=True).groupby(pert_col)
    labels = list(grouped.size().index)
    kept = [label not in keys_to_remove for label in labels]
    if not any(kept):
        raise Declined("no perturbation is left")
    code = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[grouped.ngroup().to_numpy(int)]
    rows = get_backend().group_medians(embeddings, code, sum(kept))
    left = [label for label, keep in zip(labels, kept, strict=True) if keep]
    return Bunch(
        features=pd.DataFrame(rows.astype(embeddings.dtype, copy=False)),
        metadata=pd.DataFrame.from_dict({pert_col: left}),
    )


def check_map(map_data: Any, pert_col: Any) -> None:
    """Decline unless the features are finite floats, and a label is plain or missing."""
    features, metadata = getattr(map_data, "features", None), getattr(map_data, "metadata", None)
    if not isinstance(features, pd.DataFrame) or not isinstance(metadata, pd.DataFrame):
        raise Declined("the map is no pair of tables")
    if len({str(kind) for kind in features.dtypes}) != 1:
        raise Declined("features are of several types")
    check_rows(features.to_numpy(), metadata, (pert_col,))
    check_labels(metadata[metadata[pert_col].notna()], pert_col, PLAIN | {"empty"})


def check_map_directions(map_data: Any, pert_col: Any) -> None:
    """Decline unless besides, every row has a direction."""
    check_map(map_data, pert_col)
    check_directions(map_data.features.to_numpy())
