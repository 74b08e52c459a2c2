"""Mixing and similarity by their definitions; the study recovers what is planted."""

import importlib.util

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_samples

from helpers.class_wells import Cheat, toy
from wellgram import CenterScale, Harmony, InputError, batch_study
from wellgram.metrics.batch_measures import batch_accuracy, mixing, similarities
from wellgram.metrics.mixing import kbet, lisi, nearest_with_self, scaled_lisi, silhouettes
from wellgram.simulate import rxrx1


@pytest.fixture(scope="module")
def simulated():
    return rxrx1(0.1, seed=2, features=48)


@pytest.fixture(scope="module")
def study(simulated):
    corrections = ["none", "center-scale", "pca-center-scale"]
    return batch_study(simulated.wells(), corrections, split="dataset", resamples=200)


def groups(rng, n=240, batches=4, apart=0.0):
    batch = np.arange(n) % batches
    x = rng.normal(size=(n, 8)) + apart * rng.normal(size=(batches, 8))[batch]
    return x, batch


def test_the_planted_order_is_recovered(simulated, study):
    assert tuple(study.table["correction"]) == tuple(reversed(simulated.corrections))
    assert study.best == simulated.corrections[-1]
    table = study.table.set_index("correction")
    nearest = table.loc[list(simulated.corrections), "nearest"]
    assert (np.diff(nearest) > 0).all()
    assert (table.loc[["center-scale", "pca-center-scale"], "gain_ci_low"] > 0).all()
    assert table.loc["none", ["gain", "gain_ci_low", "gain_ci_high"]].tolist() == [0, 0, 0]
    assert table["batch_removed"].idxmin() == "none"


def test_what_the_table_has_is_what_was_planted(simulated, study):
    table = study.table.set_index("correction")
    assert table.loc["none", "batch_accuracy"] > 0.95  # shifts of experiments are large
    assert table.loc["none", "same_batch"] > table.loc["none", "same_perturbation"]
    best = table.loc["pca-center-scale"]
    assert best["same_perturbation"] > best["same_batch"]
    for name in ("kbet", "ilisi", "silhouette_batch"):
        assert table.loc["center-scale", name] > table.loc["none", name]
    assert best["mean_average_precision"] > 2 * table.loc["none", "mean_average_precision"]
    shares = table.drop(columns=["rank", "gain", "gain_ci_low", "gain_ci_high", "same_batch"])
    assert shares.to_numpy().min() >= 0
    assert shares.to_numpy().max() <= 1


def test_each_cell_type_is_scored(simulated, study):
    kinds = study.by_kind
    assert len(kinds) == 3 * 2 * 4
    own = kinds[(kinds["correction"] == "none") & (kinds["classifier"] == "probe")]
    tested = simulated.wells().metadata.query("dataset == 'test'")
    counts = tested["cell_type"].value_counts()
    assert own.set_index("cell_type")["n_wells"].to_dict() == counts.to_dict()


def test_known_pairs_are_scored_beside(simulated):
    wells = simulated.wells()
    names = sorted(set(wells.metadata["perturbation"]))
    pairs = pd.DataFrame({"entity1": names[:20], "entity2": names[20:40]})
    study = batch_study(wells, ["none"], split="dataset", sources={"any": pairs})
    assert 0 <= study.table["recall"].iloc[0] <= 1


def test_a_correction_that_is_fitted_on_labels_is_no_better_for_it(simulated):
    tried = {"center-scale": CenterScale(), "cheat": Cheat()}
    study = batch_study(simulated.wells(), tried, split="dataset", resamples=50)
    assert study.best == "center-scale"
    assert study.table.set_index("correction").loc["cheat", "gain_ci_high"] < 0
    with pytest.raises(InputError, match="was fitted before"):
        batch_study(
            simulated.wells(), {"mine": CenterScale().fit(simulated.wells())}, split="dataset"
        )


