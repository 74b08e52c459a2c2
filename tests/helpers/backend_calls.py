"""A call of every public function and class that takes ``backend=``, on little that is given."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

import wellgram as wg
from helpers.class_wells import toy
from wellgram.backends import get_backend
from wellgram.backends.consumers import CountBelow
from wellgram.metrics import legacy
from wellgram.nulls import mean_cosine_nulls
from wellgram.pairs import nearest_outside, neighbors_across
from wellgram.probes import Logistic

GENES = [f"g{k:02d}" for k in range(30)]
COMPOUNDS = [f"c{k}" for k in range(6)]


def given():
    """Wells, maps and known relationships, and results that others are made of."""
    rng = np.random.default_rng(4)
    wells = toy(
        batches=4,
        classes=6,
        repeats=4,
        guide=lambda batch, code: [f"p{c}-{k % 2}" for k, c in enumerate(code)],
        moa=lambda batch, code: [f"m{c % 2}" for c in code],
        cells=lambda batch, code: rng.integers(50, 200, len(code)).astype(float),
    )
    first, second = (a_map(rng) for _ in range(2))
    targets = pd.DataFrame(
        [(c, g, rng.choice([10.0, 20_000.0])) for c in COMPOUNDS for g in GENES],
        columns=["treatment", "gene_symbol", "nM_value"],
    )
    targets = targets[(targets["nM_value"] > 1000) | (targets.index % 5 == 0)]
    pairs = pd.DataFrame({"entity1": GENES[:10], "entity2": GENES[10:20]})
    arms = pd.DataFrame({"gene": GENES, "chromosome_arm": ["1p", "1q", "2p"] * 10})
    rules = {"pos_sameby": "perturbation", "neg_diffby": "perturbation"}
    codes = np.arange(len(wells)) % 6
    return SimpleNamespace(
        wells=wells,
        first=first,
        second=second,
        targets=targets,
        sources={"known": pairs},
        arms=arms,
        gene_sets={"one": GENES[:12], "other": GENES[12:24], "small": GENES[:5]},
        numbers=pd.DataFrame({"perturbation": [*GENES, *COMPOUNDS], "cells": range(36)}),
        rules=rules,
        precisions=wg.average_precision(wells, **rules),
        benchmark=wg.drug_targets(first, targets, min_negatives=2, draws=2),
        unit=get_backend().unit_rows(wells.embeddings)[0],
        codes=codes,
    )


def a_map(rng):
    labels = pd.DataFrame(
        {
            "perturbation": [*GENES, *COMPOUNDS],
            "perturbation_type": ["CRISPR"] * len(GENES) + ["COMPOUND"] * len(COMPOUNDS),
        }
    )
    return wg.PerturbationMap(rng.normal(size=(len(labels), 8)), labels)


CALLS = {
    "average_precision": lambda x, b: wg.average_precision(x.wells, backend=b, **x.rules),
    "batch_effects": lambda x, b: wg.batch_effects(x.wells, sample=60, backend=b),
    "batch_study": lambda x, b: wg.batch_study(
        x.wells, ["none", "center-scale"], sources={"known": known_of_wells()}, backend=b
    ),
    "build_map": lambda x, b: wg.build_map(x.wells, wg.TVN(min_controls=2), backend=b),
    "compare_drug_targets": lambda x, b: wg.compare_drug_targets(
        x.benchmark, x.benchmark, backend=b
    ),
    "compare_recall": lambda x, b: wg.compare_recall(
        x.first, x.second, x.sources, resamples=20, backend=b
    ),
    "consistency": lambda x, b: [
        wg.consistency(x.wells, wg.CenterScale(), null=null, measure=measure, draws=20, backend=b)
        for null in ("permutation", "batches")
        for measure in ("cosine", "angle")
    ],
    "cosine_matrix": lambda x, b: [
        wg.cosine_matrix(x.first, rows=rows, backend=b) for rows in (None, [3, 1])
    ],
    "drug_targets": lambda x, b: wg.drug_targets(
        x.first, x.targets, min_negatives=2, draws=2, backend=b
    ),
    "gene_set_separation": lambda x, b: wg.gene_set_separation(x.first, x.gene_sets, backend=b),
    "gene_set_similarity": lambda x, b: wg.gene_set_similarity(x.first, x.gene_sets, backend=b),
    "guide_agreement": lambda x, b: wg.guide_agreement(x.wells, "guide", draws=20, backend=b),
    "linear_probe": lambda x, b: [
        wg.linear_probe(x.wells, wg.CenterScale(), method=method, folds=2, backend=b)
        for method in ("logistic", "ridge", "lda")
    ],
    "Logistic": lambda x, b: Logistic(x.wells.embeddings, x.codes, 6, backend=b).fit(1.0),
    "grit": lambda x, b: legacy.grit(x.wells, group="moa", controls="p0", backend=b),
    "hit_at_k": lambda x, b: legacy.hit_at_k(x.wells, backend=b),
    "energy_distances": lambda x, b: wg.energy_distances(x.wells, backend=b),
    "enrichment_above": lambda x, b: legacy.enrichment_above(x.wells, backend=b),
    "mp_value": lambda x, b: legacy.mp_value(x.wells, controls="p0", draws=9, backend=b),
    "precision_recall": lambda x, b: legacy.precision_recall(x.wells, backend=b),
    "replicate_reproducibility": lambda x, b: legacy.replicate_reproducibility(x.wells, backend=b),
    "magnitude": lambda x, b: wg.magnitude(x.wells, max_controls=9, draws=20, backend=b),
    "map_from_wells": lambda x, b: wg.map_from_wells(x.wells, backend=b),
    "MapLookup": lambda x, b: wg.MapLookup(x.first, backend=b).neighbors_of("g03"),
    "match_wells": lambda x, b: wg.match_wells(
        x.wells, "cells", wg.CenterScale(), bins=2, backend=b
    ),
    "matched_recall": lambda x, b: wg.matched_recall(
        x.first, x.numbers, x.sources, bins=2, resamples=20, backend=b
    ),
    "mean_average_precision": lambda x, b: wg.mean_average_precision(
        x.precisions, null_size=50, backend=b
    ),
    "mean_cosine_nulls": lambda x, b: [
        mean_cosine_nulls(x.unit, [2, 5], 20, nested=nested, backend=b) for nested in (False, True)
    ],
    "mechanism_accuracy": lambda x, b: wg.mechanism_accuracy(
        x.wells, label="moa", matching="not-same-compound-and-batch", backend=b
    ),
    "nearest_outside": lambda x, b: nearest_outside(x.wells.embeddings, [x.codes], backend=b),
    "neighbor_accuracy": lambda x, b: wg.neighbor_accuracy(x.wells, backend=b),
    "neighbor_graph": lambda x, b: wg.neighbor_graph(x.wells, 3, backend=b),
    "neighbors": lambda x, b: wg.neighbors(x.first, 3, other=x.second, backend=b),
    "neighbors_across": lambda x, b: neighbors_across(x.wells.embeddings, x.codes, backend=b),
    "neighbors_of": lambda x, b: wg.neighbors_of(x.first, "g03", backend=b),
    "pair_histogram": lambda x, b: wg.pair_histogram(x.first, backend=b),
    "pair_quantiles": lambda x, b: wg.pair_quantiles(x.first, [0.1, 0.9], backend=b),
    "pair_ranks": lambda x, b: wg.pair_ranks(x.first, [0, 1], [2, 3], backend=b),
    "pca_projection": lambda x, b: wg.pca_projection(x.first, backend=b),
    "proximity_bias": lambda x, b: wg.proximity_bias(x.first, x.arms, backend=b),
    "relationship_recall": lambda x, b: wg.relationship_recall(
        x.first, x.sources, resamples=20, backend=b
    ),
    "replicate_agreement": lambda x, b: wg.replicate_agreement(x.first, x.second, backend=b),
    "retrieval": lambda x, b: wg.retrieval(x.first, x.second, backend=b),
    "scan_pairs": lambda x, b: wg.scan_pairs(x.first, [CountBelow((0.0,))], backend=b),
    "score": lambda x, b: wg.score(x.wells, wg.CenterScale(), backend=b),
    "search_blocks": lambda x, b: wg.search_blocks(
        {"one": x.wells, "two": x.wells}, method="lda", metrics=["consistency"], backend=b
    ),
}
"""By the name of what is called: given what `given` returns, and the name of a backend"""


def known_of_wells():
    return pd.DataFrame({"entity1": ["p1"], "entity2": ["p2"]})
