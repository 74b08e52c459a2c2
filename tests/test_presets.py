"""JUMP's published chains: each of their steps by its definition, their order, what they lack."""

import numpy as np
import pandas as pd
import pytest

from wellgram import (
    ArmCorrection,
    FeatureSelect,
    Harmony,
    InputError,
    OutlierFeatures,
    PCARotate,
    PlateMAD,
    VariantFeatures,
    Wells,
)
from wellgram.align import PRESETS, alignment, alignment_names
from wellgram.errors import ColumnMissing
from wellgram.io import wells_from_frame
from wellgram.stream import WellStream


def screen(rng, plates=4, addresses=96, features=12, treatments=24):
    """Plates of two batches, with all columns that the chains need."""
    n = plates * addresses
    treatment = np.concatenate([rng.permutation(addresses) for _ in range(plates)]) % treatments
    signal = rng.normal(size=(treatments, features))
    x = (
        20
        + signal[treatment]
        + rng.normal(size=(n, features))
        + np.repeat(np.arange(4.0), addresses)[:, None]
    )
    batch = np.repeat(np.arange(plates), addresses)
    names = [f"G{t}" if t > 3 else "DMSO" for t in treatment]
    wells = Wells.from_arrays(x, names, control="DMSO", batch=batch)
    arm = pd.Series(treatment).map(lambda t: None if t < 4 else ("1p" if t % 2 else "2q"))
    wells.metadata["Metadata_Well"] = np.tile([f"{k:02}" for k in range(addresses)], plates)
    wells.metadata["Metadata_Count_Cells"] = rng.integers(500, 3000, size=n)
    wells.metadata["Metadata_Batch"] = np.where(batch < 2, "B1", "B2")
    wells.metadata["Metadata_arm"] = arm.to_numpy(object)
    wells.metadata["Metadata_zfpkm"] = np.where(treatment < 14, -5.0, 2.0)
    return wells


def streamed(wells):
    return WellStream(
        wells.metadata, wells.features, wells.embeddings.dtype, wells.chunks, wells.origin
    )


@pytest.mark.parametrize("fits_on", ["all", "controls"])
def test_features_that_do_not_vary_on_a_plate_go(rng, fits_on):
    wells = screen(rng)
    x, plate = wells.embeddings, wells.metadata["batch"]
    x[:, 1] = 5.0
    x[plate == "2", 3] = 4.0
    x[:, 5] = 1000 + rng.normal(size=len(x)) / 10
    x[:, 7] -= np.median(x[:, 7])
    ours = VariantFeatures(fits_on=fits_on).fit(wells)
    taken = wells.metadata["is_control"] if fits_on == "controls" else plate.notna()
    expected = np.ones(12, bool)
    for _, rows in pd.DataFrame(x)[taken.to_numpy()].groupby(plate[taken].to_numpy()):
        mad = (rows - rows.median()).abs().median()
        expected &= ((mad != 0) & ((mad / rows.median()).abs() > 1e-3)).to_numpy()
    np.testing.assert_array_equal(ours.kept_, expected)
    assert not ours.kept_[[1, 3, 5]].any()
    if fits_on == "controls":
        np.testing.assert_array_equal(ours.fit(streamed(wells)).kept_, expected)
    else:
        with pytest.raises(InputError, match="takes all wells at once"):
            ours.fit(streamed(wells))


def test_a_median_of_zero_varies_beside_nothing():
    x = np.array([[-1.0, 1], [0, 2], [1, 4]])
    assert VariantFeatures().fit(x).kept_.tolist() == [False, True]


def test_a_plate_is_scaled_by_all_its_wells(rng):
    wells = screen(rng)
    y = PlateMAD().fit_transform(wells)
    for _, rows in pd.DataFrame(wells.embeddings).groupby(wells.metadata["batch"].to_numpy()):
        centred = rows - rows.median()
        np.testing.assert_allclose(y[rows.index], centred / centred.abs().median(), rtol=1e-12)


