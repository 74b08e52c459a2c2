"""Recall against efaar_benchmarking: on its five sources, and end to end after TVN."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import map_of
from wellgram import TVN, build_map, relationship_recall, relationship_sources
from wellgram.simulate import rxrx3_core

pytestmark = pytest.mark.filterwarnings("ignore")


def theirs(benchmarks, map_, **options):
    from sklearn.utils import Bunch

    bunch = Bunch(
        features=pd.DataFrame(map_.embeddings.astype(np.float64)), metadata=map_.labels.copy()
    )
    return benchmarks.known_relationship_benchmark(bunch, "perturbation", **options)


def compare(ours, peer, recall_tolerance):
    """Counts exactly; recalls to a tolerance, per source and pair of tails."""
    for _, row in peer.iterrows():
        mine = ours.table[ours.table["source"] == row["source"]].set_index(
            ["tail_low", "tail_high"]
        )
        assert (mine["n_null_pairs"] == row["null_distribution_size"]).all()
        assert (mine["n_known_pairs"] == row["query_distribution_size"]).all()
        for low, high in mine.index:
            difference = abs(mine.loc[(low, high), "recall"] - row[f"recall_{low}_{high}"])
            assert difference <= recall_tolerance


@pytest.fixture(scope="module")
def annotated_map():
    """400 real gene names on random vectors with shared directions, so that recall is no chance."""
    sources = relationship_sources("efaar")
    genes = pd.concat([pairs["entity1"] for pairs in sources.values()]).value_counts()
    labels = sorted(genes.index[:400])
    rng = np.random.default_rng(3)
    shared = rng.normal(size=(60, 96))
    x = rng.normal(size=(400, 96)) + 1.5 * shared[rng.integers(0, 60, 400)]
    return map_of(x, labels)


@pytest.fixture(scope="module")
def annotated_peer(efaar_benchmarks, annotated_map):
    return theirs(efaar_benchmarks, annotated_map)


# In float32 a cosine within rounding of a threshold may fall either way, hence 1e-4.
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 0), ("float32", 1e-4)])
def test_recall_of_the_five_sources_equals_efaar(
    annotated_map, annotated_peer, precision, tolerance
):
    ours = relationship_recall(annotated_map, relationship_sources("efaar"), dtype=precision)
    assert len(annotated_peer) == 5
    compare(ours, annotated_peer, tolerance)


@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 0), ("float32", 1e-4)])
def test_recall_after_tvn_equals_efaar(efaar, efaar_benchmarks, tmp_path, precision, tolerance):
    screen = rxrx3_core(scale=0.1, seed=11, features=128)
    wells = screen.wells()
    genes = (wells.metadata["perturbation_type"] == "CRISPR").to_numpy()
    aligned = efaar.tvn_on_controls(
        screen.embeddings.astype(np.float64),
        wells.metadata,
        "perturbation",
        "EMPTY_control",
        "batch",
    )
    peer_map = efaar.aggregate(aligned[genes], wells.metadata[genes], "perturbation")
    screen.relationships.to_csv(tmp_path / "planted.txt", index=False)
    peer = efaar_benchmarks.known_relationship_benchmark(
        peer_map,
        "perturbation",
        benchmark_sources=["planted"],
        benchmark_data_dir=str(tmp_path),
    )
    ours = relationship_recall(
        build_map(wells, TVN(), dtype=precision), {"planted": screen.relationships}
    )
    compare(ours, peer, tolerance)
    assert peer["recall_0.05_0.95"].iloc[0] > 0.2  # the truth is found: this is no random map
