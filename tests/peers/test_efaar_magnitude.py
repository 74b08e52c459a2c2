"""Magnitude against efaar_benchmarking, where geomloss and torch are installed too."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

from wellgram import Wells, magnitude
from wellgram.align import CenterScale
from wellgram.simulate import rxrx3_core

pytestmark = pytest.mark.skipif(
    find_spec("geomloss") is None or find_spec("torch") is None,
    reason="geomloss or torch is absent (pip install torch==2.13.0 geomloss)",
)


def compare(efaar_benchmarks, wells, control, negatives):
    """Distances and p-values; all controls, since EFAAR draws its thousand without a seed."""
    meta = wells.metadata
    theirs = efaar_benchmarks.pert_signal_magnitude_benchmark(
        wells.embeddings, meta, "perturbation", negatives, control, len(meta), n_jobs=1
    ).set_index("pert")
    ours = magnitude(
        wells,
        null="negatives",
        negatives=negatives,
        max_controls=len(meta),
        p_form="share-above",
    ).table.set_index("perturbation")
    scored = theirs["edist"].notna() & (theirs.index != control)
    assert scored.sum() > 10
    theirs, ours = theirs[scored], ours.loc[theirs.index[scored]]
    # geomloss takes every distance below 1e-4 for 1e-4, that of a well from itself too.
    controls = (meta["perturbation"] == control).sum()
    expected = theirs["edist"] + 1e-4 * (1 / ours["n_wells"] + 1 / controls)
    np.testing.assert_allclose(ours["energy_distance"], expected, rtol=1e-9)
    np.testing.assert_allclose(ours["p_value"], theirs["pval"], atol=1e-12)


def test_magnitude_equals_efaar(efaar_benchmarks):
    screen = rxrx3_core(scale=0.03, seed=5, features=40).wells()
    genes = (screen.metadata["perturbation_type"] == "CRISPR").to_numpy()
    rows = CenterScale().fit_transform(screen)[genes].astype(np.float64)
    wells = Wells(rows, screen.metadata[genes].reset_index(drop=True))
    compare(efaar_benchmarks, wells, "EMPTY_control", [f"GENE{k:04d}" for k in range(12)])


def test_lincs_equals_efaar(efaar_benchmarks, lincs_plate):
    """A real plate: a compound at six doses are its wells, for want of more replicates."""
    plate = pd.read_csv(lincs_plate)
    features = [c for c in plate if not c.startswith("Metadata_")]
    kept = plate[features].notna().all()
    labels = plate["Metadata_broad_sample"].astype("str")
    wells = Wells.from_arrays(
        plate[kept.index[kept]].to_numpy(np.float64), labels, control="DMSO", controls_in_map=True
    )
    names = sorted(labels[labels != "DMSO"].unique())
    compare(efaar_benchmarks, wells, "DMSO", names[:15])