def test_features_with_outliers_go(rng):
    x = rng.normal(size=(300, 5)) * [1, 60, 1, 1, 1]
    x[:2, 2] = 1e6  # less than one in a hundred
    x[:9, 3] = -1e3
    ours = OutlierFeatures().fit(x)
    expected = pd.DataFrame(x).abs().quantile(0.99) <= 100
    np.testing.assert_array_equal(ours.kept_, expected)
    assert ours.kept_.tolist() == [True, False, True, False, True]


def test_components_make_up_the_share_of_variance(rng):
    x = rng.normal(size=(200, 8)) * [9, 7, 5, 3, 1, 0.5, 0.2, 0.1]
    theirs = pytest.importorskip("sklearn.decomposition").PCA(0.98).fit_transform(x)
    ours = PCARotate().fit_transform(x)
    assert ours.shape == theirs.shape
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-10)
    assert PCARotate(0.5).fit_transform(x).shape[1] < 4


def test_unexpressed_genes_of_an_arm_are_taken_off(rng):
    wells = screen(rng)
    offset = {"1p": 8.0, "2q": -3.0}
    arm = wells.metadata["Metadata_arm"]
    wells.embeddings[:] += arm.map(offset).fillna(0).to_numpy()[:, None]
    ours = ArmCorrection(min_genes=5)
    y = ours.fit_transform(wells)
    expected = wells.embeddings.copy()
    for name in offset:
        rows = (arm == name).to_numpy()
        silent = rows & (wells.metadata["Metadata_zfpkm"] < -3).to_numpy()
        expected[rows] -= wells.embeddings[silent].mean(axis=0)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    assert ours.arms_ == ["1p", "2q"]
    np.testing.assert_array_equal(y[arm.isna()], wells.embeddings[arm.isna()])
    aligned = ArmCorrection(min_genes=5).aligned(streamed(wells)).read()
    np.testing.assert_allclose(aligned.embeddings, y, atol=1e-12)
    with pytest.raises(InputError, match=r"no chromosome arm has 21 genes with a Metadata_zfpkm"):
        ArmCorrection().fit(wells)
    few = ArmCorrection(min_genes=6)  # of 2q there are 5 alone
    wells.metadata.loc[wells.metadata["perturbation"] == "G4", "Metadata_zfpkm"] = 0
    with pytest.raises(InputError, match=r"\(the most: 5\)"):
        few.fit(wells)


def test_the_order_is_the_published_one():
    orf = [
        "well-position", "cell-count", "variant-features", "plate-mad", "outlier-features",
        "feature-select", "sphering", "harmony",
    ]  # fmt: skip
    assert [step.name for step in alignment("jump-orf").steps] == orf
    crispr = [*orf, "pca-rotate", "arm-correction"]
    assert [step.name for step in alignment("jump-crispr").steps] == crispr
    assert [step.name for step in alignment("jump-compound").steps] == [
        "variant-features", "robust-mad", "inverse-normal", "feature-select", "harmony",
    ]  # fmt: skip
    assert set(PRESETS) < set(alignment_names())
    assert alignment("jump-compound+tvn").steps[-1].name == "tvn"
    assert alignment("jump-orf").steps[6].method == "ZCA-cor"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_its_steps_in_turn(rng, name):
    pytest.importorskip("harmonypy", reason="harmonypy is absent (pip install harmonypy)")
    wells = screen(rng)
    preset = alignment(name)
    for step in preset.steps:
        if isinstance(step, ArmCorrection):
            step.set_params(min_genes=3)
        if isinstance(step, Harmony):
            step.set_params(n_clusters=5, iterations=2)
    y = preset.fit_transform(wells)
    by_hand = wells
    for step in preset.steps:
        again = type(step)(**step.get_params())
        by_hand = by_hand.with_embeddings(again.fit_transform(by_hand))
    # Each well has rounding of its own after a chain of affine maps.
    np.testing.assert_allclose(np.abs(y), np.abs(by_hand.embeddings), atol=1e-6)


