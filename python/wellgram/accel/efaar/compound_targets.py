"""The drug-target benchmark of efaar_benchmarking's trunk: lists of one length ranked at once."""

from collections.abc import Iterator
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.stand_ins import plain
from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Floats

_HELPERS = {
    "compute_ap_auc": ["scores", "labels"],
    "compute_baseline_predictions": ["predictions", "config"],
    "load_truth_data": ["benchmark_data_dir"],
}
"""Functions beside the original, by which the body that this follows is known from older ones"""


def of_drug_targets(
    map_data: Any,
    activity_threshold: Any,
    inactivity_threshold: Any,
    pert_col: Any,
    truth_data: Any,
    config: Any,
    **options: Any,
) -> None:
    """Decline unless scores are means over compounds of a map with a row per compound and dose."""
    _of_body()
    _of_config(config)
    for threshold in (activity_threshold, inactivity_threshold):
        if type(threshold) not in (int, float):
            raise Declined(f"{threshold!r} is no threshold")
    if truth_data is not None:
        _of_truth(truth_data)
    features, metadata = map_data.features, map_data.metadata
    if not (isinstance(features, pd.DataFrame) and isinstance(metadata, pd.DataFrame)):
        raise Declined("the map is no pair of tables")
    if not features.index.equals(metadata.index) or not features.index.is_unique:
        raise Declined("features and metadata have other rows, or an index that repeats")
    for column in (pert_col, "concentration"):
        if not isinstance(column, str) or list(metadata.columns).count(column) != 1:
            raise Declined(f"metadata has no column {column!r}, or several")
    if metadata["concentration"].dtype != np.float64:
        raise Declined("concentrations are no floats")
    if features.shape[1] == 0 or len({str(kind) for kind in features.dtypes}) != 1:
        raise Declined("features are none, or of several types")
    if features.dtypes.iloc[0] not in (np.float32, np.float64):
        raise Declined(f"features are {features.dtypes.iloc[0]}")
    bad, _ = get_backend().row_faults(features.to_numpy())
    if bad.any():
        raise Declined("a row holds a NaN or an Inf")


def _of_body() -> None:
    from efaar_benchmarking import benchmarking

    for name, parameters in _HELPERS.items():
        helper = getattr(benchmarking, name, None)
        if helper is None or list(signature(helper).parameters) != parameters:
            raise Declined("this state of the trunk is not known")


def _of_config(config: Any) -> None:
    from efaar_benchmarking import benchmarking

    if config is None:
        return
    if type(config) is not benchmarking.BenchmarkConfig or not hasattr(config, "quantiles"):
        raise Declined("the configuration is of another kind")
    if config.aggregate_by != benchmarking.AggregateBy.COMPOUND:
        raise Declined("scores are of genes, not of compounds")
    if config.average_type != benchmarking.AverageType.MACRO:
        raise Declined("lists are pooled")
    if type(config.random_seed) is not int or config.random_seed < 0:
        raise Declined("draws have no seed")
    if type(config.min_negatives) is not int:
        raise Declined(f"{config.min_negatives!r} is no number of negatives")
    quantiles = config.quantiles
    if quantiles is not None and not (
        type(quantiles) is list and all(type(q) is float and 0 <= q <= 1 for q in quantiles)
    ):
        raise Declined(f"{quantiles!r} are no quantiles")


def _of_truth(truth: Any) -> None:
    columns = ("treatment", "gene_symbol", "nM_value")
    if not isinstance(truth, pd.DataFrame) or any(
        list(truth.columns).count(name) != 1 for name in columns
    ):
        raise Declined("the targets are no table of treatments, genes and values")
    for name in columns[:2]:
        texts = pd.api.types.infer_dtype(truth[name], skipna=False) == "string"
        if not texts or truth[name].isna().any():
            raise Declined(f"a value of {name!r} is no text")
    if truth["nM_value"].dtype not in (np.float64, np.int64):
        raise Declined("the values of the targets are no numbers")


