"""Which profiles copairs pairs: its rules, and metadata that it and pandas read alike."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.accel.declined import Declined
from wellgram.accel.stand_ins import plain
from wellgram.metrics.pairing import Columns, Rules

_TAKEN = {
    *("index", "ix", "n_pos_pairs", "n_total_pairs"),
    *("average_precision", "normalized_average_precision"),
    # What a query for shared labels makes.
    *("index_1", "shared_items", "matched_item", "_c", "column0", "column1"),
}


def pair_rules(
    pos_sameby: Any, pos_diffby: Any, neg_sameby: Any, neg_diffby: Any, label: str | None = None
) -> Rules:
    """Return what makes pairs, and the column of lists of labels; decline other than columns."""
    columns = (pos_sameby, pos_diffby, neg_sameby, neg_diffby)
    for names in columns:
        if type(names) not in (list, tuple) or not all(isinstance(n, str) for n in names):
            raise Declined("columns are not given as lists of names")
    # Rules raise an InputError where there are no columns, or some must be equal and different.
    same, apart, same_of_negatives, apart_in_negatives = map(Columns.of, columns)
    return Rules(same, apart, same_of_negatives, apart_in_negatives, multilabel=label)


def checked_metadata(meta: Any, feats: Any, rules: Rules, label: Any = None) -> pd.DataFrame:
    """Return the metadata as copairs has it by then, its own checks passed."""
    from copairs.map.filter import evaluate_and_filter, flatten_str_list, validate_pipeline_input

    names = list(rules.names)
    if type(meta) is not pd.DataFrame or not meta.columns.is_unique:
        raise Declined("metadata is no table, or a column is there twice")
    lower = [str(name).lower() for name in meta.columns]
    if len(set(lower)) < len(lower) or _TAKEN & set(lower):
        raise Declined("columns differ in capitals alone, or have a name of the results")
    for name in names:
        if name not in meta or not name.isidentifier():
            raise Declined(f"{name!r} is no column")
        if name != label and not _is_plain(meta[name]):
            raise Declined(f"values of {name!r} are no texts or numbers")
    meta, kept = evaluate_and_filter(meta, flatten_str_list(names))
    validate_pipeline_input(meta, feats, kept)
    reset: pd.DataFrame = meta.reset_index(drop=True).copy()
    return reset


def check_readable(
    meta: pd.DataFrame, finds_pairs: Any, names: Iterable[str], **options: Any
) -> None:
    """Decline where copairs could not read the columns: it pairs two profiles that agree in all."""
    try:
        plain(finds_pairs)(meta.iloc[:2], sameby=list(names), diffby=[], **options)
    except Exception as error:
        raise Declined(f"copairs cannot read the metadata: {error}") from None


def coded_columns(meta: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return columns as numbers: to copairs an empty text is a value."""
    codes = {name: pd.factorize(meta[name])[0] for name in names}
    return pd.DataFrame({name: np.where(code < 0, np.nan, code) for name, code in codes.items()})


def _is_plain(values: "pd.Series[Any]") -> bool:
    """Whether SQL and pandas agree on which values are equal."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.dtype.categories.to_series()
    kind = values.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return True
    return all(type(value) is str for value in values)
