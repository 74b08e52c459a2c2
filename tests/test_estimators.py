"""Each alignment against its formula written out, alone and in a chain; and their conventions."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power
from scipy.stats import norm, rankdata
from sklearn.base import clone
from sklearn.covariance import ledoit_wolf_shrinkage

from helpers.maps_and_wells import make_batches
from wellgram import (
    CORAL,
    TVN,
    CenterScale,
    ComBat,
    ControlsWarning,
    InputError,
    InverseNormal,
    PCACenterScale,
    PCAWhiten,
    RobustMAD,
    Sphering,
    Standardize,
    Wells,
    build_map,
    chain,
)
from wellgram.align import ALIGNMENTS, alignment
from wellgram.align.spectrum import ledoit_wolf

FEW = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")
"""For tests that mean to have few controls"""


def roots(x, ridge, power):
    return fractional_matrix_power(np.cov(x, rowvar=False) + ridge * np.eye(x.shape[1]), power)


@FEW
@pytest.mark.parametrize("controls", [0.6, 0.1])
@pytest.mark.parametrize("recolor", [True, False])
def test_coral_gives_batches_the_covariance_of_all(rng, controls, recolor):
    x, batch, control = make_batches(rng, controls=controls)
    y = CORAL(0.3, recolor=recolor).fit_transform(x, batch=batch, control=control)
    for name in "abc":
        mine, own = batch == name, x[(batch == name) & control]
        expected = (x[mine] - own.mean(axis=0)) @ roots(own, 0.3, -0.5)
        if recolor:
            expected = expected @ roots(x[control], 0.3, 0.5) + x[control].mean(axis=0)
        np.testing.assert_allclose(y[mine], expected, rtol=1e-8, atol=1e-8)


def white(x, control):
    """Steps a to c of TVN: for one batch, no more is done."""
    return TVN().fit_transform(x, control=control)


@FEW
@pytest.mark.parametrize("amount", [0.0, 0.25, 1.0, "ledoit-wolf"])
@pytest.mark.parametrize("controls", [0.6, 0.1])
@pytest.mark.parametrize("recolor", [True, False])
def test_tvn_shrinks_each_covariance_towards_a_sphere(rng, amount, controls, recolor):
    x, batch, control = make_batches(rng, controls=controls)
    ours = TVN(shrinkage=amount, recolor=recolor).fit_transform(x, batch=batch, control=control)
    z = white(x, control)
    for name in "abc":
        own = z[(batch == name) & control]
        centred = own - own.mean(axis=0)
        how = ledoit_wolf_shrinkage(centred, True) if amount == "ledoit-wolf" else amount
        covariance = np.cov(own, rowvar=False)
        sphere = np.trace(covariance) / 7 * np.eye(7)
        shrunk = (1 - how) * covariance + how * sphere + 0.5 * np.eye(7)
        expected = z[batch == name] @ fractional_matrix_power(shrunk, -0.5)
        if recolor:  # the covariance of all is 1, by ddof 0
            expected = expected * np.sqrt(1.5)
        np.testing.assert_allclose(ours[batch == name], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("shape", [(5, 20), (20, 20), (200, 20), (30, 1), (2, 3)])
def test_ledoit_wolf_is_scikit_learns(rng, shape):
    x = rng.normal(size=shape) * np.linspace(1, 3, shape[1])
    x -= x.mean(axis=0)
    expected = ledoit_wolf_shrinkage(x, assume_centered=True)
    assert ledoit_wolf(x) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_a_feature_without_deviation_is_only_centred_by_robust_mad(rng):
    x, _, _ = make_batches(rng)
    x[:100, 2] = 4.0
    y = RobustMAD().fit_transform(x)
    np.testing.assert_array_equal(y[:, 2], x[:, 2] - 4)


def test_inverse_normal_is_the_quantile_of_the_rank(rng):
    x = rng.normal(size=(200, 40)).round(1)  # ties
    y = InverseNormal().fit_transform(x)
    ranks = rankdata(x, axis=0)
    np.testing.assert_allclose(y, norm.ppf((ranks - 3 / 8) / (200 + 1 / 4)), rtol=1e-12)


def test_inverse_normal_puts_new_values_between_those_it_knows(rng):
    x = np.arange(10.0)[:, None]
    fitted = InverseNormal().fit(x)
    new = fitted.transform(np.array([[-5.0], [3.5], [40.0]]))[:, 0]
    np.testing.assert_allclose(norm.cdf(new) * 10.25 + 3 / 8, [0.5, 4.5, 10.5], rtol=1e-12)
    with pytest.raises(
        InputError, match="X has 2 features, but InverseNormal is expecting 1 features"
    ):
        fitted.transform(np.ones((2, 2)))


CHAINS = {
    "controls, all": lambda: (CenterScale(), Standardize(), ComBat()),
    "rotations": lambda: (CenterScale(), PCAWhiten(5), CORAL(0.5)),
    "tvn after sphering": lambda: (RobustMAD(), Sphering("ZCA-cor"), TVN()),
    "ranks within": lambda: (RobustMAD(), InverseNormal(), PCACenterScale()),
    "ranks last": lambda: (Standardize(), CORAL(shrinkage="ledoit-wolf"), InverseNormal()),
    "one map, then one per batch": lambda: (Sphering(), TVN()),
    "variances behind a rotation": lambda: (PCAWhiten(), Standardize(), ComBat()),
    "rows after variances": lambda: (CenterScale(), TVN(shrinkage="ledoit-wolf")),
}


@FEW
@pytest.mark.parametrize("controls", [0.6, 0.1])
@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_is_its_alignments_in_turn(rng, case, controls):
    x, batch, control = make_batches(rng, controls=controls)
    new, new_batch, _ = make_batches(rng, (5, 6))
    y, new_y = x, new
    for step in CHAINS[case]():
        step.fit(y, batch=batch, control=control)
        y, new_y = step.transform(y, batch=batch), step.transform(new_y, batch=new_batch)
    whole = chain(*CHAINS[case]())
    ours = whole.fit_transform(x, batch=batch, control=control)
    fresh = whole.transform(new, batch=new_batch)
    # Axes are free to turn where variances are alike; products of rows are not.
    np.testing.assert_allclose(ours @ ours.T, y @ y.T, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fresh @ ours.T, new_y @ y.T, rtol=1e-7, atol=1e-7)


def test_a_chain_of_affine_alignments_is_one_map(rng):
    x, batch, control = make_batches(rng)
    whole = chain(CenterScale(), ComBat()).fit(x, batch=batch, control=control)
    assert len(whole.affine_.maps) == 1
    assert whole.name == "center-scale+combat"
    assert whole.needs_controls
    assert not chain(ComBat(), InverseNormal()).needs_controls
    assert not hasattr(chain(InverseNormal()).fit(x), "affine_")


@FEW
def test_each_step_of_a_chain_asks_for_its_own_controls(rng):
    """The whitening of all batches does with none in one of them; what comes next does not."""
    x, batch, control = make_batches(rng)
    control &= batch != "c"
    with pytest.raises(InputError, match="no control well in batch 'c'"):
        chain(Sphering(), CORAL()).fit(x, batch=batch, control=control)


def test_chains_that_cannot_be():
    with pytest.raises(InputError, match="one alignment or more"):
        chain()
    with pytest.raises(InputError, match="not str"):
        chain("tvn")


@FEW
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_conventions_of_scikit_learn(rng, name):
    x, batch, control = make_batches(rng)
    one = alignment(name)
    assert repr(one) == f"{type(one).__name__}()"
    assert clone(one).get_params() == one.get_params()
    assert one.set_params(**one.get_params()) is one
    with pytest.raises(InputError, match="no parameter 'nonsense'"):
        one.set_params(nonsense=1)
    assert one.fit(x, batch=batch, control=control) is one
    y = one.transform(x, batch=batch)
    np.testing.assert_array_equal(y, alignment(name).fit_transform(x, batch=batch, control=control))
    assert y.dtype == np.float64
    assert alignment(name).fit_transform(x.astype(np.float32), batch=batch).dtype == np.float32
    with pytest.raises(InputError, match=r"X has 6 features, but \w+ is expecting 7 features"):
        one.transform(x[:, :6], batch=batch)


@FEW
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_wells_are_aligned_as_their_rows_are(rng, name):
    x, batch, control = make_batches(rng)
    labels = np.where(control, "DMSO", "drug")
    wells = Wells.from_arrays(x, labels, control="DMSO", batch=batch)
    ours = alignment(name).fit_transform(wells)
    np.testing.assert_array_equal(
        ours, alignment(name).fit_transform(x, batch=batch, control=control)
    )
    map_ = build_map(wells, alignment(name), dtype="float64")
    mean = ours[~control].mean(axis=0)
    np.testing.assert_allclose(map_.embeddings[0], mean, rtol=1e-8, atol=1e-8)
    assert map_.provenance["align"] == name


@FEW
@pytest.mark.parametrize("method", [CenterScale, TVN, CORAL, RobustMAD])
def test_one_control_is_enough_where_it_is_said_to_be(rng, method):
    x, batch, control = make_batches(rng)
    control = control & ~((batch == "c") & (np.arange(len(x)) > 100))
    assert (control & (batch == "c")).sum() == 1
    with pytest.raises(InputError, match="only one control well in batch 'c'"):
        method().fit(x, batch=batch, control=control)
    y = method(min_controls=1).fit_transform(x, batch=batch, control=control)
    assert np.isfinite(y).all()
    x, batch, control = make_batches(rng)
    with pytest.raises(InputError, match=r"only 18 control wells in batch 'c'.*needs 20"):
        method(min_controls=20).fit(x, batch=batch, control=control)


@pytest.mark.parametrize(("method", "few"), [(TVN, True), (CORAL, True), (CenterScale, False)])
def test_few_controls_beside_features_are_warned_of(rng, recwarn, method, few):
    x, batch, control = make_batches(rng, (30, 30), d=20, controls=0.1)
    if few:
        with pytest.warns(ControlsWarning, match="3 controls in batch 'a' for 20 features"):
            method().fit(x, batch=batch, control=control)
    else:
        method().fit(x, batch=batch, control=control)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: TVN(ridge=0), "ridge must be above 0"),
        (lambda: TVN(shrinkage=1.5), "shrinkage must be"),
        (lambda: CORAL(shrinkage="much"), "shrinkage must be"),
        (lambda: CORAL(ridge=-1), "ridge must be above 0"),
        (lambda: CenterScale(unseen="guess"), "unseen must be"),
        (lambda: CenterScale(min_controls=0), "min_controls must be 1 or more"),
        (lambda: ComBat(min_controls=1), "one well has no variance"),
        (lambda: ComBat(tolerance=0), "tolerance must be above 0"),
        (lambda: RobustMAD(epsilon=-1), "epsilon must not be negative"),
        (lambda: Sphering("QR"), "method must be one of"),
        (lambda: Sphering(epsilon=-1), "epsilon must not be negative"),
        (lambda: Sphering("ZCA-cor", center=False), "needs center=True"),
        (lambda: PCAWhiten(0), "components must be 1 or more"),
        (lambda: InverseNormal(c=1), r"within \[0, 0.5\]"),
        (lambda: PCAWhiten(9).fit(np.random.default_rng(0).normal(size=(20, 5))), "5 axes only"),
        (lambda: CenterScale().set_params(min_controls=0).fit(np.eye(3)), "min_controls"),
    ],
)
def test_parameters_that_cannot_be(call, words):
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"batch": ["a", "b"]}, r"batch has shape \(2,\)"),
        ({"batch": ["a", None, "b"]}, "row 1 has no batch"),
        ({"control": [True]}, r"control has shape \(1,\)"),
        ({"control": [1, 0, 1]}, "control must be a mask of rows, not int"),
        ({"control": [False, False, True]}, r"only one control well \(batch=; controls: those of"),
    ],
)
def test_labels_that_do_not_fit(labels, words):
    with pytest.raises(InputError, match=words):
        CenterScale().fit(np.eye(3), **labels)


def test_rows_that_cannot_be():
    x = np.eye(3)
    x[1, 2] = np.nan
    with pytest.raises(InputError, match="row 1 holds a NaN"):
        CenterScale().fit(x)
    with pytest.raises(InputError, match="there are no rows to rank"):
        InverseNormal().fit(np.ones((0, 3)))
    wells = Wells.from_arrays(np.eye(3), ["a", "a", "b"], control="a")
    with pytest.raises(InputError, match="wells have batches and controls of their own"):
        CenterScale().fit(wells, batch=["p", "p", "p"])


def test_combat_leaves_a_constant_feature_and_one_batch_as_they_are(rng):
    x, batch, _ = make_batches(rng)
    x[:, 3] = 2.5
    y = ComBat().fit_transform(x, batch=batch)
    np.testing.assert_array_equal(y[:, 3], 2.5)
    np.testing.assert_allclose(ComBat().fit_transform(x), x, rtol=1e-15)


def test_names_joined_by_plus_are_a_chain():
    assert alignment("robust-mad+inverse-normal").name == "robust-mad+inverse-normal"
    with pytest.raises(InputError, match="unknown alignment 'ranks'"):
        alignment("robust-mad+ranks")
