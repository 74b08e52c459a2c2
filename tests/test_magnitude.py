"""Magnitude against its definition and the published value, and what it finds."""

import numpy as np
import pytest
from scipy.stats import kstest

from helpers.maps_and_wells import make_wells
from wellgram import InputError, Wells, magnitude
from wellgram.align import alignment
from wellgram.nulls import random_subsets, stream_of
from wellgram.simulate import rxrx3_core


def energy(x, y):
    """By all pairs, a row with itself too."""
    cross, xs, ys = (
        np.linalg.norm(a[:, None] - b, axis=2).mean() for a, b in ((x, y), (x, x), (y, y))
    )
    return 2 * cross - xs - ys


SIZES = (6, 8, 9, 3)


def test_the_published_value():
    """Five copies of (1, ..., 5) against five of (6, ..., 10), and against itself."""
    near, far = np.tile(np.arange(1.0, 6), (5, 1)), np.tile(np.arange(6.0, 11), (5, 1))
    wells = Wells.from_arrays(
        np.concatenate([far, near, near]), [*["far"] * 5, *["near"] * 5, *["c"] * 5], control="c"
    )
    table = magnitude(wells, draws=3).table.set_index("perturbation")
    assert table.loc["far", "energy_distance"] == pytest.approx(22.36, abs=5e-3)
    assert table.loc["near", "energy_distance"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("align", ["none", "center-scale"])
def test_the_score_is_the_energy_distance(align):
    wells = rxrx3_core(scale=0.02, seed=1, features=12).wells()
    fitted = alignment(align)
    result = magnitude(wells, fitted, max_controls=150, draws=2, seed=6, max_wells=30)
    y = (wells.embeddings if fitted is None else fitted.transform(wells)).astype(np.float64)
    controls = np.flatnonzero(wells.metadata["is_control"])
    drawn = random_subsets(len(controls), 150, 1, seed=6, stream=stream_of("controls"))[0]
    base = y[controls[drawn]]
    scored = result.table[result.table["energy_distance"].notna()]
    for row in scored.sample(12, random_state=0).itertuples():
        of = wells.metadata["in_map"] & (wells.metadata["perturbation"] == row.perturbation)
        of &= wells.metadata["perturbation_type"] == row.perturbation_type
        if not np.isnan(row.dose):
            of &= wells.metadata["dose"] == row.dose
        expected = energy(y[of.to_numpy()], base)
        assert row.energy_distance == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert set(result.table["reason"]) >= {"", "controls", "too few wells"}
    no_figure = result.table["reason"].isin(["controls", "too few wells"])
    assert result.table.loc[no_figure, ["energy_distance", "p_value"]].isna().all(axis=None)
    large = result.table["reason"] == "too many wells for a permutation null"
    assert result.table.loc[large, "energy_distance"].notna().all()
    assert result.table.loc[large, "p_value"].isna().all()


def test_effects_are_found_and_their_absence_too(rng):
    strong = magnitude(make_wells(rng, (8,) * 40, effect=1.5), draws=500).table
    assert (strong["q_value"] < 0.05).mean() > 0.5  # the null has wells with effects, too
    none = magnitude(make_wells(rng, (8,) * 200), draws=2000).table
    assert kstest(none["p_value"], "uniform").pvalue > 0.01
    assert (none["q_value"] < 0.05).sum() == 0


def test_negatives_make_the_null(rng):
    wells = make_wells(rng, (6,) * 10, effect=1.0)
    negatives = ["p0", "p1", "p2", "p3"]
    result = magnitude(wells, null="negatives", negatives=negatives, p_form="share-above")
    table = result.table.set_index("perturbation")
    background = table.loc[negatives, "energy_distance"].to_numpy()
    for row in table.drop(negatives).itertuples():
        assert row.p_value == pytest.approx(np.mean(background > row.energy_distance))
    assert (table.loc[negatives, "reason"] == "in the null").all()
    assert "4 perturbations that do nothing" in repr(result)


def test_the_same_seed_gives_the_same_p_values_everywhere(rng, monkeypatch):
    wells = make_wells(rng, SIZES, effect=0.3)
    first = magnitude(wells, draws=200, seed=11, max_controls=20).table
    for backend, threads in (("cpu", "1"), ("cpu", "2"), ("reference", "1")):
        monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
        again = magnitude(wells, draws=200, seed=11, max_controls=20, backend=backend).table
        np.testing.assert_array_equal(again["p_value"], first["p_value"])
    other = magnitude(wells, draws=200, seed=12, max_controls=20).table
    assert (other["energy_distance"] != first["energy_distance"]).any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"null": "chance"}, "unknown null"),
        ({"null": "negatives", "negatives": ["x"]}, "no perturbation of the map is a negative"),
        ({"null": "negatives", "negatives": ["p3"]}, "no negative control has 5 wells"),
        ({"negatives": ["p0"]}, "null='negatives'"),
        ({"draws": 0}, "draws must be 1"),
        ({"max_controls": 0}, "max_controls must be 1"),
        ({"min_wells": 100}, "has 100 wells"),
        ({"seed": 0.5}, "seed must be a whole number"),
    ],
)
def test_what_cannot_be_tested(rng, options, words):
    with pytest.raises(InputError, match=words):
        magnitude(make_wells(rng, SIZES), **{"draws": 5, "max_controls": 10} | options)


def test_no_control(rng):
    wells = make_wells(rng, SIZES)
    bare = Wells(wells.embeddings, wells.metadata.assign(is_control=False))
    with pytest.raises(InputError, match="no control well"):
        magnitude(bare)


def test_plot_and_save(rng, tmp_path):
    result = magnitude(make_wells(rng, SIZES), draws=20)
    result.save(tmp_path / "magnitude.csv")
    assert result.plot().get_xlabel() == "p-value"
    assert "random sets of as many wells" in repr(result)
