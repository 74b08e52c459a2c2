"""Replicate consistency against its definition, and what it finds in screens with known truth."""

import numpy as np
import pytest
from scipy.stats import kstest

from helpers.maps_and_wells import make_wells
from helpers.small_screens import plate, write_csv
from wellgram import InputError, Wells, consistency, open_wells, read_wells
from wellgram.align import alignment
from wellgram.metrics.replicate_consistency import mean_cosines
from wellgram.nulls import stratified_null
from wellgram.simulate import rxrx3_core


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.02, seed=1, features=32)


def pairwise(rows):
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(rows), 1)].mean()


@pytest.mark.parametrize("align", ["none", "center-scale", "tvn"])
def test_the_score_is_the_mean_of_all_pairs(screen, align):
    wells = screen.wells()
    precise = Wells(wells.embeddings.astype(np.float64), wells.metadata)
    fitted = alignment(align)
    table = consistency(precise, fitted, draws=10).table
    y = precise.embeddings if fitted is None else fitted.transform(precise)
    for row in table.sample(15, random_state=0).itertuples():
        of = precise.metadata["perturbation"] == row.perturbation
        of &= precise.metadata["in_map"] & (
            precise.metadata["perturbation_type"] == row.perturbation_type
        )
        if not np.isnan(row.dose):
            of &= precise.metadata["dose"] == row.dose
        assert row.n_wells == of.sum()
        np.testing.assert_allclose(row.mean_cosine, pairwise(y[of.to_numpy()]), atol=1e-11)


@pytest.mark.parametrize("null", ["permutation", "batches"])
@pytest.mark.parametrize("nested", [False, True])
def test_effects_are_found_and_their_absence_too(rng, null, nested):
    """Perturbations of a fixed number of wells: with an effect, and without, by the same test."""
    options = {"null": null, "nested": nested, "draws": 2000, "seed": 4}
    strong = consistency(make_wells(rng, (8,) * 40, effect=1.0), **options).table
    assert (strong["q_value"] < 0.05).mean() > 0.9
    none = consistency(make_wells(rng, (8,) * 200), **options).table
    assert kstest(none["p_value"], "uniform").pvalue > 0.01
    assert (none["q_value"] < 0.05).sum() == 0


def test_a_batch_effect_is_in_the_null_of_batches(rng):
    """Wells of a perturbation all lie in one batch: alike, but no more so than their batch is."""
    wells = make_wells(rng, (8,) * 60, batches=1)
    batch = np.repeat(np.arange(60) % 6, 8).astype(str)
    batch = np.concatenate([batch, ["0", "1"] * 15])
    x = wells.embeddings + 2 * rng.normal(size=(6, 16))[batch.astype(int)]
    shifted = Wells(x, wells.metadata.assign(batch=batch))
    plain, within = (
        consistency(shifted, null=null, draws=1000).table["p_value"]
        for null in ("permutation", "batches")
    )
    assert (plain < 0.01).all()
    assert kstest(within, "uniform").pvalue > 0.01


def test_the_same_seed_gives_the_same_p_values_everywhere(rng, monkeypatch):
    wells = make_wells(rng, (6, 2, 9, 6, 40), effect=0.3)
    for null in ("batches", "permutation"):
        first = consistency(wells, null=null, draws=300, seed=11).table
        for backend, threads in (("cpu", "1"), ("cpu", "2"), ("reference", "1")):
            monkeypatch.setenv("WELLGRAM_NUM_THREADS", threads)
            again = consistency(wells, null=null, draws=300, seed=11, backend=backend).table
            np.testing.assert_array_equal(again["p_value"], first["p_value"])
        other = consistency(wells, null=null, draws=300, seed=12).table
        assert (other["p_value"] != first["p_value"]).any()


def test_a_group_of_one_has_a_reason_and_no_score(rng):
    result = consistency(make_wells(rng), draws=50)
    one = result.table.set_index("perturbation").loc["p3"]
    assert one["reason"] == "one well"
    assert np.isnan([one["mean_cosine"], one["p_value"], one["q_value"], one["null_mean"]]).all()
    assert result.table["reason"].tolist() == ["", "", "", "one well"]
    assert "of 3 perturbations" in repr(result)


def test_negatives_make_the_null_and_are_not_scored(rng):
    wells = make_wells(rng, (5,) * 12, effect=1.0)
    result = consistency(
        wells, null="negatives", negatives=["p0", "p1", "p2", "absent"], p_form="share"
    )
    table = result.table.set_index("perturbation")
    null = np.sort(table.loc[["p0", "p1", "p2"], "mean_cosine"])
    for row in table.drop(["p0", "p1", "p2"]).itertuples():
        assert row.p_value == pytest.approx(np.mean(null >= row.mean_cosine))
    assert (table.loc[["p0", "p1", "p2"], "reason"] == "in the null").all()
    assert table.loc[["p0", "p1", "p2"], "p_value"].isna().all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"null": "chance"}, "unknown null"),
        ({"null": "negatives"}, "no perturbation of the map is a negative control"),
        ({"null": "negatives", "negatives": ["x"]}, r"first: 'x'"),
        ({"negatives": ["p0"]}, "null='negatives'"),
        ({"draws": 0}, "draws must be"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"p_form": "z"}, "unknown form"),
    ],
)
def test_what_cannot_be_tested(rng, options, words):
    with pytest.raises(InputError, match=words):
        consistency(make_wells(rng), **{"draws": 20} | options)


