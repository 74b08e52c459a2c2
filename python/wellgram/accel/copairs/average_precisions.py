"""Average precision of copairs: pairs are compared and counted, never listed or sorted.

copairs rounds similarities s to float32 and ranks by 1 - s in float32, positives first among
equals. Its ranks are reproduced: what a partner must exceed is where the next rounding begins.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.copairs.similarities import as_features, directions
from wellgram.accel.declined import Declined
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats
from wellgram.metrics.pairing import Columns, Rules, find_pairs
from wellgram.metrics.profile_ranks import Compared, partners_above, rank_entries

_TAKEN = {"index", "ix", "n_pos_pairs", "n_total_pairs", "average_precision"}
_NEAR = 1e-7
"""Of the largest squared length: distances below it are not compared by products"""


def precision(
    meta: pd.DataFrame,
    feats: Any,
    pos_sameby: Any,
    pos_diffby: Any,
    neg_sameby: Any,
    neg_diffby: Any,
    batch_size: int = 20000,
    distance: str = "cosine",
) -> pd.DataFrame:
    """Return the metadata with the average precision of each profile."""
    rules = _rules(pos_sameby, pos_diffby, neg_sameby, neg_diffby)
    meta = _checked(meta, feats, rules)
    pairs = find_pairs(_coded(meta, rules), rules)
    n_pos, n_neg = pairs.positives.partners, pairs.negatives.partners
    if not n_pos.any() or not n_neg.any():
        raise Declined("there are no positives, or no negatives")
    scores = np.full(len(meta), np.nan)
    scores[(n_pos > 0) & (n_neg == 0)] = 1.0
    ranked = np.flatnonzero((n_pos > 0) & (n_neg > 0))
    for part in rank_entries(_compared(feats, distance), pairs, ranked):
        scores[part.entries] = part.precision
    meta["n_pos_pairs"] = n_pos
    meta["n_total_pairs"] = n_pos + n_neg
    meta["average_precision"] = scores
    return meta


def multilabel(
    meta: pd.DataFrame,
    feats: Any,
    pos_sameby: Any,
    pos_diffby: Any,
    neg_sameby: Any,
    neg_diffby: Any,
    multilabel_col: Any,
    batch_size: int = 20000,
    distance: str = "cosine",
) -> pd.DataFrame:
    """Return the average precision of both profiles of each positive pair, as copairs 0.5 has it.

    Each positive pair is a ranking of its own there, against the negatives of either profile.
    """
    from copairs.map import multilabel as original

    rules = _rules(pos_sameby, pos_diffby, neg_sameby, neg_diffby)
    meta = _checked(meta, feats, rules, multilabel_col)
    hashable = meta.assign(**{multilabel_col: meta[multilabel_col].map(_hashable)})
    negatives = find_pairs(_coded(hashable, rules), rules).negatives
    positive = original.find_pairs(meta, sameby=pos_sameby, diffby=pos_diffby).astype(np.int64)
    if not len(positive) or (negatives.partners[positive] == 0).any():
        raise Declined("there are no positives, or a profile of one has no negatives")
    compared = _compared(feats, distance)
    member, partner = positive.ravel(), positive[:, ::-1].ravel()
    similarity = compared.pairs(member, partner)
    order = np.lexsort([similarity, member])
    starts = np.searchsorted(member[order], np.arange(len(meta) + 1))
    above = np.empty(len(member), np.int64)
    above[order] = partners_above(compared, negatives, starts, similarity[order])
    labels: dict[str, Any] = {str(c): meta[c].iloc[member].reset_index(drop=True) for c in meta}
    scores: dict[str, Any] = {
        "average_precision": 1 / (1 + above),
        "n_pos_pairs": np.ones(len(member), np.int64),
        "n_total_pairs": 1 + negatives.partners[member],
        "ix": member,
    }
    found = pd.DataFrame({**scores, **labels})
    kept = meta.drop(multilabel_col, axis=1)
    results: pd.DataFrame = kept.merge(found, right_on="ix", left_index=True).drop("ix", axis=1)
    for count in ("n_pos_pairs", "n_total_pairs"):
        results[count] = results[count].fillna(0).astype(np.int32)
    return results


def _rules(*columns: Any) -> Rules:
    """Return what makes pairs; decline what is more than lists of columns."""
    for names in columns:
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise Declined("columns are not given as lists of names")
    rules = Rules(*map(Columns.of, columns))  # type: ignore[arg-type]  # four of them
    for same, differ in (columns[:2], columns[2:]):
        if not (same or differ) or set(same) & set(differ):
            raise Declined("there are no columns, or some must be equal and different")
    return rules


def _coded(meta: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Return the columns of the rules as numbers: to copairs an empty text is a value."""
    codes = {name: pd.factorize(meta[name])[0] for name in rules.names}
    return pd.DataFrame({name: np.where(code < 0, np.nan, code) for name, code in codes.items()})


