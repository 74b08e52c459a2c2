"""Maps of efaar_benchmarking: aggregation, recall of relationships, clusters, nearest rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.alignments import of_rows
from wellgram.backends import get_backend
from wellgram.backends.protocol import Rows
from wellgram.metrics.recall import largest_count, smallest_count
from wellgram.pairs import UnitRows, order_statistics, pair_count


def of_groups(
    embeddings: Any, metadata: Any, pert_col: Any, keys_to_remove: Any, method: Any
) -> None:
    """Decline unless embeddings are finite floats and the labels plain."""
    of_rows(embeddings, metadata, (pert_col,))
    if isinstance(metadata[pert_col].dtype, pd.CategoricalDtype):
        raise Declined("labels are categorical")
    if metadata[pert_col].isna().any():
        raise Declined("a row has no label")
    if method not in ("mean", "median"):
        raise Declined(f"there is no method {method!r}")


def aggregate(
    embeddings: Rows,
    metadata: pd.DataFrame,
    pert_col: str,
    keys_to_remove: Any = (),
    method: str = "mean",
) -> Any:
    """Return the mean or median of the rows of each perturbation."""
    from sklearn.utils import Bunch

    grouped = metadata.reset_index(drop=True).groupby(pert_col)
    labels = list(grouped.size().index)
    kept = [label not in keys_to_remove for label in labels]
    if not any(kept):
        raise Declined("no perturbation is left")
    code = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)[grouped.ngroup().to_numpy(int)]
    run, groups = get_backend(), sum(kept)
    if method == "mean":
        sums, counts = run.group_sums(embeddings, code, groups)
        rows = sums / counts[:, None]
    else:
        rows = run.group_medians(embeddings, code, groups)
    left = [label for label, keep in zip(labels, kept, strict=True) if keep]
    return Bunch(
        features=pd.DataFrame(rows.astype(embeddings.dtype, copy=False)),
        metadata=pd.DataFrame.from_dict({pert_col: left}),
    )


def filter_relationships(df: pd.DataFrame) -> pd.DataFrame:
    """Order each pair, drop those of one with itself, and repeats; leaves the caller's table so."""
    if not {"entity1", "entity2"} <= set(df.columns) or not df.columns.is_unique or not len(df):
        raise Declined("there is no table of pairs")
    if df.columns.nlevels > 1 or df["entity1"].dtype != df["entity2"].dtype:
        raise Declined("the columns of the pairs are of two types")
    first, second = df["entity1"].to_numpy(object), df["entity2"].to_numpy(object)
    if not all(type(value) is str for side in (first, second) for value in side):
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
        if not isinstance(values, np.ndarray) or values.ndim != 1 or not len(values):
            raise Declined("there is no vector of cosines")
        if values.dtype not in (np.float32, np.float64) or np.isnan(values).any():
            raise Declined("cosines are no floats, or a NaN is among them")


def compute_recall(
    null_distribution: NDArray[Any], query_distribution: NDArray[Any], recall_threshold_pairs: Any
) -> dict[str, Any]:
    """Return the share of queries in the tails of a null, without sorting it."""
    n = len(null_distribution)
    tails = [(np.min(pair), np.max(pair)) for pair in recall_threshold_pairs]
    counts = [_counts(n, low, high) for low, high in tails]
    wanted = sorted({c for pair in counts for c in _ranks(n, *pair)})
    parted = np.partition(null_distribution, wanted) if wanted else null_distribution
    at = {rank: parted[rank] for rank in wanted}
    return _recalls(n, query_distribution, tails, counts, at)


def _counts(n: int, low: float, high: float) -> tuple[int, int]:
    if not 0 <= low <= high <= 1:
        raise Declined(f"({low}, {high}) are no shares")
    return largest_count(n, float(low)), smallest_count(n, float(high))


def _ranks(n: int, low: int, high: int) -> list[int]:
    """Return the places in the sorted null that decide: see `wellgram.metrics.recall`."""
    return [place for place in (low, high - 1) if 0 <= place < n]


