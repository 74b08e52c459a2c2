"""Consistency against efaar_benchmarking."""

import numpy as np
import pandas as pd
import pytest

from wellgram import Wells, consistency
from wellgram.align import CenterScale
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def wells():
    """The genes of a simulated screen, aligned."""
    screen = rxrx3_core(scale=0.03, seed=5, features=40).wells()
    genes = (screen.metadata["perturbation_type"] == "CRISPR").to_numpy()
    rows = CenterScale().fit_transform(screen)[genes].astype(np.float64)
    return Wells(rows, screen.metadata[genes].reset_index(drop=True))


@pytest.fixture
def lincs(lincs_plate):
    """A real plate: the doses of a compound are its wells, for want of more replicates."""
    plate = pd.read_csv(lincs_plate)
    features = [c for c in plate if not c.startswith("Metadata_")]
    kept = plate[features].notna().all()
    return Wells.from_arrays(
        plate[kept.index[kept]].to_numpy(np.float64),
        plate["Metadata_broad_sample"].astype("str"),
        control="DMSO",
        controls_in_map=True,
    )


def test_consistency_equals_efaar(efaar_benchmarks, wells):
    compare(efaar_benchmarks, wells, [f"GENE{k:04d}" for k in range(12)])


def test_lincs_equals_efaar(efaar_benchmarks, lincs):
    names = lincs.metadata["perturbation"]
    compare(efaar_benchmarks, lincs, sorted(names[names != "DMSO"].unique())[:12])


def compare(efaar_benchmarks, wells, negatives):
    labels = wells.metadata["perturbation"]
    theirs = efaar_benchmarks.pert_signal_consistency_benchmark(
        wells.embeddings, wells.metadata, "perturbation", negatives, n_jobs=1
    ).set_index("pert")
    result = consistency(wells, null="negatives", negatives=negatives, p_form="share")
    ours = result.table.set_index("perturbation")
    assert set(theirs.index) == set(labels) - set(negatives)
    for pert, row in theirs.iterrows():
        np.testing.assert_allclose(ours.loc[pert, "mean_cosine"], row["avgcossim"], atol=1e-11)
        assert ours.loc[pert, "p_value"] == pytest.approx(row["pval"], abs=1e-12)