def _checked(meta: Any, feats: Any, rules: Rules, multilabel_col: Any = None) -> pd.DataFrame:
    """Return the metadata as copairs has it by then, its own checks passed."""
    from copairs.map.filter import evaluate_and_filter, flatten_str_list, validate_pipeline_input

    columns = (rules.pos_sameby, rules.pos_diffby, rules.neg_sameby, rules.neg_diffby)
    names = [name for some in columns for name in some.every]
    if not isinstance(meta, pd.DataFrame) or not meta.columns.is_unique:
        raise Declined("metadata is no table, or a column is there twice")
    lower = [str(name).lower() for name in meta.columns]
    if len(set(lower)) < len(lower) or _TAKEN & set(lower):
        raise Declined("columns differ in capitals alone, or have a name of the results")
    for name in set(names):
        if name not in meta or not name.isidentifier():
            raise Declined(f"{name!r} is no column")
        if name != multilabel_col and not _is_plain(meta[name]):
            raise Declined(f"values of {name!r} are no texts or numbers")
    meta, kept = evaluate_and_filter(meta, flatten_str_list(list(names)))
    validate_pipeline_input(meta, feats, kept)
    reset: pd.DataFrame = meta.reset_index(drop=True).copy()
    return reset


def _is_plain(values: "pd.Series[Any]") -> bool:
    """Whether SQL and pandas agree on which values are equal."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.dtype.categories.to_series()
    kind = values.dtype
    if isinstance(kind, np.dtype) and kind.kind in "biuf":
        return True
    return all(type(value) is str for value in values)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | np.ndarray) else value


def _compared(feats: Any, distance: Any) -> "_Ranked":
    rows = as_features(feats).astype(np.float64, copy=False)
    run = get_backend()
    if distance == "euclidean":
        # x y - |y|^2 / 2 = (|x|^2 - |x - y|^2) / 2, about a centre, where little cancels.
        centred = rows - rows.mean(axis=0)
        squares = np.square(centred).sum(axis=1, keepdims=True)
        x = np.hstack([centred, np.ones((len(rows), 1))])
        y = np.hstack([centred, -squares / 2])
        return _Distant(run, x, y, squares=squares.ravel())
    if distance not in ("cosine", "abs_cosine", "correlation"):
        raise Declined(f"distance {distance!r} is not supported")
    unit = directions(rows, centred=distance == "correlation")
    return _Ranked(run, unit, unit, distance == "abs_cosine")


@dataclass(frozen=True)
class _Ranked(Compared):
    """Rows compared as copairs compares them."""

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """Return what a partner must exceed to come before."""
        return last_similarity(_key(values))

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """Return what a partner must exceed to come before, or be equal."""
        return last_similarity(np.nextafter(_key(values), np.float32(np.inf)))


@dataclass(frozen=True, kw_only=True)
class _Distant(_Ranked):
    """Rows compared by ``1 / (1 + distance)``, which products of theirs stand for."""

    squares: Floats

    def _similarity(self, products: Floats, profiles: Codes) -> Floats:
        left = self.squares[profiles] - 2 * products
        if (left < _NEAR * self.squares.max()).any():
            raise Declined("two profiles are too near each other")
        return np.asarray(1 / (1 + np.sqrt(left)))

    def _product(self, similarities: Floats, profiles: Codes) -> Floats:
        with np.errstate(divide="ignore", over="ignore"):
            distance = 1 / similarities - 1
        product = (self.squares[profiles] - np.square(distance)) / 2
        return np.where(similarities >= 1, np.inf, product)

    def before(self, values: Floats, profiles: Codes) -> Floats:
        """Return what a partner must exceed to come before."""
        similarity = self._similarity(values, profiles)
        return self._product(super().before(similarity, profiles), profiles)

    def up_to(self, values: Floats, profiles: Codes) -> Floats:
        """Return what a partner must exceed to come before, or be equal."""
        similarity = self._similarity(values, profiles)
        return self._product(super().up_to(similarity, profiles), profiles)


def _key(similarities: Floats) -> NDArray[np.float32]:
    """Return what copairs ranks by, the least first."""
    return np.float32(1) - similarities.astype(np.float32)


def last_similarity(keys: NDArray[np.float32]) -> Floats:
    """Return the greatest similarity whose key is not less: for all above it, the key is less.

    The key is two roundings to nearest, ties to even: of the similarity, and of 1 less that.
    """
    # 1 - x rounds to the key or more from halfway to the key before it on ...
    keys = keys.astype(np.float32)
    least = (keys.astype(np.float64) + np.nextafter(keys, np.float32(-np.inf))) / 2
    x = _floor32(1 - least, inclusive=_is_even(keys))
    # ... and a similarity rounds to that x or less up to halfway to the next.
    most = (x.astype(np.float64) + np.nextafter(x, np.float32(np.inf))) / 2
    return np.where(_is_even(x), most, np.nextafter(most, -np.inf))


def _floor32(values: Floats, inclusive: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the greatest float32 that is at most each value, or less where not inclusive."""
    rounded = values.astype(np.float32)
    exceeds = np.where(inclusive, rounded > values, rounded >= values)
    return np.where(exceeds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _is_even(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray(values.view(np.int32) % 2 == 0)
