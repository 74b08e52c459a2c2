"""The benchmarks of a screen: what each needs, how it is run, and what it says of it."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Progress
from wellgram.metrics import (
    average_precision,
    consistency,
    drug_targets,
    gene_set_separation,
    known_pairs,
    magnitude,
    mean_average_precision,
    relationship_recall,
)
from wellgram.metrics.bootstrap import item_bootstrap
from wellgram.metrics.target_lists import check_targets
from wellgram.plots import plot_doses, plot_null, plot_p_values, plot_recall, plot_volcano
from wellgram.suite.contract import Benchmark, Figure, Headline, Part, Task
from wellgram.suite.views import VIEWS
from wellgram.wells import KEYS, PerturbationMap

RESAMPLES = 1000
"""How often genes, compounds or perturbations are resampled for an interval"""
_MOST_ROWS = 20
"""How many rows of a table a report shows"""


def _recall_missing(task: Task) -> str | None:
    if not (task.sources or task.same):
        return "no known pairs given"
    known_pairs(task.labels, task.sources, same=task.same, null=task.null)
    return None


def _recall(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    result = relationship_recall(
        map_,
        task.sources,
        same=task.same,
        null=task.null,
        resamples=RESAMPLES,
        seed=task.seed,
        backend=task.backend,
        progress=progress,
    )
    known = {name: pairs["cosine"].to_numpy() for name, pairs in result.known.items()}
    rows = [
        (
            row["source"],
            f"{row['n_known_pairs']:,}",
            f"{row['tail_low']:g} / {row['tail_high']:g}",
            f"{row['n_recalled']:,}",
            f"{row['recall']:.4f}",
            interval_words(row),
            f"{row['chance']:.2f}",
        )
        for row in result.table.to_dict("records")
    ]
    return Part(
        result,
        f"A known pair is recalled when its cosine lies in a tail of the null: {result.null}. "
        "Intervals are bootstrapped over genes, which pairs share.",
        result.table,
        ("source", "pairs", "tails", "recalled", "recall", "95 %", "chance"),
        rows,
        {"recall": result.table},
        {
            "recall": Figure(
                lambda: plot_recall(result),
                "Share of known pairs whose cosine lies in the tails of the null, per source and "
                "pair of tails, with 95 % intervals over resampled genes. Dashed: what a map "
                "without signal recalls.",
            ),
            "null": Figure(
                lambda: plot_null(result.null_histogram, known),
                "Cosine similarity of all pairs of the null (filled), and of the known pairs of "
                "each source (lines), each as a density. Signal is what a line has beyond the "
                "filled shape, to either side.",
            ),
        },
        _recall_headline(result.table),
    )


def _recall_headline(table: pd.DataFrame) -> Headline:
    best = table[table["n_known_pairs"] > 0].iloc[0]
    return Headline(
        "known pairs recalled",
        f"{best['recall']:.1%}",
        interval_words(best, percent=True),
        f"{best['source']}, tails {best['tail_low']:g} / {best['tail_high']:g}; "
        f"chance {best['chance']:.0%}",
    )


def _targets_missing(task: Task) -> str | None:
    if task.targets is None:
        return "no table of compounds and their targets given"
    check_targets(task.targets)
    return None


def _targets(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    assert task.targets is not None
    result = drug_targets(
        map_, task.targets, seed=task.seed, resamples=RESAMPLES, backend=task.backend
    )
    column = task.wells.origin.get("dose")
    dose = "dose" if column is None else f"dose, in the unit of column {column!r}"
    rows = [
        (
            _dose_words(row["concentration"]),
            f"{row['n_items']:,}",
            f"{row['average_precision']:.4f}",
            interval_words(row),
            f"{row['chance']:.4f}",
            f"{row['auc_roc']:.4f}",
        )
        for row in result.table.to_dict("records")
    ]
    absent = " and ".join(f"{count:,} {kind}s" for kind, count in result.absent.items() if count)
    return Part(
        result,
        "Genes are ranked by the absolute cosine of their knock-out with each compound; average "
        "precision over compounds, 100 draws of negatives. Intervals are bootstrapped over "
        f"compounds. Skipped: {len(result.skipped):,} compounds; of the table, not in the map: "
        f"{absent or 'nothing'}.",
        result.table,
        ("concentration", "compounds", "average precision", "95 %", "chance", "AUC"),
        rows,
        {"drug_targets": result.table, "drug_target_compounds": result.items},
        {
            "drug_targets": Figure(
                lambda: plot_doses(result, dose=dose),
                "Average precision of finding a compound's targets, mean over compounds, against "
                "dose, with 95 % intervals over resampled compounds; max: by the largest "
                "similarity over doses. Dashed: chance. Band: random scores, two standard "
                "deviations over draws of negatives.",
            )
        },
        _targets_headline(result.table),
    )


def _targets_headline(table: pd.DataFrame) -> Headline:
    best = table.iloc[-1]
    return Headline(
        "average precision of drug targets",
        f"{best['average_precision']:.3f}",
        interval_words(best),
        f"largest similarity over doses; chance {best['chance']:.3f}",
    )


def _sets_missing(task: Task) -> str | None:
    return None if task.gene_sets else "no gene sets given"


def _sets(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    assert task.gene_sets is not None
    table = gene_set_separation(
        map_, task.gene_sets, null=task.null, backend=task.backend, progress=progress
    )
    found = table["q_value"] <= 0.05
    apart = table["within_mean"] - table["between_mean"]
    records = pd.DataFrame(
        [
            {
                "n_gene_sets": len(table),
                **_shares("significant", found.to_numpy(), task),
                **_means("separation", apart.to_numpy(), task),
            }
        ]
    )
    best = table.assign(apart=apart).sort_values("apart", ascending=False).head(_MOST_ROWS)
    rows = [
        (row["gene_set"], f"{row['n_genes']:,}", f"{row['within_mean']:.3f}",
         f"{row['between_mean']:.3f}", f"{row['q_value']:.2g}")
        for row in best.to_dict("records")
    ]  # fmt: skip
    return Part(
        table,
        f"{int(found.sum()):,} of {len(table):,} gene sets have cosines of their own, by the "
        "Kolmogorov-Smirnov test at a false discovery rate of 5 % (which takes pairs for "
        "independent); those that lie furthest apart from the rest:",
        records,
        ("gene set", "genes", "mean cosine within", "with the rest", "q-value"),
        rows,
        {"gene_set_separation": table.assign(genes=table["genes"].map(" ".join))},
        {},
    )


def _consistency_missing(task: Task) -> str | None:
    if task.labels["n_wells"].max() < 2:
        return "no perturbation has two wells"
    return task.too_large()


def _consistency(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    result = consistency(
        task.aligned, nested=True, seed=task.seed, backend=task.backend, progress=progress
    )
    return _replicates(
        task, result, "mean_cosine", "consistency",
        "The mean cosine of all pairs of a perturbation's wells",
    )  # fmt: skip


def _magnitude_missing(task: Task) -> str | None:
    if not task.wells.metadata["is_control"].any():
        return "there are no control wells"
    if task.labels["n_wells"].max() < 5:
        return "no perturbation has five wells"
    return task.too_large()


def _magnitude(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    result = magnitude(task.aligned, seed=task.seed, backend=task.backend, progress=progress)
    return _replicates(
        task, result, "energy_distance", "magnitude",
        "The energy distance of a perturbation's wells from up to 1,000 controls",
    )  # fmt: skip


def _precision_missing(task: Task) -> str | None:
    metadata = task.wells.metadata
    treated = metadata["in_map"] & ~metadata["is_control"]
    if treated.all() or not metadata["is_control"].any():
        return "there are no control wells"
    keys = [key for key in KEYS if key in metadata]
    if not metadata.loc[treated, keys].duplicated().any():
        return "no perturbation has two wells"
    return task.too_large()


def _precision(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    metadata = task.aligned.metadata
    ap = average_precision(
        task.aligned,
        pos_sameby=[key for key in KEYS if key in metadata],
        neg_sameby="batch" if "batch" in metadata else (),
        neg_diffby="is_control",
        scored=(metadata["in_map"] & ~metadata["is_control"]).to_numpy(bool),
        backend=task.backend,
        progress=lambda share: progress(share / 2),
    )
    result = mean_average_precision(
        ap, seed=task.seed, backend=task.backend, progress=lambda share: progress((1 + share) / 2)
    )
    within = " of its batch" if "batch" in metadata else ""
    return _replicates(
        task, result, "mean_average_precision", "average_precision",
        f"How well each well finds the other wells of its perturbation before the controls{within}",
    )  # fmt: skip


BENCHMARKS = (
    Benchmark(
        "recall",
        "Recall of known relationships",
        "recall of known relationships",
        _recall_missing,
        _recall,
    ),
    Benchmark("drug-targets", "Drug targets", "drug targets", _targets_missing, _targets),
    Benchmark(
        "gene-set-separation",
        "Separation of gene sets",
        "separation of gene sets",
        _sets_missing,
        _sets,
    ),
    Benchmark(
        "consistency", "Replicate consistency", "consistency", _consistency_missing, _consistency
    ),
    Benchmark("magnitude", "Magnitude", "magnitude", _magnitude_missing, _magnitude),
    Benchmark(
        "average-precision",
        "Average precision of replicates",
        "average precision",
        _precision_missing,
        _precision,
    ),
    *VIEWS,
)


def interval_words(
    row: "Mapping[Hashable, Any] | pd.Series[Any]", prefix: str = "", *, percent: bool = False
) -> str:
    """Return the interval of a row of a table, where it has one."""
    low, high = (row.get(f"{prefix}ci_{end}", math.nan) for end in ("low", "high"))
    if math.isnan(low):
        return "-"
    return f"{low:.1%}-{high:.1%}" if percent else f"{low:.3f}-{high:.3f}"


def _dose_words(dose: float | str) -> str:
    return dose if isinstance(dose, str) else f"{dose:g}"


def _replicates(task: Task, result: Any, score: str, name: str, what: str) -> Part:
    """Return what a score of each perturbation comes to, by type where there are several."""
    table: pd.DataFrame = result.table
    rate = "q_value"
    kinds = [("all", table)]
    if "perturbation_type" in table and len(table["perturbation_type"].unique()) > 1:
        kinds += [(str(kind), part) for kind, part in table.groupby("perturbation_type")]
    records: list[dict[Hashable, Any]] = []
    for kind, rows in kinds:
        tested = rows[rows[rate].notna()]
        records.append(
            {
                "perturbations": kind,
                "n_tested": len(tested),
                **_means(score, tested[score].to_numpy(), task),
                "null_mean": tested["null_mean"].mean() if len(tested) else np.nan,
                **_shares("significant", (tested[rate] <= 0.05).to_numpy(), task),
            }
        )
    shown = [
        (
            row["perturbations"],
            f"{row['n_tested']:,}",
            f"{row[score]:.4f}",
            interval_words(row, f"{score}_"),
            f"{row['null_mean']:.4f}",
            f"{row['n_significant']:,} ({row['significant_share']:.1%})"
            if row["n_tested"]
            else "-",
            interval_words(row, "significant_share_"),
        )
        for row in records
    ]
    null = f", against {result.null}" if hasattr(result, "null") else ""
    whole = records[0]
    said = score.replace("_", " ")
    return Part(
        result,
        f"{what}{null}. Found: at a false discovery rate of 5 %. Intervals are bootstrapped over "
        "perturbations.",
        pd.DataFrame(records),
        ("perturbations", "tested", "mean", "95 %", "null", "found", "95 %"),
        shown,
        {name: table},
        {
            name: Figure(
                lambda: plot_volcano(result, score),
                f"Every perturbation by its {said} and the p-value of that; up is less likely by "
                "chance. Coloured: found at a false discovery rate of 5 % (Benjamini-Hochberg).",
            ),
            f"{name}_p_values": Figure(
                lambda: plot_p_values(table["p_value"].to_numpy()),
                "p-values of the same perturbations. Chance alone would spread them evenly "
                "(dashed); what is more on the left is found.",
            ),
        },
        Headline(
            f"found by {name.replace('_', ' ')}",
            f"{whole['significant_share']:.1%}" if whole["n_tested"] else "-",
            interval_words(whole, "significant_share_", percent=True),
            f"{whole['n_significant']:,} of {whole['n_tested']:,} perturbations, "
            "false discovery rate 5 %",
        ),
    )  # fmt: skip


def _means(name: str, scores: "np.ndarray[Any, Any]", task: Task) -> dict[Hashable, Any]:
    low, high = item_bootstrap(scores, resamples=RESAMPLES, seed=task.seed)
    mean = float(scores.mean()) if len(scores) else np.nan
    return {name: mean, f"{name}_ci_low": low, f"{name}_ci_high": high}


def _shares(name: str, hits: "np.ndarray[Any, Any]", task: Task) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = {f"n_{name}": int(hits.sum())}
    return found | _means(f"{name}_share", hits.astype(np.float64), task)
