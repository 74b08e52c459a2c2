"""A real plate, against a computation of its own in NumPy and pandas."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from wellgram import read_map
from wellgram.cli import app

TAILS = ((0.05, 0.95), (0.1, 0.9))


def independent_map(path):
    """Centre and scale on DMSO, then the mean of each compound at each dose."""
    plate = pd.read_csv(path)
    features = [c for c in plate if not c.startswith("Metadata_") and "_Location_" not in c]
    dmso = plate.loc[plate["Metadata_broad_sample"] == "DMSO", features]
    plate[features] = (plate[features] - dmso.mean()) / dmso.std(ddof=0)
    treated = plate[plate["Metadata_broad_sample"] != "DMSO"]
    groups = treated.groupby(["Metadata_broad_sample", "Metadata_mmoles_per_liter"])
    return groups[features].mean().to_numpy(), groups["Metadata_moa"].first().reset_index()


def independent_recall(embeddings, labels, other_perturbation):
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    i, j = np.triu_indices(len(unit), 1)
    cosines = (unit @ unit.T)[i, j]
    moa, compound = labels["Metadata_moa"].to_numpy(), labels["Metadata_broad_sample"].to_numpy()
    known = (moa[i] == moa[j]) & pd.notna(moa[i])
    if other_perturbation:
        known &= compound[i] != compound[j]
    null, q = np.sort(cosines), cosines[known]
    right = np.searchsorted(null, q, side="right") / len(null)
    left = np.searchsorted(null, q, side="left") / len(null)
    return len(q), [float(((right <= low) | (left >= high)).mean()) for low, high in TAILS]


@pytest.fixture(scope="module", params=["float32", "float64"])
def scored(request, lincs_plate, tmp_path_factory):
    """The command of the README, in either precision."""
    out = tmp_path_factory.mktemp("out")
    command = (
        f"score {lincs_plate} --layout cell-painting --perturbation Metadata_broad_sample "
        "--dose Metadata_mmoles_per_liter --control DMSO --align center-scale --same Metadata_moa "
        f"--dtype {request.param} --out {out}"
    )
    result = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return request.param, out


def test_the_map_equals_the_independent_one(scored, lincs_plate):
    precision, out = scored
    map_ = read_map(out / "map.parquet")
    expected, labels = independent_map(lincs_plate)
    assert len(map_) == 338
    assert map_.labels["perturbation"].tolist() == labels["Metadata_broad_sample"].tolist()
    np.testing.assert_array_equal(map_.labels["dose"], labels["Metadata_mmoles_per_liter"])
    assert map_.embeddings.dtype == precision
    tolerance = 1e-6 if precision == "float32" else 1e-10
    np.testing.assert_allclose(map_.embeddings, expected, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("source", ["Metadata_moa", "Metadata_moa, other perturbation"])
def test_recall_equals_the_independent_one(scored, lincs_plate, source):
    recall = pd.read_csv(scored[1] / "recall.csv").query("source == @source")
    count, expected = independent_recall(*independent_map(lincs_plate), "," in source)
    assert recall["n_null_pairs"].tolist() == [338 * 337 // 2] * 2
    assert recall["n_known_pairs"].tolist() == [count] * 2
    assert recall[["tail_low", "tail_high"]].to_numpy().tolist() == [list(tails) for tails in TAILS]
    np.testing.assert_allclose(recall["recall"], expected, rtol=0, atol=1e-6)


def test_compounds_of_one_mechanism_are_recalled_well_above_chance(scored):
    recall = pd.read_csv(scored[1] / "recall.csv")
    assert (recall["recall"] > 1.5 * recall["chance"]).all()


def test_the_summary_names_what_was_scored(scored):
    summary = json.loads((scored[1] / "summary.json").read_text())
    assert summary["screen"]["wells"] == 384
    assert summary["screen"]["features"] == 452  # of 454: two are coordinates
    assert summary["map"]["perturbations"] == 338