def compound_gene_scores(
    map_data: Any,
    activity_threshold: float,
    inactivity_threshold: float,
    pert_col: str,
    benchmark_data_dir: Any,
    truth_data: pd.DataFrame | None,
    check_random: bool,
    config: Any,
) -> pd.DataFrame:
    """Return average precision and ROC AUC by dose, and of each gene's largest over the doses."""
    from efaar_benchmarking import benchmarking

    config = config or benchmarking.BenchmarkConfig()
    truth = truth_data
    if truth is None:
        truth = benchmarking.load_truth_data(benchmark_data_dir)
        _of_truth(truth)
    doses = benchmarking.cst.COMPOUND_CONCENTRATIONS
    cosines = _similarities(truth, map_data, pert_col, check_random)
    lists = _lists(truth, cosines, doses, (activity_threshold, inactivity_threshold), config)
    starts = np.concatenate([[0], np.cumsum(lists.lengths())])
    draws = np.random.default_rng(config.random_seed).random(int(starts[-1]))
    real, uniform = np.empty((2, 2, len(lists.compound)))
    for count in np.unique(lists.positives):
        chosen = np.flatnonzero(lists.positives == count)
        length = int(lists.lengths()[chosen[0]])
        real[:, chosen] = _ranked(lists.scores(cosines.values, chosen), int(count))
        places = starts[chosen][:, None] + np.arange(length)
        uniform[:, chosen] = _ranked(draws[places], int(count))
    columns: dict[str, Any] = {"concentration": pd.Series([*doses, "max"], dtype=object)}
    for suffix, values in (("", real), ("_baseline", uniform)):
        rows = [_averages(values[:, lists.dose == k], config) for k in range(len(doses) + 1)]
        columns |= {f"{name}{suffix}": [row[name] for row in rows] for name in rows[0]}
    return pd.DataFrame(columns)


class _Similarities(NamedTuple):
    """What compounds at their doses have in common with genes."""

    compounds: list[Any]
    doses: list[float]
    genes: list[Any]
    values: NDArray[np.floating]
    """(rows of compounds, genes)"""


def _similarities(
    truth: pd.DataFrame, map_data: Any, pert_col: str, check_random: bool
) -> _Similarities:
    """Return absolute cosines to the bit of the original, so that the same scores tie."""
    from efaar_benchmarking import benchmarking

    labels = map_data.metadata[pert_col]
    of_compounds = labels.isin(truth["treatment"].unique())
    of_genes = labels.isin(truth["gene_symbol"].unique())
    if not of_compounds.any() or not of_genes.any():
        raise Declined("no compound, or no gene, of the targets is in the map")
    if labels[of_genes].duplicated().any():
        raise Declined("a gene has several rows")
    if check_random:
        rng = np.random.default_rng(benchmarking.cst.RANDOM_SEED)
        values = rng.uniform(0, 1, size=(int(of_compounds.sum()), int(of_genes.sum())))
    else:
        rows, columns = labels.index[of_compounds], labels.index[of_genes]
        features = map_data.features
        cosine_similarity = plain(benchmarking.cosine_similarity)
        values = np.abs(cosine_similarity(features.loc[rows], features.loc[columns]))
    return _Similarities(
        list(labels[of_compounds]),
        map_data.metadata["concentration"][of_compounds].tolist(),
        list(labels[of_genes]),
        values,
    )


class _Lists(NamedTuple):
    """One list of scores per dose and compound, in the order of the original's draws."""

    dose: Codes
    """(lists,) which dose; one more than all of them for the largest over the doses"""
    compound: Codes
    """(lists,) the compound's place among those that have a list"""
    positives: Codes
    """(lists,) how many genes are active, those that come first"""
    targets: list[Codes]
    """(compounds) places of the active genes, then of the negatives"""
    rows: Codes
    """(compounds, doses) rows of the similarities, -1 where there is none"""

    def lengths(self) -> Codes:
        """Return how many genes each list has."""
        return np.array([len(genes) for genes in self.targets], np.int64)[self.compound]

    def scores(self, values: NDArray[np.floating], chosen: Codes) -> NDArray[np.floating]:
        """Return the scores of some lists, which are of one length."""
        compounds = np.unique(self.compound[chosen])
        genes = np.stack([self.targets[k] for k in compounds])
        rows = self.rows[compounds]
        by_dose = values[rows[:, :, None], genes[:, None, :]]
        by_dose[rows < 0] = -1
        largest = by_dose.max(axis=1, keepdims=True)
        every = np.concatenate([by_dose, largest], axis=1)
        return every[np.searchsorted(compounds, self.compound[chosen]), self.dose[chosen]]


