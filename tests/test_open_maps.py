"""Maps on disk go wherever maps in memory do, and passes over pairs never read them whole."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from helpers.maps_and_wells import map_of, shuffled
from wellgram.io.map_files import MapFile
from wellgram.simulate import rxrx3_core

CLUSTERS = {f"complex {k}": [f"G{i}" for i in range(8 * k, 8 * k + 8)] for k in range(4)}
KNOWN = {
    "known": pd.DataFrame(
        [(a, b) for genes in CLUSTERS.values() for a in genes for b in genes],
        columns=["entity1", "entity2"],
    )
}
ARMS = pd.DataFrame(
    {"gene": [f"G{i}" for i in range(60)], "chromosome_arm": np.repeat(["1p", "1q", "2p"], 20)}
)


def numbers(map_):
    return map_.labels[["perturbation_type", "perturbation", "dose"]].assign(
        cells=np.arange(float(len(map_.labels)))
    )


PASSES = {
    "recall": lambda m: wg.relationship_recall(m, KNOWN).table,
    "recall of all rows": lambda m: wg.relationship_recall(m, same=["moa"], null="all").table,
    "matched recall": lambda m: wg.matched_recall(m, numbers(m), KNOWN, resamples=5),
    "proximity bias": lambda m: wg.proximity_bias(m, ARMS).table,
    "complexes": lambda m: wg.gene_set_similarity(m, CLUSTERS).cosines,
    "quantiles": lambda m: pd.DataFrame(wg.pair_quantiles(m, [0.1, 0.9]).cosines),
    "cosines": lambda m: pd.DataFrame(wg.cosine_matrix(m, rows=[3, 1], columns=slice(5))),
}
WHOLE = {
    "clusters": lambda m: wg.gene_set_separation(m, CLUSTERS, min_genes=3),
    "projection": lambda m: wg.pca_projection(m).table,
    "agreement": lambda m: wg.replicate_agreement(m, m).table,
    "comparison": lambda m: wg.compare_recall(m, m, KNOWN, resamples=5).table,
    "average precision": lambda m: (
        wg.average_precision(m, pos_sameby="moa", neg_diffby="moa").table
    ),
}


@pytest.fixture
def map_(rng):
    x = rng.normal(size=(80, 16)).astype(np.float32)
    map_ = map_of(
        x,
        [*ARMS["gene"], *(f"C{i}" for i in range(20))],
        perturbation_type=np.repeat(["CRISPR", "COMPOUND"], [60, 20]),
        dose=[np.nan] * 60 + [1.0] * 20,
        moa=[f"m{i % 9}" for i in range(80)],
    )
    return shuffled(rng, map_)  # so that genes lie among compounds


@pytest.fixture
def opened(map_, tmp_path, monkeypatch):
    monkeypatch.setattr("wellgram.io.parquet._GROUP_BYTES", 17 * 16 * 4)
    wg.write_map(map_, tmp_path / "map.parquet")
    return wg.open_map(tmp_path / "map.parquet")


@pytest.mark.parametrize("run", PASSES.values(), ids=PASSES)
def test_passes_read_ranges_of_rows(map_, opened, run, monkeypatch):
    monkeypatch.setattr("wellgram.pairs.tiling.TILE_ROWS", 16)
    monkeypatch.setattr("wellgram.pairs.unit_rows._CHUNK_BYTES", 1)
    monkeypatch.setattr(MapFile, "embeddings", property(lambda self: pytest.fail("read whole")))
    pd.testing.assert_frame_equal(run(opened), run(map_))


@pytest.mark.parametrize("run", WHOLE.values(), ids=WHOLE)
def test_the_others_read_all_rows(map_, opened, run):
    pd.testing.assert_frame_equal(run(opened), run(map_))


def test_drug_targets(tmp_path):
    screen = rxrx3_core(scale=0.1, seed=3, features=24)
    map_ = wg.build_map(screen.wells(), wg.CenterScale())
    wg.write_map(map_, tmp_path / "map.parquet")
    found, again = (
        wg.drug_targets(m, screen.compound_targets).table
        for m in (wg.open_map(tmp_path / "map.parquet"), map_)
    )
    pd.testing.assert_frame_equal(found, again)
