"""Recall of known pairs as efaar_benchmarking has it: from ranks, without sorting the null."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.gene_maps import check_map_directions
from wellgram.backends.protocol import Codes, Floats
from wellgram.metrics.recall import largest_count, smallest_count
from wellgram.pairs import UnitRows, order_statistics, pair_count

_TOLERANCE = 1e-4
"""The share of known pairs that rounding may move across a threshold"""
_SEVERAL, _ABSENT = -2, -1
Tail = tuple[Any, Any]


def filter_relationships(df: pd.DataFrame) -> pd.DataFrame:
    """Order each pair, drop those of one with itself, and repeats; leaves the caller's table so."""
    if not {"entity1", "entity2"} <= set(df.columns) or not df.columns.is_unique or not len(df):
        raise Declined("there is no table of pairs")
    if df.columns.nlevels > 1 or df["entity1"].dtype != df["entity2"].dtype:
        raise Declined("the columns of the pairs are of two types")
    first, second = df["entity1"].to_numpy(object), df["entity2"].to_numpy(object)
    if {pd.api.types.infer_dtype(side, skipna=False) for side in (first, second)} != {"string"}:
        raise Declined("an entity is no text")
    turned = first > second
    low, high = np.where(turned, second, first), np.where(turned, first, second)
    df["sorted_entities"] = list(zip(low, high, strict=True))
    df["entity1"], df["entity2"] = low, high
    # As the original does it: which of two equal indices a table has depends on it.
    return df[["entity1", "entity2"]].query("entity1 != entity2").drop_duplicates()


def of_cosines(null_distribution: Any, query_distribution: Any, **options: Any) -> None:
    """Decline unless both are vectors of numbers, the same type, and not empty."""
    for values in (null_distribution, query_distribution):
        if type(values) is not np.ndarray or values.ndim != 1 or not len(values):
            raise Declined("there is no vector of cosines")
        if values.dtype not in (np.float32, np.float64) or np.isnan(values).any():
            raise Declined("cosines are no floats, or a NaN is among them")


def compute_recall(
    null_distribution: NDArray[Any], query_distribution: NDArray[Any], recall_threshold_pairs: Any
) -> dict[str, Any]:
    """Return the share of queries in the tails of a null, without sorting it."""
    n = len(null_distribution)
    tails = _tails(recall_threshold_pairs)
    counts = [_counts(n, low, high) for low, high in tails]
    wanted = sorted({c for pair in counts for c in _ranks(n, *pair)})
    parted = np.partition(null_distribution, wanted) if wanted else null_distribution
    at = {rank: parted[rank] for rank in wanted}
    return _recalls(n, query_distribution, tails, counts, at)


def recall(
    map_data: Any,
    pert_col: str,
    benchmark_sources: Any,
    recall_thr_pairs: Any,
    min_req_entity_cnt: int,
    benchmark_data_dir: Any,
    log_stats: bool = False,
) -> pd.DataFrame:
    """Return the recall of each source, from one pass over all pairs."""
    from efaar_benchmarking import benchmarking

    check_map_directions(map_data, pert_col)
    if not isinstance(benchmark_sources, list | tuple) or type(min_req_entity_cnt) is not int:
        raise Declined("sources are in no list, or their least size is no whole number")
    labels = map_data.metadata[pert_col].tolist()
    unit = UnitRows(map_data.features.to_numpy())
    n = pair_count(unit.n)
    if n == 0:
        raise Declined("there are no pairs")
    tails = _tails(recall_thr_pairs)
    counts = [_counts(n, low, high) for low, high in tails]
    wanted = sorted({c for pair in counts for c in _ranks(n, *pair)})
    lines, tables, pairs = [f"{len(labels)} perturbations exist in the map."], [], {}
    row_of = _rows_by_label(labels)
    for source in benchmark_sources:
        known = _read(benchmarking.get_benchmark_relationships, benchmark_data_dir, source)
        pairs[source] = _rows_of_pairs(known, row_of, source)
    # The next ones tell whether rounding could put another pair in a threshold's place.
    asked = sorted({r for c in wanted for r in (c - 1, c, c + 1) if 0 <= r < n})
    at = dict(zip(asked, order_statistics(unit, asked).cosines, strict=True))
    margin = _rounding(map_data.features.dtypes.iloc[0], map_data.features.shape[1])
    for source in benchmark_sources:
        i, j = pairs[source]
        cosines = unit.cosines(i, j).astype(np.float64)
        lines.append(f"{len(cosines)} relationships are used from the benchmark source {source}")
        if len(cosines):
            _check_margin(cosines, wanted, at, margin)
            metrics = _recalls(n, cosines, tails, counts, at)
            tables.append(benchmarking.convert_metrics_to_df(metrics=metrics, source=source))
    if not tables:
        raise Declined("no source has a pair in the map")
    if log_stats:
        print(*lines, sep="\n")
    every: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return every