def _recalls(
    n: int,
    queries: NDArray[Any],
    tails: Sequence[tuple[Any, Any]],
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


def of_map(map_data: Any, pert_col: Any, **options: Any) -> None:
    """Decline unless the features are finite floats, none of them all zero."""
    features, metadata = map_data.features, map_data.metadata
    if not isinstance(features, pd.DataFrame):
        raise Declined("features are no table")
    if len({str(kind) for kind in features.dtypes}) != 1:
        raise Declined("features are of several types")
    rows = features.to_numpy()
    of_rows(rows, metadata, (pert_col,))
    _, zero = get_backend().row_faults(rows)
    if zero.any():
        raise Declined("a row is all zero, and has no direction")


def recall(
    map_data: Any,
    pert_col: str,
    benchmark_sources: Any,
    recall_thr_pairs: Any,
    min_req_entity_cnt: int,
    benchmark_data_dir: str,
    log_stats: bool = False,
) -> pd.DataFrame:
    """Return the recall of each source, from one pass over all pairs."""
    from efaar_benchmarking import benchmarking

    labels = pd.Index(map_data.metadata[pert_col])
    twice = labels.duplicated(keep=False) | labels.isna()
    once = pd.Index(labels[~twice])
    row = np.flatnonzero(~twice)
    unit = UnitRows(map_data.features.to_numpy())
    n = pair_count(unit.n)
    if n == 0:
        raise Declined("there are no pairs")
    tails = [(np.min(pair), np.max(pair)) for pair in recall_thr_pairs]
    counts = [_counts(n, low, high) for low, high in tails]
    wanted = sorted({c for pair in counts for c in _ranks(n, *pair)})
    at = dict(zip(wanted, order_statistics(unit, wanted).cosines, strict=True))
    told, tables = [f"{len(labels)} perturbations exist in the map."], []
    for source in benchmark_sources:
        known = benchmarking.get_benchmark_relationships(benchmark_data_dir, source)
        known = known[known.entity1.isin(labels) & known.entity2.isin(labels)]
        i, j = once.get_indexer(known["entity1"]), once.get_indexer(known["entity2"])
        if (i < 0).any() or (j < 0).any():
            raise Declined(f"a label of source {source!r} occurs twice in the map")
        cosines = unit.cosines(row[i], row[j]).astype(np.float64)
        told.append(f"{len(cosines)} relationships are used from the benchmark source {source}")
        if len(cosines):
            metrics = _recalls(n, cosines, tails, counts, at)
            tables.append(benchmarking.convert_metrics_to_df(metrics=metrics, source=source))
    if not tables:
        raise Declined("no source has a pair in the map")
    if log_stats:
        print(*told, sep="\n")
    every: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return every


def clusters(
    map_data: Any, pert_col: str, source: str, benchmark_data_dir: str, min_genes: int
) -> pd.DataFrame:
    """Compare cosines within each cluster and to the rest; rows are scaled once for all."""
    from efaar_benchmarking import benchmarking
    from scipy.stats import ks_2samp

    labels = map_data.metadata[pert_col]
    print(len(map_data.metadata), "genes in the map")
    found = benchmarking.get_benchmark_clusters(benchmark_data_dir, source, min_genes, list(labels))
    print(len(found), "clusters are used from the benchmark source", source)
    unit, _ = get_backend().unit_rows(map_data.features.to_numpy())
    records = []
    for name, genes in found.items():
        inside = labels.isin(genes).to_numpy(bool)
        own = unit[inside]
        within = (own @ own.T)[np.triu_indices(len(own), k=1)]
        between = (own @ unit[~inside].T).ravel()
        test = ks_2samp(within, between)
        members = [] if np.isnan(test.pvalue) else list(labels[inside])
        sizes = (len(own), len(unit) - len(own))
        records.append(
            [name, within.mean(), between.mean(), members, *sizes, test.statistic, test.pvalue]
        )
    columns = ["cluster", "within_cossim_mean", "between_cossim_mean", "genes", "cluster_size"]
    return pd.DataFrame(records, columns=[*columns, "not_cluster_size", "ks_stat", "ks_pval"])


def similars(map_data: Any, pert_col: str, pert1: Any, pert2: Any = None, topx: int = 10) -> Any:
    """Return the perturbations most like one, from its row of the matrix alone."""
    labels = pd.Index(map_data.metadata[pert_col])
    if (labels == pert1).sum() != 1 or pert2 == pert1 or (labels == pert2).sum() > 1:
        raise Declined(f"{pert1!r} or {pert2!r} is not in the map once, or they are the same")
    if not map_data.features.index.equals(map_data.metadata.index):
        raise Declined("features and metadata have other rows")
    unit = UnitRows(map_data.features.to_numpy())
    place = labels.get_loc(pert1)
    every = np.arange(unit.n)
    cosines = unit.cosines(np.full(unit.n, place), every)
    table = pd.DataFrame({"pert": map_data.metadata[pert_col].array, "cosine_sim": cosines})
    table = table[every != place]
    table = table.sort_values("cosine_sim", ascending=False).reset_index(drop=True)
    if pert2 is None:
        return table.head(topx)
    if pert2 not in labels:
        print(f"{pert2} does not exist in this map.")
        return table.head(topx)
    rank = table[table["pert"] == pert2].index[0] + 1
    return table.head(topx), rank, cosines[labels.get_loc(pert2)]
