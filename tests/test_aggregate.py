"""From wells to perturbations: pushing means below the alignment changes nothing."""

import numpy as np
import pandas as pd
import pytest

from wellgram import TVN, CenterScale, InputError, Wells, build_map
from wellgram.align import ALIGNMENTS, alignment
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def wells():
    return rxrx3_core(scale=0.02, seed=1, features=32).wells()


def by_hand(wells, y, statistic):
    """Aggregate aligned wells with pandas."""
    keys = ["perturbation_type", "perturbation", "dose"]
    in_map = wells.metadata["in_map"].to_numpy()
    frame = pd.DataFrame(y[in_map].astype(np.float64))
    columns = [wells.metadata.loc[in_map, key].to_numpy() for key in keys]
    return frame.groupby(columns, dropna=False).agg(statistic)


@pytest.mark.parametrize("name", ["none", *ALIGNMENTS])
@pytest.mark.parametrize("statistic", ["mean", "median"])
def test_a_map_is_the_aggregate_of_aligned_wells(wells, name, statistic):
    precise = Wells(wells.embeddings.astype(np.float64), wells.metadata)
    align = alignment(name)
    map_ = build_map(precise, align, aggregate=statistic, dtype="float64")
    y = precise.embeddings if align is None else align.transform(precise)
    expected = by_hand(precise, y, statistic)
    zero = np.linalg.norm(expected.to_numpy(), axis=1) < 1e-9
    assert len(map_) == len(expected) - zero.sum()
    np.testing.assert_allclose(map_.embeddings, expected[~zero], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", ["none", "center-scale", "tvn"])
def test_a_spherical_mean_is_the_direction_of_the_mean_of_directions(monkeypatch, wells, name):
    monkeypatch.setattr("wellgram.wells._CHUNK_WELLS", 100)
    precise = Wells(wells.embeddings.astype(np.float64), wells.metadata)
    align = alignment(name)
    map_ = build_map(precise, align, aggregate="spherical-mean", dtype="float64")
    y = precise.embeddings if align is None else align.transform(precise)
    mean = by_hand(precise, y / np.linalg.norm(y, axis=1, keepdims=True), "mean").to_numpy()
    expected = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(map_.embeddings, expected, rtol=1e-7, atol=1e-9)


def test_directions_that_cancel_have_no_spherical_mean():
    x = np.array([[1.0, 2], [-3, -6], [1, 0]])
    opposed = Wells.from_arrays(x, ["a", "a", "b"], control=None, controls_in_map=True)
    map_ = build_map(opposed, aggregate="spherical-mean")
    assert map_.provenance["without_direction"] == ["a"]


def test_fitted_maps_do_what_the_alignment_does(wells):
    fitted = TVN().fit(wells)
    ours = build_map(wells, fitted.affine_)
    np.testing.assert_array_equal(ours.embeddings, build_map(wells, fitted).embeddings)
    assert ours.provenance["align"] == "as fitted before"


def test_labels_are_type_perturbation_and_dose_with_counts(wells):
    map_ = build_map(wells)
    labels = map_.labels
    expected = by_hand(wells, wells.embeddings, "size")
    assert labels["n_wells"].tolist() == expected.to_list()
    genes = labels[labels["perturbation_type"] == "CRISPR"]
    assert genes["dose"].isna().all()
    assert "EMPTY_control" in set(genes["perturbation"])
    compounds = labels[labels["perturbation_type"] == "COMPOUND"]
    assert sorted(compounds["dose"].unique()) == [0.0025, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10]
    assert not compounds["perturbation"].str.contains("_control").any()


def test_the_row_of_the_controls_is_left_out_where_they_define_zero(wells):
    map_ = build_map(wells, CenterScale())
    assert map_.provenance["without_direction"] == ["EMPTY_control"]
    assert "EMPTY_control" not in set(map_.labels["perturbation"])
    assert build_map(wells, TVN()).provenance["without_direction"] == []


def test_shared_metadata_travels_and_differing_metadata_does_not():
    wells = Wells.from_arrays(np.eye(4), ["a", "a", "b", "c"], control="c")
    metadata = wells.metadata.assign(moa=["x", "x", "y", "z"], site=[1, 2, 1, 1])
    labels = build_map(Wells(wells.embeddings, metadata)).labels
    assert labels["moa"].tolist() == ["x", "y"]
    assert "site" not in labels


def test_one_well_more_or_less_weighs_as_one(wells):
    """Wells are pooled: a perturbation with unequal batches is the mean over its wells."""
    x = np.array([[1.0, 0], [1, 0], [1, 0], [5, 4]])
    small = Wells.from_arrays(
        x, ["a"] * 4, control=None, batch=["p", "p", "p", "q"], controls_in_map=True
    )
    np.testing.assert_allclose(build_map(small, dtype="float64").embeddings, [[2, 1]])


def test_medians_of_blocks_equal_medians_of_the_whole(monkeypatch, wells):
    whole = build_map(wells, CenterScale(), aggregate="median")
    monkeypatch.setattr("wellgram.wells._CHUNK_WELLS", 100)
    np.testing.assert_array_equal(
        build_map(wells, CenterScale(), aggregate="median").embeddings, whole.embeddings
    )


def test_nothing_to_map_is_an_error():
    wells = Wells.from_arrays(np.eye(3), ["DMSO"] * 3, control="DMSO")
    with pytest.raises(InputError, match="none of the 3 wells"):
        build_map(wells)


def test_a_map_of_zeros_is_an_error():
    wells = Wells.from_arrays([[1.0, 2], [-1, -2]], ["a", "a"], control=None)
    with pytest.raises(InputError, match="aggregates to zero"):
        build_map(wells)


@pytest.mark.parametrize("option", [{"aggregate": "mode"}, {"dtype": "float8"}])
def test_unknown_options_are_refused(wells, option):
    with pytest.raises(InputError, match="unknown"):
        build_map(wells, **option)
