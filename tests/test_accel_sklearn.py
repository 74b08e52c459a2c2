"""The stand-in for scikit-learn's cosine similarity beside the original."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from helpers.accelerated import Pair, equal, outcome, quiet_profile, same_error

pytest.importorskip("sklearn", reason="scikit-learn is absent (pip install scikit-learn)")


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def cosines():
    return Pair(":cosine_similarity")


def rows(n, dtype=np.float64, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, 400)).astype(dtype)
    x[3] = 0
    return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cosines_are_equal(cosines, dtype):
    within = 1e-12 if dtype == np.float64 else 1e-6
    x = rows(700, dtype)
    equal(*cosines(x), within=within)
    equal(*cosines(x, x), within=within)
    equal(*cosines(np.asfortranarray(x)[::2]), within=within)


def test_an_option_of_another_type_is_refused_in_the_words_of_the_original(cosines):
    for option in ("yes", None, 2, np.bool_(True)):
        theirs = outcome(cosines.original, rows(700), dense_output=option)
        why, ours = cosines.declines(rows(700), dense_output=option)
        if not same_error(theirs, ours):
            assert why == "an option is of another type"
            np.testing.assert_array_equal(ours, theirs)


def test_arrays_of_other_libraries_stay_with_the_original(cosines, monkeypatch):
    import sklearn

    # It can be set only where SciPy was imported with SCIPY_ARRAY_API=1.
    options = sklearn.get_config() | {"array_api_dispatch": True}
    with quiet_profile() as found:
        monkeypatch.setattr(sklearn, "get_config", lambda: options)
        cosines.stand_in(rows(700))
    assert [call.declined for call in found.calls] == ["array_api_dispatch is set"]


def test_a_nan_goes_to_the_original_where_none_is_looked_for(cosines):
    import sklearn

    given = rows(700)
    given[5, 5] = np.nan
    with sklearn.config_context(assume_finite=True):
        theirs = cosines.original(given)
        why, ours = cosines.declines(given)
    assert why == "a row holds a NaN or an Inf"
    np.testing.assert_array_equal(ours, theirs)


OUTSIDE = {
    "sparse": lambda x: (sparse.csr_matrix(x),),
    "a table": lambda x: (pd.DataFrame(x),),
    "a list": lambda x: (x.tolist(),),
    "integers": lambda x: (x.astype(int),),
    "two sets": lambda x: (x, x.copy()),
    "two types": lambda x: (x, x.astype(np.float32)),
    "a NaN": lambda x: (np.where(x > 2, np.nan, x),),
    "other features": lambda x: (x, x[:, :200]),
    "a vector": lambda x: (x[0],),
    "squares that overflow": lambda x: (x * 1e155,),
    "one feature whose squares overflow": lambda x: (
        np.where(np.arange(400) == 7, x * 1e20, x).astype(np.float32),
    ),
    "squares that vanish": lambda x: ((x * 1e-25).astype(np.float32),),
    "one row whose squares vanish": lambda x: (
        np.where(np.arange(700)[:, None] == 7, x * 1e-200, x),
    ),
    "one row whose squares vanish in float32": lambda x: (
        np.where(np.arange(700)[:, None] == 7, x * 1e-25, x).astype(np.float32),
    ),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(cosines, case):
    arguments = OUTSIDE[case](rows(700))
    theirs = outcome(cosines.original, *arguments)
    why, ours = cosines.declines(*arguments)
    if not same_error(theirs, ours):
        assert why
        np.testing.assert_array_equal(ours, theirs)


def test_few_rows_are_left_to_the_original(cosines, monkeypatch):
    monkeypatch.delenv("WELLGRAM_ACCEL_SMALL")
    assert cosines.declines(rows(700))[0] == "there is too little to do"
