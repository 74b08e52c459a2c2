"""A genome-wide screen, written an experiment at a time."""

import pandas as pd
import pytest

import wellgram as wg
from wellgram import InputError
from wellgram.simulate import genome

SMALL = {"genes": 60, "experiments": 4, "wells": 400, "features": 32}


def test_a_genome_is_read_as_any_screen_and_its_complexes_are_recalled(tmp_path):
    genome(tmp_path / "g", genes=120, experiments=4, wells=1000, features=512, seed=1)
    wells = wg.open_wells(tmp_path / "g" / "embeddings", tmp_path / "g" / "metadata.csv")
    assert len(wells) == 4000
    assert wells.features == 512
    assert len(wells.batches()[1]) == 4
    assert wells.metadata["is_control"].sum() == 500
    map_ = wg.build_map(wells, wg.CenterScale())
    assert set(map_.labels["perturbation"]) >= {f"GENE{g:05d}" for g in range(120)}
    known = wg.relationship_sources(str(tmp_path / "g" / "complexes.csv"))
    table = wg.relationship_recall(map_, known).table
    assert (table["recall"] > 1.3 * table["chance"]).all()


def test_compounds_have_experiments_of_their_own(tmp_path):
    genome(tmp_path / "g", **SMALL, compounds=30, compound_experiments=2)
    wells = wg.open_wells(tmp_path / "g" / "embeddings", tmp_path / "g" / "metadata.csv")
    assert len(wells.batches()[1]) == 6
    of_compounds = wells.metadata[wells.metadata["perturbation_type"] == "COMPOUND"]
    treated = of_compounds[~of_compounds["is_control"]]
    assert treated["perturbation"].nunique() == 30
    assert treated.groupby("perturbation", observed=True)["dose"].nunique().eq(8).all()


def test_the_same_seed_makes_the_same_files(tmp_path):
    for name in "ab":
        genome(tmp_path / name, **SMALL, seed=3)
    for file in (tmp_path / "a").rglob("*.*"):
        other = tmp_path / "b" / file.relative_to(tmp_path / "a")
        assert file.read_bytes() == other.read_bytes()
    genome(tmp_path / "c", **SMALL, seed=4)
    first = "embeddings/gene-0001.parquet"
    assert not pd.read_parquet(tmp_path / "a" / first).equals(
        pd.read_parquet(tmp_path / "c" / first)
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"features": 4}, "8 features"),
        ({"genes": 3}, "a gene for each"),
        ({"compounds": 400}, "give 900 or more, or more compound_experiments"),
        ({"wells": 60}, "60 wells are too few for the 15 genes of an experiment; give 120 or more"),
    ],
)
def test_too_small_a_genome_is_refused(tmp_path, wrong, said):
    with pytest.raises(InputError, match=said):
        genome(tmp_path / "g", **{**SMALL, **wrong})
    assert not (tmp_path / "g").exists()
