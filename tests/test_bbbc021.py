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


PLATE, WELL = "Image_Metadata_Plate", "Image_Metadata_Well"


@pytest.fixture(scope="module")
def labels(bbbc021):
    """What was done to each well."""
    image = pd.read_csv(bbbc021 / "image.csv.gz").rename(
        columns={
            f"{PLATE}_DAPI": PLATE,
            f"{WELL}_DAPI": WELL,
            "Image_Metadata_Compound": "compound",
            "Image_Metadata_Concentration": "concentration",
        }
    )
    wells = image[[PLATE, WELL, "compound", "concentration"]].drop_duplicates()
    wells = wells.merge(pd.read_csv(bbbc021 / "moa.csv"), how="left")
    return wells.assign(week=wells[PLATE].str.split("_").str[0])


@pytest.fixture(scope="module")
def features(bbbc021):
    return (bbbc021 / "selected_features.txt").read_text().split()


@pytest.fixture(scope="module")
def table(bbbc021, labels, features):
    """The wells' labels beside their features."""
    wells = pd.read_csv(bbbc021 / "per_well.csv.gz")[[PLATE, WELL, *features]]
    return labels.merge(wells), features


@pytest.fixture(scope="module")
def treatments(bbbc021, labels, features):
    """The map of treatments: a row per compound and concentration."""
    wells = wg.read_wells(
        bbbc021 / "per_well.csv.gz",
        labels,
        layout="columns",
        well_id=[PLATE, WELL],
        perturbation="compound",
        dose="concentration",
        batch=PLATE,
        control="DMSO",
        features=features,
        columns=["moa", "week"],
        allow_unmatched=True,  # 3,300 wells were imaged, and 632 have a known mechanism or DMSO
    )
    return wg.build_map(wells, wg.CenterScale())


def brute_force(table, *, by_week):
    """The mechanism and the prediction of each tested treatment."""
    wells, features = table
    scaled = []
    for _, plate in wells.groupby(PLATE):
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