COLUMNS = {
    "Metadata_Well": ("jump-orf", "well-position needs the well address"),
    "Metadata_Count_Cells": ("jump-crispr", "cell-count needs the cell count"),
    "Metadata_Batch": ("jump-compound", "harmony needs the batch of each well"),
    "Metadata_arm": ("jump-crispr", "arm-correction needs the chromosome arm"),
    "Metadata_zfpkm": ("jump-crispr", "arm-correction needs the expression"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_that_the_screen_lacks_is_named(rng, column):
    pytest.importorskip("harmonypy", reason="harmonypy is absent (pip install harmonypy)")
    wells = screen(rng)
    wells = Wells(wells.embeddings, wells.metadata.drop(columns=column), wells.origin)
    name, message = COLUMNS[column]
    wells.embeddings[:] = 0.0  # which no step could be fitted to: columns are looked at first
    with pytest.raises(ColumnMissing, match=f"{message}.*no column '{column}'.*columns="):
        alignment(name).fit(wells)


def test_harmony_takes_features_as_they_are(rng):
    pytest.importorskip("harmonypy", reason="harmonypy is absent (pip install harmonypy)")
    wells = screen(rng)
    wells.embeddings[wells.metadata["Metadata_Batch"] == "B2"] += 30
    align = Harmony(None, column="Metadata_Batch", n_clusters=300, iterations=3)
    y = align.fit_transform(wells)
    gap = np.abs(
        y[wells.metadata["Metadata_Batch"] == "B2"].mean(axis=0)
        - y[wells.metadata["Metadata_Batch"] == "B1"].mean(axis=0)
    )
    assert (gap < 10).all()  # of 30: few iterations go most of the way
    assert list(align.get_feature_names_out()) == [f"x{k}" for k in range(12)]
    wells.metadata["Metadata_Batch"] = "one"
    with pytest.raises(InputError, match=r"two batches at least \(column 'Metadata_Batch'"):
        align.fit(wells)


def test_a_layout_keeps_the_columns(rng):
    wells = screen(rng)
    table = wells.metadata.rename(
        columns={"batch": "Metadata_Plate", "perturbation": "Metadata_JCP2022"}
    )
    read = wells_from_frame(
        wells.embeddings, table[[c for c in table if c.startswith("Metadata_")]],
        layout="cell-painting", control="DMSO",
    )  # fmt: skip
    kept = {name for name in wells.metadata if name.startswith("Metadata_")}
    assert kept <= set(read.metadata.columns)
    assert FeatureSelect().fit(read).kept_.all()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: VariantFeatures(-1), "min_variation must be 0 or more, not -1"),
        (
            lambda: VariantFeatures(fits_on="some"),
            "fits_on must be 'all' or 'controls', not 'some'",
        ),
        (lambda: VariantFeatures().fit(np.ones((4, 2))), "before features are centred"),
        (
            lambda: VariantFeatures(fits_on="controls").fit(
                np.eye(4), batch=list("aabb"), control=np.arange(4) < 2
            ),
            "no control well in batch 'b'",
        ),
        (lambda: OutlierFeatures(0), "most must be above 0, not 0"),
        (lambda: OutlierFeatures().fit(1e6 * np.eye(3)), "scale the features first"),
        (lambda: PCARotate(1.0), "variance must be between 0 and 1, not 1.0"),
        (lambda: ArmCorrection(min_genes=0), "min_genes must be 1 or more, not 0"),
        (lambda: Harmony(n_clusters=1), "n_clusters must be 2 or more, not 1"),
        (lambda: Harmony(iterations=0), "iterations must be 1 or more, not 0"),
    ],
)
def test_what_cannot_be_is_named(made, message):
    with pytest.raises(InputError, match=message):
        made()