def test_a_correction_that_cannot_be_fitted_is_skipped_with_the_reason():
    wells = toy()
    alone = (wells.metadata["batch"] == "b2") & wells.metadata["is_control"]
    wells.metadata.loc[alone, "is_control"] = False
    study = batch_study(wells, ["none", "center-scale"], resamples=20)
    assert "no control well in batch 'b2'" in study.skipped["center-scale"]
    assert "center-scale: skipped" in repr(study)
    with pytest.raises(InputError, match="no correction could be fitted"):
        batch_study(wells, ["center-scale"])


def test_harmony_is_skipped_where_its_package_is_absent(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "wellgram.align.harmony.find_spec",
        lambda name: None if name == "harmonypy" else real(name),
    )
    study = batch_study(toy(), ["none", "harmony"], resamples=20)
    assert "wellgram[harmony]" in study.skipped["harmony"]


def test_classes_that_were_never_trained_are_named():
    wells = toy(dataset=lambda batch, code: np.where(batch < "b4", "train", "test"))
    new = (wells.metadata["batch"] == "b5") & (wells.metadata["perturbation"] == "p3")
    wells.metadata.loc[new, "perturbation"] = "new"
    assert batch_study(wells, ["none"], split="dataset", resamples=20).untrained == ["new"]


@pytest.mark.parametrize(
    ("options", "word"),
    [({"corrections": []}, "no correction"), ({"corrections": ["fix"]}, "unknown alignment 'fix'")],
)
def test_corrections_that_are_not_there_are_refused(options, word):
    with pytest.raises(InputError, match=word):
        batch_study(toy(), **options)


def test_a_study_is_saved_and_drawn(study, tmp_path):
    study.save(tmp_path)
    saved = pd.read_csv(tmp_path / "corrections.csv")
    assert saved["correction"].tolist() == study.table["correction"].tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corrections.csv", "kinds.csv", "skipped.csv", "study.png",
    ]  # fmt: skip
    assert study.plot().get_ylabel() == "biology kept"


def test_similarities_are_those_of_all_pairs(rng):
    n = 90
    x = rng.normal(size=(n, 6)) + 0.5
    perturbation, batch = rng.integers(0, 7, n), rng.integers(0, 5, n)
    kind = batch // 3
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same_p, same_b, same_k = (a[:, None] == a for a in (perturbation, batch, kind))
    found = similarities(x, perturbation, batch, kind)
    assert found.same_perturbation == pytest.approx(cosines[same_p & ~same_b & same_k].mean())
    assert found.same_batch == pytest.approx(cosines[same_b & ~same_p].mean())


def test_similarities_of_no_pair_are_none(rng):
    alone = similarities(rng.normal(size=(4, 3)), np.arange(4), np.arange(4), np.zeros(4, int))
    assert np.isnan([alone.same_perturbation, alone.same_batch]).all()


def test_batches_are_told_where_they_differ_and_not_where_they_do_not(rng):
    x, batch = groups(rng, n=800)
    # 400 wells are tested, a quarter of them right by chance: 0.25 and 4.6 standard errors.
    assert abs(batch_accuracy(x, batch) - 0.25) < 0.1
    assert batch_accuracy(*groups(rng, n=800, apart=3.0)) > 0.95


def test_mixing_is_1_where_batches_mix_and_0_where_they_lie_apart(rng):
    kind, label = np.zeros(240, np.int64), np.arange(240) % 3
    mixed, batch = groups(rng)
    good = mixing(mixed, label, batch, kind)
    apart, _ = groups(rng, apart=20.0)
    bad = mixing(apart, label, batch, kind)
    assert good["kbet"] > 0.8
    assert bad["kbet"] == 0
    assert good["ilisi"] > 0.8
    assert bad["ilisi"] < 0.5  # 90 neighbours of 60 wells of a batch: some are of others
    assert good["silhouette_batch"] > bad["silhouette_batch"] + 0.3


