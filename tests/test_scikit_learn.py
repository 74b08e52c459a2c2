"""Alignments and probes in scikit-learn: its own checks, pipelines, searches, copies, workers."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.validation import check_is_fitted

import wellgram as wg
from wellgram import InputError, NotFitted, chain
from wellgram.align import ALIGNMENTS, alignment
from wellgram.probes import LDAProbe, LogisticProbe, RidgeProbe

ALIGNERS = {
    **{name: alignment(name) for name in ALIGNMENTS},
    "maps": chain(wg.RobustMAD(), wg.Sphering()),
    "ranks and maps": chain(wg.InverseNormal(), wg.TVN()),
}
PROBES = {"ridge": RidgeProbe(), "lda": LDAProbe(), "logistic": LogisticProbe()}

REFUSES = {
    "check_do_not_raise_errors_in_init_or_set_params": (
        "a parameter that cannot be used is refused where it is written, by the constructor"
    )
}
CHAINS = {
    "check_estimators_overwrite_params": "a chain fits its steps where they are, as Pipeline does"
}
GAPS = {
    "check_estimators_pickle": "a tenth of each feature is missing, so drop_na_columns drops all"
}
FAR = dict.fromkeys(
    ["check_fit_idempotent", "check_fit_check_is_fitted", "check_n_features_in"],
    "values are of some hundreds, so that all features are left out",
)
EXPECTED = {
    **dict.fromkeys(ALIGNMENTS, REFUSES),
    "feature-select": REFUSES | GAPS,
    "outlier-features": REFUSES | FAR,
    **{name: REFUSES | CHAINS for name in ALIGNERS if name not in ALIGNMENTS},
    **{name: {} for name in PROBES},
}
"""The checks of scikit-learn that fail, and why they may"""

FEW = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")


@pytest.mark.parametrize("name", EXPECTED)
def test_scikit_learns_checks(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data that the checks make: few rows, constant features
        results = estimator_checks.check_estimator(
            (ALIGNERS | PROBES)[name], expected_failed_checks=EXPECTED[name], on_fail=None
        )
    of = {
        status: {r["check_name"] for r in results if r["status"] == status}
        for status in ("failed", "xfail", "passed", "skipped")
    }
    assert not of["failed"], [r["exception"] for r in results if r["status"] == "failed"]
    assert of["xfail"] == set(EXPECTED[name])
    assert not of["xfail"] & of["passed"]
    assert of["skipped"] <= {"check_array_api_input"}  # needs an environment variable of SciPy
    assert len(of["passed"]) > 35


CONTAINERS = [
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_global_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_global_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@FEW
@pytest.mark.parametrize("check", [*CONTAINERS, "check_dataframe_column_names_consistency"])
@pytest.mark.parametrize("name", ALIGNERS)
@pytest.mark.filterwarnings("ignore:X (has feature names|does not have valid feature names)")
def test_scikit_learns_checks_of_tables(name, check):
    getattr(estimator_checks, check)(type(ALIGNERS[name]).__name__, ALIGNERS[name])


@pytest.mark.parametrize("name", PROBES)
def test_scikit_learns_checks_of_columns_of_probes(name):
    estimator_checks.check_dataframe_column_names_consistency(name, PROBES[name])


@pytest.fixture
def screen(rng):
    """Rows of four batches and their batch, treatment, and whether they are controls."""
    batch = np.repeat(list("abcd"), 30)
    treatment = np.tile(["p", "q", "DMSO"], 40)
    x = rng.normal(size=(120, 6)) + 1.5 * (treatment == "p")[:, None]
    x += np.repeat(3 * rng.normal(size=(4, 6)), 30, axis=0)
    return x, batch, treatment, treatment == "DMSO"


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_an_alignment_is_a_step_of_a_pipeline(screen):
    x, batch, y, control = screen
    pipeline = make_pipeline(wg.CenterScale(), PCA()).fit(x, y)
    aligned = wg.CenterScale().fit_transform(x)
    expected = PCA().fit(aligned).transform(aligned)
    np.testing.assert_array_equal(pipeline.transform(x), expected)
    # Without routing, as ever: the step's name, two underscores, the label.
    by_batch = make_pipeline(wg.CenterScale(), PCA())
    by_batch.fit(x, y, centerscale__batch=batch, centerscale__control=control)
    alone = wg.CenterScale().fit(x, batch=batch, control=control)
    np.testing.assert_array_equal(by_batch[0].affine_.maps[0].offset, alone.affine_.maps[0].offset)
    with pytest.raises(InputError, match="were not there when the alignment was fitted"):
        by_batch.transform(x)
    assert "CenterScale" in pipeline._repr_html_()


def test_labels_are_routed_to_where_they_are_asked_for(screen, routing):
    x, batch, y, control = screen
    align = wg.CenterScale().set_fit_request(batch=True, control="is_dmso")
    align.set_transform_request(batch=True)
    pipeline = make_pipeline(align, PCA())
    pipeline.fit(x, y, batch=batch, is_dmso=control)
    expected = wg.CenterScale().fit_transform(x, batch=batch, control=control)
    np.testing.assert_array_equal(align.transform(x, batch=batch), expected)
    np.testing.assert_array_equal(
        pipeline.transform(x, batch=batch), pipeline[-1].transform(expected)
    )
    copied = clone(pipeline)
    assert str(copied[0].get_metadata_routing()) == str(align.get_metadata_routing())
    assert copied.fit(x, y, batch=batch, is_dmso=control)[0].is_fitted
    with pytest.raises(ValueError, match="not explicitly set as requested"):
        make_pipeline(wg.CenterScale(), PCA()).fit(x, y, batch=batch)
    align.set_fit_request(batch=False)  # the request for controls stays
    assert str(align.get_metadata_routing().fit) == "{'batch': False, 'control': 'is_dmso'}"


def test_requests_need_routing(screen):
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        wg.CenterScale().set_fit_request(batch=True)
    with pytest.raises(TypeError, match="nonsense"):
        wg.CenterScale().set_fit_request(nonsense=True)


def test_a_search_routes_batches_and_finds_an_epsilon(screen, routing):
    """The penalty is so strong that a far epsilon, which shrinks all, leaves nothing to tell by."""
    x, batch, y, control = screen
    align = wg.Sphering().set_fit_request(batch=True, control=True)
    align.set_transform_request(batch=True)
    pipeline = make_pipeline(align, RidgeProbe(1.0))
    grid = {"sphering__epsilon": [1e6, 1e-6]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(4), n_jobs=2)
    search.fit(x, y == "p", batch=batch, control=control, groups=batch)
    assert set(search.cv_results_) >= {"param_sphering__epsilon", "mean_test_score"}
    assert search.best_params_ == {"sphering__epsilon": 1e-6}
    alone = wg.Sphering(epsilon=1e-6).fit(x, batch=batch, control=control)
    best = search.best_estimator_[0]
    np.testing.assert_array_equal(best.affine_.maps[0].basis, alone.affine_.maps[0].basis)


def test_a_step_of_a_chain_is_searched_by_its_name(screen, routing):
    x, batch, y, control = screen
    align = chain(wg.CenterScale(unseen="pooled"), wg.Sphering())
    align.set_fit_request(batch=True, control=True).set_transform_request(batch=True)
    grid = {"chain__sphering__epsilon": [1e-6, 1.0]}
    search = GridSearchCV(make_pipeline(align, RidgeProbe()), grid, cv=GroupKFold(2))
    search.fit(x, y, batch=batch, control=control, groups=batch)
    best = search.best_estimator_[0]
    assert best.steps[1].epsilon == search.best_params_["chain__sphering__epsilon"]
    assert best.affine_.batches == tuple("abcd")
    assert not align.is_fitted


@FEW
@pytest.mark.parametrize("name", ALIGNERS)
def test_a_clone_is_unfitted_and_has_the_same_parameters(screen, name):
    x, batch, _, control = screen
    fitted = ALIGNERS[name]
    fitted = clone(fitted).set_output(transform="pandas")
    fitted.fit(x, batch=batch, control=control)
    copied = clone(fitted)
    assert not copied.is_fitted
    assert repr(copied) == repr(ALIGNERS[name])
    again = copied.fit(x, batch=batch, control=control).transform(x, batch=batch)
    pd.testing.assert_frame_equal(again, fitted.transform(x, batch=batch))


def test_a_chain_has_the_parameters_of_its_steps():
    align = chain(wg.CenterScale(), wg.TVN(0.3), wg.CenterScale(min_controls=5))
    assert list(align.named_steps) == ["centerscale-1", "tvn", "centerscale-2"]
    params = align.get_params()
    assert params["tvn__ridge"] == 0.3
    assert params["centerscale-2"] is align.steps[2]
    assert list(align.get_params(deep=False)) == ["steps"]
    first, _, last = align.steps
    align.set_params(tvn=wg.CORAL(), **{"centerscale-1__min_controls": 4})
    assert align.set_params(coral__ridge=9) is align
    assert repr(align) == (
        "chain(CenterScale(min_controls=4), CORAL(ridge=9), CenterScale(min_controls=5))"
    )
    assert (align.steps[0], align.steps[2]) == (first, last)
    assert align.set_params(steps=(wg.TVN(),)).set_params(tvn=wg.CORAL()).name == "coral"
    with pytest.raises(InputError, match=r"Chain has no parameter 'tvn'; \['steps', 'coral'\]"):
        align.set_params(tvn__ridge=2)
    with pytest.raises(InputError, match="CORAL has no parameter 'nonsense'"):
        align.set_params(coral__nonsense=2)
    with pytest.raises(InputError, match="steps must be a list of alignments, not generator"):
        wg.align.Chain(step for step in [wg.TVN()])


def test_a_chain_fitted_anew_forgets_the_map_of_other_steps(screen):
    x, batch, _, control = screen
    align = chain(wg.CenterScale()).fit(x, batch=batch, control=control)
    assert align.affine_.features == 6
    align.set_params(steps=[wg.CenterScale(), wg.InverseNormal()])
    align.fit(x, batch=batch, control=control)
    assert not hasattr(align, "affine_")


@FEW
@pytest.mark.parametrize("name", ALIGNERS)
def test_what_was_not_fitted_says_so_in_both_words(name):
    align = clone(ALIGNERS[name])
    assert not hasattr(align, "n_features_in_")
    calls = (
        lambda: align.transform(np.eye(3)),
        lambda: align.get_feature_names_out(),
    )
    for call in calls:
        with pytest.raises(NotFitted, match="instance is not fitted yet; call its fit") as raised:
            call()
        assert isinstance(raised.value, NotFittedError)
        assert isinstance(raised.value, InputError)
        returned = pickle.loads(pickle.dumps(raised.value))  # as from a worker
        assert type(returned) is type(raised.value)
        assert str(returned) == str(raised.value)
    with pytest.raises(NotFittedError):
        check_is_fitted(align)
    check_is_fitted(align.fit(np.random.default_rng(0).normal(size=(20, 3))))


def test_without_scikit_learn_the_error_is_ours_alone():
    code = (
        "import sys, numpy as np, wellgram as wg\n"
        "from wellgram.probes import RidgeProbe\n"
        "x = np.random.default_rng(0).normal(size=(9, 2))\n"
        "for estimator, call in ((wg.TVN(), 'transform'), (RidgeProbe(), 'predict')):\n"
        "    try: getattr(estimator, call)(x)\n"
        "    except wg.NotFitted as error: print(type(error) is wg.NotFitted)\n"
        "wg.TVN().set_output(transform='pandas').fit_transform(x)\n"
        "wg.chain(wg.CenterScale()).set_params(centerscale=wg.TVN()).fit_transform(x)\n"
        "RidgeProbe().fit(x, list('ababababa')).predict(x)\n"
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False"]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.arange(3.0), r"not of shape \(3,\)\. Reshape your data"),
        (np.zeros((2, 2, 2)), r"not of shape \(2, 2, 2\)"),
        (np.eye(3) + 1j, "Complex data not supported: X has dtype complex128"),
        (sparse.csr_array(np.eye(3)), r"X is sparse.*X.toarray\(\)"),
        (np.zeros((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required"),
        (np.array([["a", "b"]]), "X has dtype <U1; give numbers"),
        ([["1", 2.0], ["b", 3.0]], "X has dtype <U32; give numbers"),
        (np.array([[1, "b"]], object), "X holds what is no number .*'b'"),
        (np.ones((1, 3)), r"X has 1 sample\(s\) \(shape=\(1, 3\)\) while a minimum of 2"),
    ],
)
def test_tables_that_cannot_be(x, words):
    with pytest.raises(InputError, match=words):
        wg.CenterScale().fit(x)


def test_any_table_of_numbers_will_do(screen):
    x, batch, _, control = screen
    x = np.round(x * 10)
    expected = wg.CenterScale().fit_transform(x, batch=batch, control=control)
    names = [f"f{j}" for j in range(6)]
    tables = {
        "lists": x.tolist(),
        "integers": x.astype(int),
        "objects": x.astype(object),
        "pandas": pd.DataFrame(x, columns=names),
        "integers in pandas": pd.DataFrame(x.astype(np.int16), columns=names),
        "polars": pl.DataFrame(x, schema=names),
    }
    for name, table in tables.items():
        labels = batch.tolist(), control.tolist()
        ours = wg.CenterScale().fit_transform(table, batch=labels[0], control=labels[1])
        np.testing.assert_array_equal(ours, expected, err_msg=name)
        assert ours.dtype == np.float64


def test_features_are_known_by_number_and_name(screen):
    x, _, _, _ = screen
    table = pd.DataFrame(x, columns=list("uvwxyz"))
    align = wg.CenterScale().fit(table)
    assert align.n_features_in_ == 6
    assert align.feature_names_in_.tolist() == list("uvwxyz")
    with pytest.raises(InputError, match="X has 5 features, but CenterScale is expecting 6"):
        wg.CenterScale().fit(x).transform(x[:, :5])
    with pytest.raises(InputError, match="must be in the same order as they were in fit"):
        align.transform(table[list("zyxwvu")])
    with pytest.raises(InputError, match="yet now missing:\n- z\n"):
        align.transform(table[list("uvwxy")])
    with pytest.warns(UserWarning, match="does not have valid feature names") as told:
        align.transform(x)
    assert told[0].filename == __file__
    wells = wg.Wells.from_arrays(x, ["DMSO"] * 120, control="DMSO")
    np.testing.assert_array_equal(align.transform(wells), align.transform(table))  # not a word
    assert not hasattr(align.fit(wells), "feature_names_in_")
    with pytest.raises(TypeError, match="all input features have string names, but one is 3"):
        wg.CenterScale().fit(table.rename(columns={"w": 3}))
    assert not hasattr(wg.CenterScale().fit(pd.DataFrame(x)), "feature_names_in_")


@FEW
@pytest.mark.parametrize(
    ("align", "names"),
    [
        (wg.CenterScale(), ["u", "v", "w"]),
        (wg.CORAL(), ["u", "v", "w"]),
        (wg.Sphering("ZCA-cor"), ["u", "v", "w"]),
        (wg.Sphering("PCA"), ["sphering0", "sphering1", "sphering2"]),
        (wg.PCAWhiten(2), ["pcawhiten0", "pcawhiten1"]),
        (wg.TVN(), ["tvn0", "tvn1", "tvn2"]),
        (
            chain(wg.PCAWhiten(2), wg.CenterScale(), wg.InverseNormal()),
            ["pcawhiten0", "pcawhiten1"],
        ),
        (chain(wg.InverseNormal(), wg.CenterScale(), wg.CORAL()), ["u", "v", "w"]),
    ],
)
def test_names_of_what_comes_out(rng, align, names):
    table = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("uvw"), index=range(5, 35))
    rows = clone(align).fit_transform(table)
    ours = align.set_output(transform="pandas").fit_transform(table)
    assert ours.columns.tolist() == names
    assert ours.index.equals(table.index)
    np.testing.assert_array_equal(ours.to_numpy(), rows)
    as_polars = clone(align).set_output(transform="polars").fit_transform(table)
    assert as_polars.columns == names
    assert clone(align)._sklearn_output_config == {"transform": "pandas"}
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(align.transform(table), pd.DataFrame)  # its own choice goes first
        assert isinstance(align.set_output().transform(table), pd.DataFrame)
        assert isinstance(align.set_output(transform="default").transform(table), np.ndarray)
    with pytest.raises(InputError, match="'default', 'pandas' or 'polars', not 'arrow'"):
        align.set_output(transform="arrow").transform(table)


def test_wells_stay_arrays_whatever_container_is_asked_for(screen):
    x, batch, y, _ = screen
    wells = wg.Wells.from_arrays(x, y, control="DMSO", batch=batch)
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(wg.CenterScale().fit_transform(wells), np.ndarray)
        assert isinstance(wg.CenterScale().aligned(wells), wg.Wells)
        assert isinstance(wg.CenterScale().aligned(x, batch=batch), pd.DataFrame)


def _transformed(align, x, batch):
    return align.transform(x, batch=batch)


@FEW
@pytest.mark.parametrize("name", ALIGNERS)
def test_a_fitted_alignment_goes_to_a_worker(screen, name):
    x, batch, _, control = screen
    align = clone(ALIGNERS[name]).fit(x, batch=batch, control=control)
    expected = align.transform(x, batch=batch)
    returned = pickle.loads(pickle.dumps(align))
    np.testing.assert_array_equal(returned.transform(x, batch=batch), expected)
    if name in ("tvn", "maps"):
        (ours,) = Parallel(n_jobs=2)([delayed(_transformed)(align, x, batch)])
        np.testing.assert_array_equal(ours, expected)


PEERS = {
    "ridge": (RidgeProbe(3.0), RidgeClassifier(alpha=3.0)),
    "lda": (LDAProbe(0.2), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.2)),
    "logistic": (LogisticProbe(2.0, tolerance=1e-12), LogisticRegression(C=0.5, tol=1e-8)),
}


@pytest.mark.parametrize("name", PEERS)
def test_probes_predict_what_scikit_learns_do(screen, name):
    x, _, y, _ = screen
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    ours, theirs = (model.fit(x, y) for model in PEERS[name])
    assert is_classifier(ours)
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    # Discriminants are shrunk in other units of the features: a row at the border may differ.
    assert (ours.predict(x) == theirs.predict(x)).mean() >= (0.98 if name == "lda" else 1)
    assert ours.score(x, y) == (ours.predict(x) == y).mean()
    if name == "logistic":
        # Both searches end where the gradient is small, not where it is zero.
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-5)
    two = ours.fit(x, y == "p")
    np.testing.assert_array_equal(two.decision_function(x) > 0, two.predict(x))
    assert cross_val_score(clone(ours), x, y, cv=3).shape == (3,)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed"),
        (["a", "b"], r"y has shape \(2,\); expected a label per row: \(4,\)"),
        (["a", None, "b", "a"], "NaN or infinity at row 1"),
        ([0.5, 1.0, 0.0, 1.0], "Unknown label type: continuous"),
        (["a", "a", "a", "a"], "y holds one class, .*'a'"),
        (np.ones(4) * 1j, "Complex data not supported"),
    ],
)
def test_labels_that_cannot_be(y, words):
    probe = RidgeProbe()
    with pytest.raises(InputError, match=words):
        probe.fit(np.eye(4), y)
    assert not probe.is_fitted
