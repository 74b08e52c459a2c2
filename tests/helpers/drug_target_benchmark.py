"""The drug-target benchmark that efaar_benchmarking has had since its release, stated plainly.

No release has it. This is written from what is published of it, and copies nothing: the functions,
parameters and fields that scripts use have its names. Scores of genes are left out.
"""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

DOSES = [0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0]
SEED = 42

AverageType = Enum("AverageType", {"MICRO": "micro", "MACRO": "macro"})
AggregateBy = Enum("AggregateBy", {"COMPOUND": "compound", "GENE": "gene"})


@dataclass
class BenchmarkConfig:
    """The options."""

    average_type: AverageType = AverageType.MACRO
    aggregate_by: AggregateBy = AggregateBy.COMPOUND
    min_negatives: int = 20
    n_baseline_sims: int = 100
    random_seed: int = SEED
    quantiles: list | None = None


def restate(monkeypatch, benchmarking):
    """Give the module of the release what it has had since."""
    for name in (
        *("AverageType", "AggregateBy", "BenchmarkConfig", "load_truth_data", "compute_ap_auc"),
        *("compute_baseline_predictions", "compound_gene_benchmark"),
    ):
        monkeypatch.setattr(benchmarking, name, globals()[name], raising=False)
    monkeypatch.setattr(benchmarking.cst, "COMPOUND_CONCENTRATIONS", DOSES, raising=False)
    monkeypatch.setattr(benchmarking.cst, "RANDOM_SEED", SEED)


def load_truth_data(benchmark_data_dir):
    """Read the known targets."""
    return pd.read_csv(Path(benchmark_data_dir) / "compound_gene_interactions.csv")


def compute_ap_auc(scores, labels):
    """Return average precision and ROC AUC."""
    return average_precision_score(labels, scores), roc_auc_score(labels, scores)


def compute_baseline_predictions(predictions, config):
    """Return uniform scores for the same labels, drawn one list after another."""
    draws = np.random.default_rng(config.random_seed)
    return {
        dose: [(draws.random(len(labels)), labels) for _, labels in lists]
        for dose, lists in predictions.items()
    }


def compound_gene_benchmark(
    map_data,
    activity_threshold=1000,
    inactivity_threshold=10000,
    pert_col="perturbation",
    benchmark_data_dir="",
    truth_data=None,
    check_random=False,
    config=None,
):
    """Return how well cosines find the targets of compounds, by dose."""
    config = config or BenchmarkConfig()
    truth = load_truth_data(benchmark_data_dir) if truth_data is None else truth_data
    scores = _scores(map_data, pert_col, truth, check_random)
    every = set(truth["gene_symbol"].unique())
    predictions = {dose: [] for dose in [*DOSES, "max"]}
    present = set(scores.index.get_level_values(0))
    for compound in truth["treatment"].unique():
        if compound not in present:
            continue
        known = truth[truth["treatment"] == compound]
        value, gene = known["nM_value"], known["gene_symbol"]
        actives = list(gene[value <= activity_threshold].unique())
        unsure = set(gene[(value > activity_threshold) & (value <= inactivity_threshold)])
        others = list(every - set(actives) - unsure)
        wanted = max(2 * len(actives), config.min_negatives)
        if not actives or len(others) < wanted:
            continue
        drawn = np.random.default_rng(config.random_seed).choice(others, wanted, replace=False)
        labels = np.repeat([1, 0], [len(actives), wanted])
        rows = scores[scores.index.get_level_values(0) == compound][[*actives, *drawn]]
        for (_, dose), row in zip(rows.index, rows.to_numpy(), strict=True):
            predictions[dose].append((row, labels))
        predictions["max"].append((rows.to_numpy().max(axis=0), labels))
    found, baseline = (
        _averages(lists, config)
        for lists in (predictions, compute_baseline_predictions(predictions, config))
    )
    return found.merge(baseline, on="concentration", suffixes=("", "_baseline"))


def _scores(map_data, pert_col, truth, check_random):
    labels = map_data.metadata[pert_col]
    of_compounds = labels.isin(truth["treatment"].unique())
    of_genes = labels.isin(truth["gene_symbol"].unique())
    index = pd.MultiIndex.from_arrays(
        [labels[of_compounds], map_data.metadata["concentration"][of_compounds]]
    )
    genes = labels[of_genes].tolist()
    if check_random:
        values = np.random.default_rng(SEED).uniform(0, 1, (len(index), len(genes)))
    else:
        rows = (map_data.features.loc[labels.index[chosen]] for chosen in (of_compounds, of_genes))
        values = abs(cosine_similarity(*rows))
    return pd.DataFrame(values, index, genes)


def _averages(predictions, config):
    table = {}
    for dose, lists in predictions.items():
        precision, auc = np.transpose([compute_ap_auc(*each) for each in lists] or [(0.0, 0.5)])
        table[dose] = {"average_precision": precision.mean(), "auc_roc": auc.mean()}
        for q in config.quantiles or ():
            table[dose][f"ap_quantile_{q}"] = np.quantile(precision, q)
    return pd.DataFrame.from_dict(table, "index").rename_axis("concentration").reset_index()