def test_mixing_is_judged_within_cell_types(rng):
    """Cell types lie apart and have batches of their own: that is no fault of batches."""
    x, batch = groups(rng, n=400)
    kind = batch // 2
    label = np.arange(400) % 3
    apart = x + 20 * rng.normal(size=(2, 8))[kind]
    within = mixing(apart, label, batch, kind)
    assert within["kbet"] > 0.8
    assert mixing(apart, label, batch, np.zeros(400, np.int64))["kbet"] < 0.2
    alone = mixing(x, label, np.zeros(400, np.int64), np.zeros(400, np.int64))
    assert np.isnan(alone["kbet"])


def test_nearest_begin_with_the_row_itself(rng):
    x = rng.normal(size=(50, 4))
    near, apart = nearest_with_self(x, 6)
    np.testing.assert_array_equal(near[:, 0], np.arange(50))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    distances = np.linalg.norm(unit[:, None] - unit, axis=-1)
    # The root of a difference of 1 - cosine, which is exact to 1e-16: 1e-8 near 0.
    np.testing.assert_allclose(apart, np.sort(distances, axis=1)[:, :6], atol=1e-7)


def test_kbet_tests_each_neighbourhood_by_chi_squared():
    from scipy.stats import chisquare

    rng = np.random.default_rng(0)
    near = rng.integers(0, 60, (60, 20))
    batch = np.repeat([0, 0, 1, 2], 15)
    expected = np.bincount(batch) / 60 * 20
    p = [chisquare(np.bincount(batch[row], minlength=3), expected).pvalue for row in near]
    assert kbet(near, batch) == pytest.approx((np.array(p) >= 0.05).mean())


def test_lisi_counts_the_codes_around():
    near, apart = nearest_with_self(np.random.default_rng(1).normal(size=(300, 5)), 60)
    one = lisi(near, apart, np.zeros(300, np.int64))
    np.testing.assert_allclose(one, 1)
    codes = np.arange(300) % 2
    assert 1.7 < np.median(lisi(near, apart, codes)) <= 2
    assert 0.7 < scaled_lisi(lisi(near, apart, codes), codes) <= 1


def test_silhouettes_are_those_of_scikit_learn(rng):
    x, codes = rng.normal(size=(200, 5)) + 100, rng.integers(0, 6, 200)
    codes[0] = 6  # alone
    np.testing.assert_allclose(silhouettes(x, codes), silhouette_samples(x, codes), atol=1e-10)


def test_blocks_do_not_change_silhouettes_or_lisi(rng, monkeypatch):
    x, codes = rng.normal(size=(90, 5)), rng.integers(0, 3, 90)
    near, apart = nearest_with_self(x, 30)
    whole = silhouettes(x, codes), lisi(near, apart, codes)
    monkeypatch.setattr("wellgram.metrics.mixing._CHUNK_BYTES", 1)
    for one, other in zip(whole, (silhouettes(x, codes), lisi(near, apart, codes)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


class TestHarmony:
    """By the public package, where it is installed."""

    @pytest.fixture(autouse=True)
    def _needs(self):
        pytest.importorskip("harmonypy", reason="harmonypy is absent (pip install harmonypy)")

    def test_it_takes_batches_off(self):
        wells = toy(batches=4, repeats=6)
        batches, _ = wells.batches()
        wells.embeddings[:] += 4 * np.random.default_rng(3).normal(size=(4, 8))[batches]
        before = batch_accuracy(wells.embeddings, batches)
        after = batch_accuracy(Harmony().fit_transform(wells), batches)
        assert before > 0.95
        assert after < before - 0.2

    def test_it_corrects_what_it_was_fitted_to_and_nothing_else(self):
        wells = toy()
        fitted = Harmony(components=3).fit(wells)
        assert fitted.transform(wells).shape == (len(wells), 3)
        with pytest.raises(InputError, match="no others"):
            fitted.transform(wells.embeddings[:10], batch=["b0"] * 10)

    def test_it_needs_two_batches(self):
        with pytest.raises(InputError, match="two batches"):
            Harmony().fit(np.ones((4, 2)))


def test_harmony_refuses_too_few_components():
    with pytest.raises(InputError, match="components"):
        Harmony(components=1)
