"""BBBC021 from its raw tables: the published accuracy and its confusion matrix, cell by cell."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg

PUBLISHED = """
 4  0  0  0  0  0  0  0  0  0  1  0
 0 12  0  1  0  0  0  0  0  0  0  0
 0  0  6  0  0  0  0  0  0  0  0  0
 0  0  0  8  5  0  0  0  0  0  0  0
 0  0  0  0  2  0  0  0  0  0  0  0
 0  0  0  0  0  6  0  0  2  0  0  0
 0  0  0  0  0  0  8  0  0  0  0  0
 0  0  0  0  0  0  0  5  0  0  0  0
 0  0  0  0  0  6  0  0 12  0  0  0
 0  0  0  0  0  0  0  0  0  8  1  0
 1  0  0  0  1  0  0  0  0  1  5  0
 0  0  0  0  0  0  0  0  0  0  0  8
"""
"""cytominergallery's page predict_moa: a row per prediction, a column per mechanism, sorted"""


@pytest.fixture(scope="module")
def table(bbbc021):
    """The wells with their labels beside 177 features, and the names of these."""
    image = pd.read_csv(bbbc021 / "image.csv.gz")
    keys = [f"Image_Metadata_{name}" for name in ("Plate_DAPI", "Well_DAPI")]
    said = [f"Image_Metadata_{name}" for name in ("Compound", "Concentration")]
    treated = image[keys + said].drop_duplicates()
    treated.columns = ["plate", "well", "compound", "concentration"]
    wells = pd.read_csv(bbbc021 / "per_well.csv.gz").rename(
        columns={"Image_Metadata_Plate": "plate", "Image_Metadata_Well": "well"}
    )
    features = (bbbc021 / "selected_features.txt").read_text().split()
    moa = pd.read_csv(bbbc021 / "moa.csv")
    treated = treated.merge(moa, on=["compound", "concentration"], how="left")
    treated["week"] = treated["plate"].str.split("_").str[0]
    return treated.merge(wells[["plate", "well", *features]], on=["plate", "well"]), features


@pytest.fixture(scope="module")
def treatments(table):
    """The map of treatments: a row per compound and concentration."""
    wells, features = table
    screen = wg.wells_from_frame(
        wells[features].to_numpy(),
        wells.drop(columns=features),
        layout="columns",
        perturbation="compound",
        dose="concentration",
        batch="plate",
        control="DMSO",
        columns=["moa", "week"],
    )
    return wg.build_map(screen, wg.CenterScale())


def brute_force(table, *, by_week):
    """The mechanism and the prediction of each tested treatment."""
    wells, features = table
    scaled = []
    for _, plate in wells.groupby("plate"):
        dmso = plate.loc[plate["compound"] == "DMSO", features]
        values = (plate[features] - dmso.mean()) / dmso.std()
        scaled.append(values.join(plate[["compound", "concentration", "moa", "week"]]))
    scaled = pd.concat(scaled)
    groups = scaled[scaled["compound"] != "DMSO"].groupby(["compound", "concentration"])
    profiles, labels = groups[features].mean().to_numpy(), groups[["moa", "week"]].first()
    labels = labels.reset_index().astype(object)
    if by_week:
        weeks = labels.groupby("moa")["week"].nunique()
        kept = labels["moa"].map(weeks).to_numpy() > 1
        profiles, labels = profiles[kept], labels[kept]
    allowed = labels["compound"].to_numpy()[:, None] != labels["compound"].to_numpy()
    if by_week:
        allowed &= labels["week"].to_numpy()[:, None] != labels["week"].to_numpy()
    nearest = np.where(allowed, np.corrcoef(profiles), -np.inf).argmax(axis=1)
    moa = labels["moa"].to_numpy()
    return moa, moa[nearest]


def cells(moa, predicted, names):
    counts = pd.crosstab(pd.Series(moa), pd.Series(predicted))
    return counts.reindex(index=names, columns=names, fill_value=0)


def test_not_same_compound_is_the_published_figure(table, treatments):
    result = wg.mechanism_accuracy(treatments, label="moa", similarity="correlation")
    assert (result.n_right, result.n_tested) == (84, 103)
    published = np.array(PUBLISHED.split(), int).reshape(12, 12)
    np.testing.assert_array_equal(result.confusion.T, published)
    expected = cells(*brute_force(table, by_week=False), result.confusion.index)
    np.testing.assert_array_equal(result.confusion, expected)
    assert result.left_out.empty


def test_not_same_compound_and_batch_leaves_out_what_is_in_one_week(table, treatments):
    result = wg.mechanism_accuracy(
        treatments,
        label="moa",
        matching="not-same-compound-and-batch",
        batch="week",
        similarity="correlation",
    )
    moa, predicted = brute_force(table, by_week=True)
    assert (result.n_right, result.n_tested) == ((moa == predicted).sum(), 92) == (70, 92)
    expected = cells(moa, predicted, result.confusion.index)
    np.testing.assert_array_equal(result.confusion, expected)
    assert result.left_out["label"].tolist() == ["Cholesterol-lowering", "Kinase inhibitors"]
    assert set(result.left_out["reason"]) == {"its label is in one batch only"}
