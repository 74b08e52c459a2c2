"""The algebra of alignments: what is white, what is scaled, and what happens at the edges."""

import numpy as np
import pytest

from wellgram import TVN, CenterScale, InputError, PCACenterScale, Wells
from wellgram.align import ALIGNMENTS, alignment

FEW = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")
"""For tests that mean to have few controls"""


def screen(controls=(30, 40), features=6, others=12, seed=0, shift=10.0):
    """Wells of two batches with their own shift and covariance."""
    rng = np.random.default_rng(seed)
    rows, labels, batches = [], [], []
    for b, count in enumerate(controls):
        mixing = rng.normal(size=(features, features))
        rows.append(rng.normal(size=(count + others, features)) @ mixing + shift * (b + 1))
        labels += ["DMSO"] * count + [f"P{i % 4}" for i in range(others)]
        batches += [f"batch {b}"] * (count + others)
    return Wells.from_arrays(np.concatenate(rows), labels, control="DMSO", batch=batches)


def of_batch(wells, name, controls_only=True):
    rows = (wells.metadata["batch"] == name).to_numpy()
    return rows & wells.metadata["is_control"].to_numpy() if controls_only else rows


@pytest.mark.parametrize("method", [CenterScale, PCACenterScale])
def test_controls_of_each_batch_have_mean_zero_and_deviation_one(method):
    wells = screen()
    y = method().fit_transform(wells)
    for name in ("batch 0", "batch 1"):
        own = y[of_batch(wells, name)]
        np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-10)
        np.testing.assert_allclose(own.std(axis=0), 1, rtol=1e-10)


def test_tvn_makes_all_controls_white_before_the_batch_step():
    wells = screen()
    plain = Wells(wells.embeddings, wells.metadata.drop(columns="batch"))
    y = TVN().fit_transform(plain)[wells.metadata["is_control"].to_numpy()]
    np.testing.assert_allclose(np.cov(y, rowvar=False, ddof=0), np.eye(6), atol=1e-8)


@pytest.mark.parametrize("controls", [(30, 40), (4, 5), (4, 40)])
def test_tvn_low_rank_correction_is_the_inverse_root_of_each_batch(controls):
    """Fewer controls than features, more, and both: the same formula, written out densely."""
    wells = screen(controls, features=8)
    fitted = TVN(ridge=0.5).fit(wells)
    plain = Wells(wells.embeddings, wells.metadata.drop(columns="batch"))
    white = TVN().fit_transform(plain)
    y = fitted.transform(wells)
    for name in ("batch 0", "batch 1"):
        covariance = np.cov(white[of_batch(wells, name)], rowvar=False, ddof=1)
        values, axes = np.linalg.eigh(covariance + 0.5 * np.eye(len(covariance)))
        root = axes / np.sqrt(values) @ axes.T
        rows = of_batch(wells, name, controls_only=False)
        np.testing.assert_allclose(y[rows], white[rows] @ root, rtol=1e-7, atol=1e-7)


@FEW
@pytest.mark.parametrize("method", [PCACenterScale, TVN])
def test_null_axes_are_dropped_instead_of_blown_up(method):
    """With fewer controls in all than features the public code returns values up to 1e14."""
    wells = screen(controls=(4, 5), features=20)
    y = method().fit_transform(wells)
    assert y.shape == (len(wells), 8)  # 9 controls span 8 directions about their mean
    assert np.abs(y).max() < 1e4


def test_a_constant_feature_is_centred_and_not_scaled():
    wells = screen()
    x = wells.embeddings.copy()
    x[:, 2] = 7.25
    y = CenterScale().fit_transform(Wells(x, wells.metadata))
    np.testing.assert_array_equal(y[:, 2], 0)
    assert np.isfinite(TVN().fit_transform(Wells(x, wells.metadata))).all()


def test_controls_that_do_not_vary_are_refused():
    wells = screen()
    x = np.ones_like(wells.embeddings)
    with pytest.raises(InputError, match="same embedding"):
        TVN().fit(Wells(x, wells.metadata))


@pytest.mark.parametrize("controls", [(0, 30), (1, 30)])
def test_a_batch_with_fewer_than_two_controls_is_named(controls):
    word = {0: "no control well", 1: "only one control well"}[controls[0]]
    with pytest.raises(InputError, match=f"{word} in batch 'batch 0'.*leave out its"):
        CenterScale().fit(screen(controls))


def test_too_few_controls_without_batches_speaks_of_none():
    wells = Wells.from_arrays(np.eye(3), ["DMSO", "a", "b"], control="DMSO")
    with pytest.raises(InputError, match=r"there is only one control well.*align='none'"):
        CenterScale().fit(wells)


def test_a_batch_unseen_at_fit_is_refused():
    wells = screen()
    fitted = CenterScale().fit(wells)
    renamed = wells.metadata.assign(batch="elsewhere")
    with pytest.raises(InputError, match="elsewhere"):
        fitted.transform(Wells(wells.embeddings, renamed))


def test_a_fitted_alignment_applies_to_other_wells_of_its_batches():
    wells = screen()
    fitted = TVN().fit(wells)
    some = np.arange(0, len(wells), 3)
    part = Wells(wells.embeddings[some], wells.metadata.iloc[some].reset_index(drop=True))
    np.testing.assert_allclose(fitted.transform(part), fitted.transform(wells)[some], rtol=1e-12)


@FEW
@pytest.mark.parametrize("name", ALIGNMENTS)
def test_backends_agree(name):
    wells = screen(controls=(4, 50), features=17)
    ours = alignment(name).fit_transform(wells, backend="cpu")
    oracle = alignment(name).fit_transform(wells, backend="reference")
    np.testing.assert_allclose(ours @ ours.T, oracle @ oracle.T, rtol=1e-8, atol=1e-8)


def test_unknown_alignment_names_the_known():
    assert alignment("none") is None
    with pytest.raises(InputError, match="tvn"):
        alignment("magic")


@pytest.mark.parametrize("ridge", [0, -1, np.nan])
def test_ridge_must_be_positive(ridge):
    with pytest.raises(InputError, match="ridge"):
        TVN(ridge)


def test_repr_says_how_many_controls_there_are_per_feature():
    assert "fitted on 4 wells in the smallest batch, 0.67 per feature" in repr(
        CenterScale().fit(screen(controls=(4, 50))).affine_
    )
