"""The nearest profile of another compound, and of another batch, against a brute force."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import wellgram as wg
from wellgram import InputError, PerturbationMap, Wells, mechanism_accuracy
from wellgram.metrics.blinding import HIDDEN
from wellgram.pairs import nearest_outside

MATCHINGS = {
    "not-same-compound": ("perturbation",),
    "not-same-compound-and-batch": ("perturbation", "week"),
}
MECHANISMS = ["actin", "kinase", "tubulin", "lone", "single week"]


def treatments(seed=0, compounds=14, doses=3, features=12, dtype=np.float64):
    """Rows of compounds at doses; one mechanism has one compound, another is in one week only."""
    rng = np.random.default_rng(seed)
    compound = np.repeat(np.arange(compounds), doses)
    mechanism = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 4, 4])[compound]
    week = rng.integers(0, 3, len(compound))
    week[mechanism == 4] = 1
    rows = rng.normal(size=(5, features))[mechanism] + rng.normal(size=(len(compound), features))
    labels = pd.DataFrame(
        {
            "perturbation": [f"c{k:02d}" for k in compound],
            "dose": np.tile(np.arange(doses), compounds).astype(float),
            "moa": [MECHANISMS[k] for k in mechanism],
            "week": [f"w{k}" for k in week],
        }
    )
    order = rng.permutation(len(labels))
    return (rows + 3)[order].astype(dtype), labels.iloc[order].reset_index(drop=True)


def similarities(rows, similarity):
    if similarity == "correlation":
        return np.corrcoef(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def brute_force(rows, labels, columns, similarity):
    """For each row its nearest partner, or -1 where no partner has its label, and the chance."""
    values = similarities(rows.astype(np.float64), similarity)
    moa = labels["moa"].to_numpy()
    keys = [labels[column].to_numpy() for column in columns]
    n = len(labels)
    allowed = np.array([[all(k[i] != k[j] for k in keys) for j in range(n)] for i in range(n)])
    tested = np.array([any(allowed[i, j] and moa[i] == moa[j] for j in range(n)) for i in range(n)])
    allowed &= np.isin(moa, moa[tested])  # the columns: those of labels that are in play
    nearest, chance = np.full(n, -1), []
    for i in np.flatnonzero(tested):
        partners = np.flatnonzero(allowed[i])
        nearest[i] = partners[values[i, partners].argmax()]
        chance.append((moa[partners] == moa[i]).mean())
    return nearest, np.mean(chance)


@pytest.mark.parametrize("similarity", ["cosine", "correlation"])
@pytest.mark.parametrize("matching", MATCHINGS)
@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_allowed_profile_is_that_of_a_brute_force(matching, similarity, seed, dtype):
    rows, labels = treatments(seed, dtype=dtype)
    result = mechanism_accuracy(
        PerturbationMap(rows, labels),
        label="moa",
        matching=matching,
        batch="week",
        similarity=similarity,
    )
    nearest, chance = brute_force(rows, labels, MATCHINGS[matching], similarity)
    moa, tested = labels["moa"].to_numpy(), nearest >= 0
    np.testing.assert_array_equal(result.table["neighbor_row"], nearest)
    assert result.n_tested == tested.sum()
    assert result.n_right == (moa[nearest] == moa)[tested].sum()
    assert result.chance == pytest.approx(chance, rel=1e-12)
    expected = pd.crosstab(moa[tested], moa[nearest[tested]])
    expected = expected.reindex(index=result.confusion.index, columns=result.confusion.columns)
    np.testing.assert_array_equal(result.confusion, expected.fillna(0))
    assert sorted(result.confusion.index) == sorted({*moa[tested]})
    found = result.table["similarity"][tested]
    i = np.flatnonzero(tested)
    # float32 rows: a product errs by some 1e-7.
    values = similarities(rows.astype(np.float64), similarity)[i, nearest[i]]
    np.testing.assert_allclose(found, values, atol=1e-12 if dtype == np.float64 else 1e-6)


def test_a_profile_that_cannot_be_right_is_left_out_with_the_reason():
    rows, labels = treatments()
    for matching, wanted in (
        ("not-same-compound", {("its label has one compound only", "lone"): 3}),
        (
            "not-same-compound-and-batch",
            {
                ("its label has one compound only", "lone"): 3,
                ("its label is in one batch only", "single week"): 6,
            },
        ),
    ):
        result = mechanism_accuracy(
            PerturbationMap(rows, labels), label="moa", matching=matching, batch="week"
        )
        counts = result.left_out.set_index(["reason", "label"])["n_profiles"]
        assert counts.to_dict() == wanted
        assert result.n_tested + sum(wanted.values()) == len(labels)
        assert "lone" not in result.confusion.index
        assert f"{sum(wanted.values())} left out" in repr(result)
        out = result.table[result.table["reason"] != ""]
        assert out["predicted"].isna().all()
        assert not out["is_right"].any()


def test_a_profile_without_a_partner_of_its_label_is_left_out_and_still_looked_among():
    labels = pd.DataFrame(
        {
            "perturbation": ["a", "a", "b", "c", "d"],
            "moa": ["x", "x", "x", "y", "y"],
            "week": ["1", "2", "1", "1", "2"],
        }
    )
    # The first row, of compound a in week 1, has no partner of x; it is the nearest of d.
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.2, 0.9], [-1.0, 0.4], [1.0, 0.1]])
    result = mechanism_accuracy(
        PerturbationMap(rows, labels), label="moa", matching="not-same-compound-and-batch",
        batch="week",
    )  # fmt: skip
    assert result.table["reason"].tolist() == [
        "no profile of its label is of another compound and another batch", "", "", "", "",
    ]  # fmt: skip
    assert result.table["neighbor_row"].tolist()[4] == 0
    assert result.table["predicted"].tolist()[4] == "x"


def test_values_that_say_nothing_are_no_label_compound_or_batch():
    rows, labels = treatments(1)
    labels["moa"] = labels["moa"].astype(object)
    labels["week"] = labels["week"].astype(object)
    known = labels[labels["moa"].isin(MECHANISMS[:3])].index
    labels.loc[known[0], "moa"] = None
    labels.loc[known[1], "moa"] = "nan"
    labels.loc[known[2], "week"] = " "
    result = mechanism_accuracy(
        PerturbationMap(rows, labels), label="moa", matching="not-same-compound-and-batch",
        batch="week",
    )  # fmt: skip
    reasons = result.table["reason"][known[:3]].tolist()
    assert reasons == [*["it has no value in column 'moa'"] * 2, "it has no value in column 'week'"]
    assert not {"nan", "None", ""} & set(result.confusion.index)
    assert not np.isin(result.table["neighbor_row"], known[:3]).any()


def test_the_interval_is_wilsons():
    rows, labels = treatments()
    result = mechanism_accuracy(PerturbationMap(rows, labels), label="moa")
    k, n, z = result.n_right, result.n_tested, norm.ppf(0.975)
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    assert result.interval == pytest.approx((centre - half, centre + half), rel=1e-12)
    assert result.accuracy == k / n
    assert f"{k} of {n} right" in repr(result)


def test_wells_are_aligned_and_those_outside_of_the_map_are_not_looked_among():
    rng = np.random.default_rng(3)
    perturbation = np.tile(["DMSO", "DMSO", "a", "b", "c", "d"], 8)
    batch = np.repeat([f"p{k}" for k in range(4)], 12)
    moa = pd.Series(perturbation).map({"a": "x", "b": "x", "c": "y", "d": "y"})
    centres = {"DMSO": 0, "a": 1, "b": 1, "c": -1, "d": -1}
    x = np.array([centres[p] for p in perturbation])[:, None] * [4, -4, 4, 0, 0, 2.0]
    shift = 30 * rng.normal(size=(4, 6))[np.repeat(np.arange(4), 12)]
    x = x + rng.normal(size=x.shape) + shift
    wells = Wells.from_arrays(x, perturbation, control="DMSO", batch=batch)
    wells.metadata["moa"] = moa
    options = {"label": "moa", "matching": "not-same-compound-and-batch"}
    result = mechanism_accuracy(wells, wg.CenterScale(), **options)
    treated = perturbation != "DMSO"
    labels = wells.metadata[treated].reset_index(drop=True)
    aligned = wg.CenterScale().fit_transform(wells)[treated]
    nearest, _ = brute_force(aligned, labels, ("perturbation", "batch"), "cosine")
    np.testing.assert_array_equal(result.table["neighbor_row"], nearest)
    assert result.table["well_id"].tolist() == labels["well_id"].tolist()
    assert result.accuracy == 1
    assert mechanism_accuracy(wells, **options).accuracy < 0.9  # what the shifts hide


def test_noise_is_at_chance():
    """20 seeds of noise, whose batches shift it: NSCB is at its chance, and batches do not help."""
    right = tested = expected = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        _, labels = treatments(seed)
        weeks = pd.factorize(labels["week"])[0]
        rows = rng.normal(size=(len(labels), 12)) + 2 * rng.normal(size=(3, 12))[weeks]
        result = mechanism_accuracy(
            PerturbationMap(rows, labels), label="moa", matching="not-same-compound-and-batch",
            batch="week",
        )  # fmt: skip
        right, tested = right + result.n_right, tested + result.n_tested
        expected += result.chance * result.n_tested
    # Doses are drawn apart here, so counts are near binomial; four standard deviations.
    share = expected / tested
    assert abs(right - expected) < 4 * np.sqrt(tested * share * (1 - share))


class Spy(wg.InverseNormal):
    """Notes what it is shown of the wells."""

    shown = pd.DataFrame()

    def aligned(self, x, **options):
        Spy.shown = x.metadata
        return x


def test_labels_are_hidden_from_the_alignment():
    rows, labels = treatments()
    wells = Wells.from_arrays(rows, labels["perturbation"], control="c00", batch=labels["week"])
    wells.metadata["moa"] = labels["moa"]
    mechanism_accuracy(wells, Spy(), label="moa")
    assert "moa" not in Spy.shown
    assert set(Spy.shown["perturbation"]) == {HIDDEN, "c00"}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"label": "target"}, r"no column 'target' \(label=\).*moa, week"),
        ({"compound": "drug"}, r"no column 'drug' \(compound=\)"),
        ({"matching": "not-same-compound-and-batch"}, r"no column 'batch' \(batch=\)"),
        ({"matching": "nsc"}, "unknown matching 'nsc'; choose 'not-same-compound' or"),
        ({"similarity": "euclidean"}, "unknown similarity 'euclidean'; choose 'cosine' or"),
        ({"label": "targets"}, "'targets' holds lists"),
        ({"label": "perturbation"}, "none of 42 profiles can be tested .* one compound only"),
        ({"align": wg.CenterScale()}, "give align= to build_map"),
    ],
)
def test_what_cannot_be_used_is_refused(options, word):
    rows, labels = treatments()
    labels["targets"] = [["A", "B"]] * len(labels)
    with pytest.raises(InputError, match=word):
        mechanism_accuracy(PerturbationMap(rows, labels), **{"label": "moa"} | options)


def test_an_alignment_that_was_fitted_is_refused():
    rows, labels = treatments()
    wells = Wells.from_arrays(rows, labels["perturbation"], control="c00", batch=labels["week"])
    wells.metadata["moa"] = labels["moa"]
    with pytest.raises(InputError, match="was fitted before"):
        mechanism_accuracy(wells, wg.Standardize().fit(wells), label="moa")


def test_the_table_is_saved(tmp_path):
    rows, labels = treatments()
    result = mechanism_accuracy(PerturbationMap(rows, labels), label="moa")
    result.save(tmp_path / "nearest.csv")
    saved = pd.read_csv(tmp_path / "nearest.csv")
    assert saved["neighbor_row"].tolist() == result.table["neighbor_row"].tolist()


def test_rows_of_several_chunks_and_rows_without_partner(monkeypatch):
    monkeypatch.setattr("wellgram.pairs.outside_groups._CHUNK_CELLS", 100)
    rng = np.random.default_rng(5)
    x, groups = rng.normal(size=(31, 4)), rng.integers(0, 4, (2, 31))
    shares = []
    nearest, cosines = nearest_outside(x, groups, progress=shares.append)
    values = similarities(x, "cosine")
    values[(groups[:, :, None] == groups[:, None, :]).any(axis=0)] = -9
    np.testing.assert_array_equal(nearest, values.argmax(axis=1))
    np.testing.assert_allclose(cosines, values.max(axis=1), atol=1e-12)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    alone, nothing = nearest_outside(x, [np.zeros(31, np.int64)])
    assert (alone == -1).all()
    assert np.isnan(nothing).all()


def test_among_equal_cosines_the_first_row_is_the_nearest():
    x = np.ones((6, 3))
    nearest, _ = nearest_outside(x, [np.array([0, 0, 1, 1, 2, 2])])
    assert nearest.tolist() == [2, 2, 0, 0, 0, 0]
