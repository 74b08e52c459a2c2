"""Sphering, RobustMAD and InverseNormal against pycytominer; two more against scikit-learn."""

import numpy as np
import pandas as pd
import pytest

from wellgram import InverseNormal, PCAWhiten, RobustMAD, Sphering, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")

METHODS = ["ZCA", "PCA", "ZCA-cor", "PCA-cor"]


def simulated(n=150, d=24, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5


def transformed(peer, fit_on, rows):
    """What a transform of pycytominer makes of rows; its frames as arrays."""
    peer.fit(pd.DataFrame(fit_on))
    return np.asarray(peer.transform(pd.DataFrame(rows)), np.float64)


def same_up_to_signs(ours, theirs, rtol):
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours, theirs * signs, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("method", METHODS)
def test_sphering_equals_pycytominer(pycytominer, method):
    x = simulated()
    control = np.arange(len(x)) < 90
    theirs = transformed(pycytominer.Spherize(method=method), x[control], x)
    ours = Sphering(method).fit_transform(x, control=control)
    # Both take a matrix of condition 1e3 apart, one by its squares: 1e6 eps, and some.
    same_up_to_signs(ours, theirs, 1e-8)
    white = np.cov(Sphering(method, 0.0).fit_transform(x, control=control)[control], rowvar=False)
    np.testing.assert_allclose(white, np.eye(24), atol=1e-8)


@pytest.mark.parametrize("method", ["ZCA", "ZCA-cor"])
def test_sphering_with_fewer_controls_than_features_equals_pycytominer(pycytominer, method):
    """The directions in which controls do not vary are scaled as the last in which they do."""
    x = simulated(n=60, d=40)
    control = np.arange(60) < 25
    theirs = transformed(pycytominer.Spherize(method=method), x[control], x)
    ours = Sphering(method).fit_transform(x, control=control)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_sphering_without_centring_equals_pycytominer(pycytominer):
    x = simulated()
    theirs = transformed(pycytominer.Spherize(method="ZCA", center=False), x, x)
    ours = Sphering(center=False).fit_transform(x)
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("epsilon", [0.0, 1e-3, 1.0])
def test_epsilon_is_that_of_pycytominer(pycytominer, epsilon):
    x = simulated()
    theirs = transformed(pycytominer.Spherize(epsilon=epsilon), x, x)
    np.testing.assert_allclose(
        Sphering(epsilon=epsilon).fit_transform(x), theirs, rtol=1e-8, atol=1e-8
    )


def test_robust_mad_equals_pycytominer(pycytominer):
    x = simulated()
    control = np.arange(len(x)) % 3 == 0
    theirs = transformed(pycytominer.RobustMAD(), x[control], x)
    ours = RobustMAD().fit_transform(x, control=control)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_inverse_normal_orders_as_the_quantile_transformer(pycytominer):
    """That one interpolates between quantiles (0, 1 / (n - 1), ..., 1); the ranks are the same."""
    from scipy.special import ndtr

    x = simulated()
    theirs = transformed(pycytominer.InverseNormalTransform(), x, x)
    ours = InverseNormal().fit_transform(x)
    n = len(x)
    rank = ndtr(ours) * (n + 0.25) + 0.375
    inner = np.abs(theirs) < 5  # the ends are clipped, to +-5.2
    np.testing.assert_allclose(((rank - 1) / (n - 1))[inner], ndtr(theirs)[inner], atol=1e-9)


def test_a_real_plate(pycytominer, lincs_plate):
    """384 wells of LINCS, 454 features; fewer controls, and fewer wells, than features."""
    table = pd.read_csv(lincs_plate)
    x = table.filter(regex="^(?!Metadata_)").to_numpy()
    control = (table["Metadata_broad_sample"] == "DMSO").to_numpy()
    mad = transformed(pycytominer.RobustMAD(), x[control], x)
    ours = RobustMAD().fit_transform(x, control=control)
    np.testing.assert_allclose(ours, mad, rtol=1e-10, atol=1e-10)
    sphered = transformed(pycytominer.Spherize(method="ZCA-cor"), x, x)
    mine = Sphering("ZCA-cor").fit_transform(x)
    # The least of 383 variances is 1e-6 of the largest: squaring it costs that many digits.
    np.testing.assert_allclose(mine, sphered, rtol=1e-5, atol=1e-5)


def test_standardize_equals_scikit_learn():
    from sklearn.preprocessing import StandardScaler

    x = simulated()
    batch = np.arange(len(x)) % 3
    ours = Standardize().fit_transform(x, batch=batch)
    for b in range(3):
        theirs = StandardScaler().fit_transform(x[batch == b])
        np.testing.assert_allclose(ours[batch == b], theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("components", [None, 7])
def test_pca_whitening_equals_scikit_learn(components):
    from sklearn.decomposition import PCA

    x = simulated()
    theirs = PCA(components, whiten=True).fit_transform(x)
    same_up_to_signs(PCAWhiten(components).fit_transform(x), theirs, 1e-8)
