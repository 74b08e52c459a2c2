"""Alignments against efaar_benchmarking run in float64."""

import numpy as np
import pandas as pd
import pytest

from wellgram import TVN, CenterScale, Wells, build_map
from wellgram.simulate import rxrx3_core

# Warnings of the peer (complex results cast to real, for one) are not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def screen():
    # 144 controls for 160 features in the gene experiments, more than that in the compound ones.
    return rxrx3_core(scale=0.03, seed=5, features=160)


def cosines(x):
    unit = x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    return unit @ unit.T


def without_batches(wells):
    return Wells(wells.embeddings, wells.metadata.drop(columns="batch"), wells.origin)


@pytest.mark.parametrize("batch", ["batch", None])
def test_tvn_has_the_cosines_and_norms_of_efaar(efaar, screen, batch):
    wells = screen.wells() if batch else without_batches(screen.wells())
    theirs = efaar.tvn_on_controls(
        screen.embeddings.astype(np.float64),
        wells.metadata,
        "perturbation",
        "EMPTY_control",
        batch,
    )
    ours = TVN().fit_transform(wells)
    some = np.random.default_rng(0).choice(len(wells), 1500, replace=False)
    # Float32 wells: centring and the two products round at about d eps = 2e-5 of a row's length.
    np.testing.assert_allclose(cosines(ours[some]), cosines(theirs[some]), atol=5e-5)
    np.testing.assert_allclose(
        np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1), rtol=5e-5
    )


@pytest.mark.parametrize("batch", ["batch", None])
def test_center_scale_equals_efaar(efaar, screen, batch):
    wells = screen.wells() if batch else without_batches(screen.wells())
    x = screen.embeddings.astype(np.float64)
    theirs = efaar.centerscale_on_controls(
        x, wells.metadata, "perturbation", "EMPTY_control", batch
    )
    ours = CenterScale().fit_transform(Wells(x, wells.metadata, wells.origin))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("method", ["mean", "median"])
def test_aggregation_equals_efaar(efaar, screen, method):
    wells = screen.wells()
    genes = (wells.metadata["perturbation_type"] == "CRISPR").to_numpy()
    theirs = efaar.aggregate(
        screen.embeddings[genes].astype(np.float64),
        wells.metadata[genes],
        "perturbation",
        method=method,
    )
    ours = build_map(wells, aggregate=method, dtype="float64")
    rows = (ours.labels["perturbation_type"] == "CRISPR").to_numpy()
    assert ours.labels["perturbation"][rows].tolist() == theirs.metadata["perturbation"].tolist()
    np.testing.assert_allclose(ours.embeddings[rows], theirs.features, rtol=1e-12, atol=1e-12)


def test_tvn_of_a_real_plate(efaar, lincs_plate):
    """All wells of LINCS as controls, the halves of the plate as batches, some of the features.

    There are 24 true controls for 454 features: the peer divides by rounding errors there.
    """
    table = pd.read_csv(lincs_plate)
    x = table.filter(regex="^(?!Metadata_)").to_numpy()[:, ::4]
    upper = table["Metadata_Well"].str[0] <= "H"
    metadata = pd.DataFrame({"what": "control", "half": np.where(upper, "upper", "lower")})
    theirs = efaar.tvn_on_controls(x, metadata, "what", "control", "half")
    ours = TVN().fit_transform(x, batch=metadata["half"])
    # The least variance of an axis is 3e-5 of the largest: dividing by it costs that many digits.
    np.testing.assert_allclose(cosines(ours), cosines(theirs), atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1), rtol=1e-9
    )