def _lists(
    truth: pd.DataFrame,
    cosines: _Similarities,
    doses: list[float],
    thresholds: tuple[float, float],
    config: Any,
) -> _Lists:
    place = {gene: k for k, gene in enumerate(cosines.genes)}
    rows_of = _rows_by_compound(cosines, doses)
    targets, rows, positives = [], [], []
    for name, genes, count in _drawn(truth, thresholds, config):
        if name not in rows_of:
            continue
        if not all(gene in place for gene in genes):
            raise Declined("a gene of the targets is not in the map")
        targets.append(np.array([place[gene] for gene in genes], np.int64))
        rows.append(rows_of[name])
        positives.append(count)
    if not targets:
        raise Declined("no compound has a list")
    at = np.array(rows)
    there = np.column_stack([at >= 0, np.ones(len(at), bool)])
    dose, compound = np.nonzero(there.T)
    return _Lists(dose, compound, np.array(positives, np.int64)[compound], targets, at)


def _rows_by_compound(cosines: _Similarities, doses: list[float]) -> dict[Any, list[int]]:
    """Return the row at each dose, -1 where there is none."""
    column = {dose: k for k, dose in enumerate(doses)}
    rows: dict[Any, dict[int, int]] = {}
    for row, (name, dose) in enumerate(zip(cosines.compounds, cosines.doses, strict=True)):
        if dose not in column:
            raise Declined(f"{dose!r} is none of the doses")
        mine = rows.setdefault(name, {})
        if column[dose] in mine:
            raise Declined("a compound has several rows at a dose")
        mine[column[dose]] = row
    return {name: [mine.get(k, -1) for k in column.values()] for name, mine in rows.items()}


def _drawn(
    truth: pd.DataFrame, thresholds: tuple[float, float], config: Any
) -> Iterator[tuple[Any, list[Any], int]]:
    """Yield compounds, their active genes and drawn negatives, and how many are active.

    Negatives are places in the order that a set of texts has in this process. The set is made by
    the steps of the original, which its order depends on.
    """
    active, unsure = thresholds
    pool = set(truth["gene_symbol"].unique())
    of_compounds: dict[Any, tuple[dict[Any, None], dict[Any, None]]] = {}
    columns = (truth["treatment"], truth["gene_symbol"], truth["nM_value"].tolist())
    for name, gene, value in zip(*columns, strict=True):
        actives, unclear = of_compounds.setdefault(name, ({}, {}))
        if value <= active:
            actives[gene] = None
        elif value <= unsure:
            unclear[gene] = None
    places: dict[tuple[int, int], list[int]] = {}
    for name, (actives, unclear) in of_compounds.items():
        eligible = list(pool - set(actives) - set(unclear))
        wanted = max(2 * len(actives), config.min_negatives)
        if not actives or len(eligible) < wanted:
            continue
        kind = len(eligible), wanted
        if kind not in places:
            rng = np.random.default_rng(config.random_seed)
            places[kind] = rng.choice(*kind, replace=False).tolist()
        yield name, [*actives, *(eligible[k] for k in places[kind])], len(actives)


def _ranked(scores: NDArray[np.floating], positives: int) -> Floats:
    """Return average precision and ROC AUC (2, lists) of lists whose first scores are positive."""
    from efaar_benchmarking import benchmarking

    length = scores.shape[1]
    order = np.argsort(-scores, axis=1)
    hit = order < positives
    rank, found = np.arange(1, length + 1), hit.cumsum(axis=1)
    precision = (found / rank * hit).sum(axis=1) / positives
    above = ((rank - found) * hit).sum(axis=1)
    auc = 1 - above / (positives * (length - positives))
    in_order = np.take_along_axis(scores, order, axis=1)
    # The original's own rule of ties.
    for k in np.flatnonzero((in_order[:, 1:] == in_order[:, :-1]).any(axis=1)):
        labels = (np.arange(length) < positives).astype(int)
        precision[k], auc[k] = benchmarking.compute_ap_auc(scores[k], labels)
    return np.stack([precision, auc])


def _averages(values: Floats, config: Any) -> dict[str, float]:
    """Return what the original has of a dose, which is a fixed row where no compound has a list."""
    any_list = values.shape[1] > 0
    precision, auc = values.mean(axis=1) if any_list else (0.0, 0.5)
    row = {"average_precision": precision, "auc_roc": auc}
    for q in config.quantiles or ():
        row[f"ap_quantile_{q}"] = np.quantile(values[0], q) if any_list else 0.0
    return row
