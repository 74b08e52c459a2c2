"""The stand-in for scikit-learn's silhouettes beside the original."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, outcome, quiet_profile, same_error

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is absent")


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def silhouettes():
    return Pair(":silhouette_samples")


def sample(n=700, d=6, classes=9, spread=1.0, seed=0):
    """Rows in classes, and the class of each."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(classes, size=n)
    return spread * rng.normal(size=(n, d)) + rng.normal(size=(classes, d))[codes], codes


SAMPLES = {
    "overlapping classes": lambda: sample(),
    "classes apart": lambda: sample(spread=0.03),
    "one feature more than a tile has rows": lambda: sample(2200, 65),
    "two classes": lambda: sample(classes=2),
    "a class of one": lambda: (sample()[0], np.append(sample()[1][:-1], 40)),
    "rows that repeat": lambda: tuple(np.concatenate([part[:90]] * 3) for part in sample()),
}
LABELS = {
    "texts": lambda codes: np.array(list("qwertyuio"))[codes],
    "objects": lambda codes: np.array(list("qwertyuio"), object)[codes],
    "a list": lambda codes: codes.tolist(),
    "a column": lambda codes: pd.Series(codes, index=codes),
    "categories": lambda codes: pd.Series(pd.Categorical(codes.astype(str), [*"876543210x"])),
    "texts of pandas": lambda codes: pd.Series(codes.astype(str)),
    "negative numbers": lambda codes: codes.astype(np.int8) - 4,
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("case", SAMPLES)
def test_silhouettes_are_equal(silhouettes, case, metric, dtype):
    rows, codes = SAMPLES[case]()
    theirs, ours = silhouettes(rows.astype(dtype), codes, metric=metric)
    assert ours.dtype == theirs.dtype
    # Distances may be those of float32, whose errors of 1e-7 a difference of two makes larger.
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)
    assert abs(ours.mean() - theirs.mean()) < 1e-6


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind(silhouettes, kind):
    rows, codes = sample()
    theirs, ours = silhouettes(pd.DataFrame(rows), LABELS[kind](codes))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=5e-6)


def test_a_row_of_zeros_is_far_from_all_by_cosine(silhouettes):
    rows, codes = sample()
    rows[[3, 8]] = 0
    theirs, ours = silhouettes(rows, codes, metric="cosine")
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_score_takes_the_same_sample(metric):
    from sklearn.metrics import silhouette_score as before

    import wellgram.accel

    rows, codes = sample()
    for options in ({}, {"sample_size": 300, "random_state": 4}, {"sample_size": 300}):
        np.random.seed(1)  # noqa: NPY002  # what is drawn from without a state
        theirs = before(rows, codes, metric=metric, **options)
        left = np.random.random()  # noqa: NPY002
        with wellgram.accel.accelerated(also=["scikit-learn"]), quiet_profile() as found:
            np.random.seed(1)  # noqa: NPY002
            ours = sklearn.metrics.silhouette_score(rows, codes, metric=metric, **options)
            assert np.random.random() == left  # noqa: NPY002
        assert [call.declined for call in found.calls] == [None]
        assert type(ours) is type(theirs)
        assert ours == pytest.approx(theirs, abs=1e-6)


OUTSIDE = {
    "another metric": lambda x, c: ((x, c), {"metric": "manhattan"}),
    "an unknown metric": lambda x, c: ((x, c), {"metric": "nearness"}),
    "distances": lambda x, c: ((np.abs(x[:6, :6] - x[:6, :6].T), c[:6]), {"metric": "precomputed"}),
    "an option": lambda x, c: ((x, c), {"n_jobs": 1}),
    "a list of rows": lambda x, c: ((x.tolist(), c), {}),
    "whole numbers": lambda x, c: (((10 * x).astype(int), c), {}),
    "a NaN": lambda x, c: ((np.where(x > 2, np.nan, x), c), {}),
    "missing labels": lambda x, c: ((x, np.where(c > 2, c, np.nan)), {}),
    "missing texts": lambda x, c: ((x, np.where(c > 2, c.astype(str), None)), {}),
    "labels of two types": lambda x, c: ((x, np.where(c > 2, c.astype(object), "a")), {}),
    "other rows": lambda x, c: ((x, c[1:]), {}),
    "one class": lambda x, c: ((x, np.zeros_like(c)), {}),
    "classes of one": lambda x, c: ((x, np.arange(len(c))), {}),
    "far from zero": lambda x, c: ((x + 1e6, c), {}),
    "rows that are all the same": lambda x, c: ((np.ones_like(x), c), {}),
    "rows that are parallel": lambda x, c: (
        (np.outer(1 + c, x[0]) * (1 + 1e-6 * x), c),
        {"metric": "cosine"},
    ),
    "squares that overflow": lambda x, c: ((x * 1e160, c), {}),
}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(silhouettes, case):
    args, options = OUTSIDE[case](*sample(200))
    theirs = outcome(silhouettes.original, *args, **options)
    why, ours = silhouettes.declines(*args, **options)
    if not same_error(theirs, ours):
        assert why
        np.testing.assert_array_equal(ours, theirs)


def test_a_column_of_labels_warns_as_the_original(silhouettes):
    rows, codes = sample(200)
    with pytest.warns(sklearn.exceptions.DataConversionWarning):
        why, _ = silhouettes.declines(rows, codes[:, None])
    assert why


def test_arrays_of_other_libraries_stay_with_the_original(silhouettes, monkeypatch):
    # It can be set only where SciPy was imported with SCIPY_ARRAY_API=1.
    options = sklearn.get_config() | {"array_api_dispatch": True}
    rows, codes = sample(200)
    with quiet_profile() as found:
        monkeypatch.setattr(sklearn, "get_config", lambda: options)
        silhouettes.stand_in(rows, codes)
    assert [call.declined for call in found.calls] == ["array_api_dispatch is set"]