def _rows_by_label(labels: list[Any]) -> dict[Any, int]:
    """Return the row of each label, and `_SEVERAL` of one that several rows have."""
    row_of: dict[Any, int] = {}
    for row, label in enumerate(labels):
        row_of[label] = _SEVERAL if label in row_of else row
    return row_of


def _rows_of_pairs(known: pd.DataFrame, row_of: dict[Any, int], source: Any) -> tuple[Codes, Codes]:
    """Return the rows of those pairs whose ends are both in the map."""
    if known.isna().to_numpy().any():
        raise Declined(f"a pair of source {source!r} has one end")
    i, j = (
        np.array([row_of.get(label, _ABSENT) for label in known[end].tolist()], np.int64)
        for end in ("entity1", "entity2")
    )
    there = (i != _ABSENT) & (j != _ABSENT)
    i, j = i[there], j[there]
    if (i == _SEVERAL).any() or (j == _SEVERAL).any():
        raise Declined(f"a label of source {source!r} occurs twice in the map")
    return i, j


def _read(reader: Callable[..., Any], *arguments: Any) -> Any:
    """Return what the library reads; what it cannot read it says itself."""
    try:
        return reader(*arguments)
    except Exception as error:
        raise Declined(f"reading raised {type(error).__name__}") from None


def _tails(pairs: Any) -> list[Tail]:
    """Return the least and the largest share of each pair."""
    if not isinstance(pairs, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs
    ):
        raise Declined("thresholds are no list of pairs")
    if not all(type(share) in (int, float) for pair in pairs for share in pair):
        raise Declined("a threshold is no number")
    return [(np.min(pair), np.max(pair)) for pair in pairs]


def _counts(n: int, low: float, high: float) -> tuple[int, int]:
    if not 0 <= low <= high <= 1:
        raise Declined(f"({low}, {high}) are no shares")
    return largest_count(n, float(low)), smallest_count(n, float(high))


def _ranks(n: int, low: int, high: int) -> list[int]:
    """Return the places in the sorted null that decide: see `wellgram.metrics.recall`."""
    return [place for place in (low, high - 1) if 0 <= place < n]


def _rounding(dtype: Any, features: int) -> float:
    """Return how far cosines of the original may be from ours, which adds up in another order."""
    return 8 * float(np.finfo(dtype).eps) * float(np.sqrt(features))


def _check_margin(cosines: Floats, ranks: list[int], at: dict[int, Any], margin: float) -> None:
    """Decline if rounding could move more known pairs across a threshold than is tolerated.

    A pair that is the threshold itself stays, unless another is as near.
    """
    for rank in ranks:
        threshold = float(at[rank])
        near = np.abs(cosines - threshold) <= margin
        beside = [float(at[r]) for r in (rank - 1, rank + 1) if r in at]
        if all(abs(other - threshold) > 2 * margin for other in beside):
            near &= cosines != threshold
        if near.sum() > _TOLERANCE * len(cosines):
            raise Declined("known pairs are as far as rounding goes from a threshold")


def _recalls(
    n: int,
    queries: NDArray[Any],
    tails: Sequence[Tail],
    counts: Sequence[tuple[int, int]],
    at: dict[int, Any],
) -> dict[str, Any]:
    metrics: dict[str, Any] = {
        "null_distribution_size": n,
        "query_distribution_size": len(queries),
    }
    for (low, high), (most, least) in zip(tails, counts, strict=True):
        hits = (queries < at.get(most, np.inf)) | (queries > at.get(least - 1, -np.inf))
        metrics[f"recall_{low}_{high}"] = hits.sum() / len(queries)
    return metrics