def test_no_replicates(rng):
    with pytest.raises(InputError, match="no replicates"):
        consistency(make_wells(rng, (1, 1, 1)))


def test_a_stream_and_files(rng, tmp_path, screen):
    result = consistency(screen.wells(), draws=20)
    result.save(tmp_path / "consistency.csv")
    assert result.plot().get_xlabel() == "p-value"
    path = write_csv(tmp_path / "p.csv", plate())
    stream, held = (get(path, layout="cell-painting") for get in (open_wells, read_wells))
    for name in ("none", "center-scale", "inverse-normal"):
        tables = [consistency(w, alignment(name), draws=20).table for w in (stream, held)]
        np.testing.assert_array_equal(*(table["p_value"] for table in tables))


def test_scores_of_equal_sets_are_equal_in_any_order(rng):
    rows = np.asarray(rng.normal(size=(50, 9)))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = rng.permutation(50)
    one, other = (mean_cosines(unit[k], np.zeros(50, np.int64), 1) for k in (np.arange(50), order))
    assert one == other


def test_the_false_discovery_rate_holds_where_some_have_an_effect():
    """60 of 300 perturbations have one; at 10 %, few of those found are among the other 240."""
    false, found = 0, 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        wells = make_wells(rng, (8,) * 300)
        shift = np.repeat(1.2 * rng.normal(size=(60, 16)), 8, axis=0)
        wells.embeddings[: len(shift)] += shift
        table = consistency(wells, draws=2000, seed=seed).table
        discovered = table["perturbation"][table["q_value"] <= 0.1].str[1:].astype(int)
        false, found = false + int((discovered >= 60).sum()), found + len(discovered)
    assert found > 200
    # Expected at most 0.1 x 0.8 of those found; three standard deviations above.
    assert false <= 0.08 * found + 3 * np.sqrt(0.08 * found)


@pytest.mark.parametrize("null", ["permutation", "batches"])
def test_angles_by_hand(rng, null):
    """The score, and a null of the very sets that cosines are drawn for, pair by pair."""
    wells = make_wells(rng, (6, 2, 9, 1), effect=0.5)
    options = {"null": null, "draws": 200, "seed": 9}
    table = consistency(wells, measure="angle", **options).table
    unit = wells.embeddings / np.linalg.norm(wells.embeddings, axis=1, keepdims=True)
    for row in table.itertuples():
        own = unit[(wells.metadata["perturbation"] == row.perturbation).to_numpy()]
        if len(own) < 2:
            assert row.reason == "one well"
            continue
        i, j = np.triu_indices(len(own), 1)
        angles = np.arccos((own @ own.T)[i, j])
        np.testing.assert_allclose(row.mean_angle, angles.mean(), rtol=1e-6)
    pair = table[table["n_wells"] == 2].iloc[0]
    by_cosine = consistency(wells, **options).table
    # Of two wells the angle is that of the cosine, so sets and p-values are the same.
    assert pair["p_value"] == by_cosine[by_cosine["n_wells"] == 2].iloc[0]["p_value"]
    assert abs(pair["null_mean"] - np.pi / 2) < 0.2


def test_angles_find_effects_and_spare_large_sets(rng):
    strong = consistency(make_wells(rng, (8,) * 20, effect=1.0), measure="angle", draws=1000).table
    assert (strong["q_value"] < 0.05).mean() > 0.9
    many = consistency(make_wells(rng, (201, 4)), measure="angle", draws=20).table
    assert many["reason"].tolist() == ["too many wells for a null of angles", ""]
    assert many["mean_angle"].notna().all()
    assert many["p_value"].isna().tolist() == [True, False]
    table = consistency(
        make_wells(rng, (8,) * 20, effect=1.0), measure="angle", null="negatives", negatives=["p1"]
    ).table
    assert table["p_value"].notna().sum() == 19
    with pytest.raises(InputError, match="unknown measure 'sine'"):
        consistency(make_wells(rng), measure="sine")


def test_the_work_of_a_null_of_batches_grows_with_the_wells(rng, monkeypatch):
    """A kind of sets is handed the wells of its own batches, not those of all."""
    handed = []

    def counted(unit, strata, taken, draws, **named):
        handed.append(sum(map(len, strata)))
        return stratified_null(unit, strata, taken, draws, **named)

    monkeypatch.setattr("wellgram.metrics.replicate_consistency.stratified_null", counted)
    wells_per_batch, batches = 3, 4_000
    n = wells_per_batch * batches
    names = np.array([f"g{k % 40}" for k in range(n)], object)
    names[::wells_per_batch] = "NTC"
    batch = np.arange(n) // wells_per_batch
    rows = rng.standard_normal((n, 2))
    consistency(Wells.from_arrays(rows, names, control="NTC", batch=batch), draws=2)
    tested = n - batches
    assert sum(handed) <= wells_per_batch * tested
