"""What is looked at rather than scored: a map's complexes, the map itself, what batches left."""

import math

import pandas as pd

from wellgram.backends.protocol import Progress
from wellgram.errors import InputError
from wellgram.metrics.batch_effects_panel import batch_effects, shared_wells
from wellgram.metrics.projection import pca_projection
from wellgram.metrics.set_similarity import gene_set_similarity, gene_sets_of_pairs
from wellgram.suite.contract import Benchmark, Figure, Part, Task
from wellgram.wells import PerturbationMap

_FEW = 3
"""Features below which directions say nothing: a single number scored as an embedding has two"""


def _sets_missing(task: Task) -> str | None:
    if not (task.gene_sets or task.sources):
        return "no gene sets or known pairs given"
    return _too_few(task)


def _sets(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    gene_sets = task.gene_sets or gene_sets_of_pairs(task.sources, map_.labels["perturbation"])
    result = gene_set_similarity(map_, gene_sets, null=task.null, backend=task.backend)
    table = result.table
    rows = [
        (row["gene_set"], f"{row['n_genes']:,}", f"{row['within']:.3f}", _number(row["between"]))
        for row in table.sort_values("within", ascending=False).to_dict("records")
    ]
    origin = "given" if task.gene_sets else "what known pairs hang together in"
    more = f" {result.left_out:,} more are not shown." if result.left_out else ""
    return Part(
        result,
        f"The largest gene sets of 3 to 20 members ({origin}), and the cosines of all their "
        f"members.{more}",
        table,
        ("gene set", "genes", "mean cosine within", "with the others shown"),
        rows,
        {"gene_set_similarity": table},
        {
            "gene_set_similarity": Figure(
                result.plot,
                "Cosine of every two members of these gene sets. Rows are ordered by average "
                "linkage of 1 - cosine, which does not know the sets (the tree, left); the "
                "strip of colours says which set a row is of. Sets that the map holds "
                "together are one colour and a red square.",
                wide=True,
            )
        },
    )


def _projection_missing(task: Task) -> str | None:
    return _too_few(task)


def _projection(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    result = pca_projection(map_, backend=task.backend)
    table, color, said = result.table, None, ""
    if "perturbation_type" in table and len(table["perturbation_type"].unique()) > 1:
        color, said = "perturbation_type", " Colours: the type of perturbation."
    records = pd.DataFrame({"axis": [1, 2], "variance_share": result.explained})
    return Part(
        result,
        "The two directions in which the map's rows, each scaled to length 1, differ most. What "
        "two axes of many show is little: near in the figure need not be near in the map.",
        records,
        ("axis", "share of variance"),
        [(str(k + 1), f"{share:.1%}") for k, share in enumerate(result.explained)],
        {"projection": table},
        {
            "projection": Figure(
                lambda: result.plot(color=color),
                f"Every row of the map by its two principal components.{said}",
                wide=True,
            )
        },
    )


def _batches_missing(task: Task) -> str | None:
    few = _too_few(task)
    if few is not None:
        return few
    try:
        shared_wells(task.wells)
    except InputError as problem:
        return str(problem)
    return task.too_large()


def _batches(task: Task, map_: PerturbationMap, progress: Progress) -> Part:
    aligned = None if task.align is None else task.aligned
    result = batch_effects(task.wells, aligned, seed=task.seed, backend=task.backend)
    rows = [
        (row["measure"], _number(row["raw"]), _number(row["aligned"]), row["best"],
         _number(row["chance"]))
        for row in result.table.to_dict("records")
    ]  # fmt: skip
    return Part(
        result,
        f"Of {result.wells:,} treated wells in {result.batches:,} batches, whose perturbations are "
        "in two batches at least. Batches are told by linear discriminants on half of the wells, "
        "tested on the others. The margin is the mean cosine of wells of one perturbation in "
        "different batches, less that of different perturbations in one batch. kBET, iLISI and "
        "silhouettes are scib-metrics', 1 where batches mix.",
        result.table,
        ("measure", "raw", "aligned", "better", "chance"),
        rows,
        {"batch_effects": result.table},
        {
            "batch_effects": Figure(
                result.plot,
                "What is left of batches in single wells, before (open) and after (filled) the "
                "alignment. Upright bar: chance.",
            )
        },
    )


def _too_few(task: Task) -> str | None:
    return f"{task.wells.features} features are too few" if task.wells.features < _FEW else None


def _number(value: float) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.3f}"


VIEWS = (
    Benchmark(
        "gene-set-similarity",
        "Similarity within gene sets",
        "similarity within gene sets",
        _sets_missing,
        _sets,
    ),
    Benchmark("projection", "The map", "projection", _projection_missing, _projection),
    Benchmark("batch-effects", "Batch effects", "batch effects", _batches_missing, _batches),
)
