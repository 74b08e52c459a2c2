"""The simulated screen has the published shape, and its truth can be found."""

import os
import subprocess
import sys

import numpy as np
import pytest

from wellgram import CenterScale, InputError, build_map, relationship_recall
from wellgram.backends import get_backend
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.05, seed=4, features=64)


def test_the_full_design_has_the_published_counts():
    metadata = rxrx3_core(seed=0, features=8).metadata
    assert len(metadata) == 222_601
    kinds = metadata["perturbation_type"].value_counts()
    assert (kinds["CRISPR"], kinds["COMPOUND"]) == (126_900, 95_701)
    assert metadata["gene"].nunique() == 736  # 735 genes and EMPTY_control
    assert metadata["experiment_name"].nunique() == 180
    compounds = metadata[metadata["perturbation_type"] == "COMPOUND"]
    sizes = compounds["experiment_name"].value_counts()
    assert sorted(sizes) == sorted([28_231, 6_681, 39_664, 21_125])
    treated = compounds[~compounds["treatment"].str.contains("_control")]
    assert treated["treatment"].nunique() == 1_674
    off_grid = treated["concentration"].isin([0.002, 0.026, 0.26, 2.6])
    assert off_grid.sum() == 16
    assert (compounds["treatment"] == "CRISPR_control").sum() == pytest.approx(22_062, abs=4)
    empty = metadata[(metadata["treatment"] == "EMPTY_control")]
    per_gene_experiment = empty[empty["perturbation_type"] == "CRISPR"][
        "experiment_name"
    ].value_counts()
    assert set(per_gene_experiment) == {144}


def test_columns_are_the_published_ones(screen):
    assert screen.metadata.columns.tolist() == [
        "well_id", "experiment_name", "plate", "address", "gene", "treatment", "SMILES",
        "concentration", "perturbation_type", "cell_type",
    ]  # fmt: skip
    assert screen.metadata["well_id"].is_unique
    first = screen.metadata.iloc[0]
    assert first["well_id"] == f"{first['experiment_name']}_{first['plate']}_{first['address']}"
    compound = screen.metadata["perturbation_type"] == "COMPOUND"
    assert screen.metadata.loc[compound, "gene"].isna().all()
    assert screen.metadata.loc[~compound, "concentration"].isna().all()
    assert screen.compound_targets.columns.tolist() == [
        "gene_symbol", "nM_value", "measurement_type", "database", "treatment",
    ]  # fmt: skip


def test_another_seed_is_another_screen(screen):
    other = rxrx3_core(scale=0.05, seed=5, features=64)
    assert not np.array_equal(other.embeddings, screen.embeddings)


def test_the_number_of_threads_does_not_matter(screen):
    """Same seed, same bytes, also where linear algebra libraries have another number of threads."""
    code = (
        "import hashlib; from wellgram.simulate import rxrx3_core;"
        "s = rxrx3_core(scale=0.05, seed=4, features=64);"
        "print(hashlib.sha256(s.embeddings.tobytes()).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "WELLGRAM_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    import hashlib

    assert hashes == {hashlib.sha256(screen.embeddings.tobytes()).hexdigest() + "\n"}


def test_planted_complexes_are_recalled_and_shuffled_ones_are_not():
    screen = rxrx3_core(scale=0.2, seed=4, features=96)
    map_ = build_map(screen.wells(), CenterScale())
    shuffled = screen.relationships.copy()
    shuffled["entity2"] = np.random.default_rng(0).permutation(shuffled["entity2"])
    table = relationship_recall(map_, {"planted": screen.relationships, "shuffled": shuffled}).table
    planted, chance = table[table["tail_low"] == 0.05]["recall"]
    assert planted > 0.3
    assert chance < 0.2


def test_compounds_approach_their_targets_as_the_dose_rises():
    screen = rxrx3_core(scale=0.2, seed=4, features=96)
    map_ = build_map(screen.wells(), CenterScale())
    unit = get_backend().unit_rows(map_.embeddings)[0]
    labels = map_.labels
    genes = labels[labels["perturbation_type"] == "CRISPR"].reset_index()
    place = dict(zip(genes["perturbation"], genes["index"], strict=True))
    actives = screen.compound_targets[screen.compound_targets["nM_value"] <= 1000]
    means = []
    for dose in (0.0025, 10.0):
        rows = labels[labels["dose"] == dose].reset_index().set_index("perturbation")["index"]
        i = rows.loc[actives["treatment"]].to_numpy()
        j = np.array([place[g] for g in actives["gene_symbol"]])
        means.append(get_backend().pair_cosines(unit, i, j).mean())
    assert means[1] > means[0] + 0.1


@pytest.mark.parametrize(
    ("options", "word"),
    [({"scale": 0}, "scale"), ({"scale": 2}, "scale"), ({"seed": -1}, "seed"),
     ({"seed": 1.5}, "seed"), ({"features": 2}, "features")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, word):
    with pytest.raises(InputError, match=word):
        rxrx3_core(**({"scale": 0.01} | options))
