"""Agreement of two maps against SciPy, and on maps with known truth."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, cramervonmises_2samp, ks_2samp

from helpers.maps_and_wells import make_map, map_of
from wellgram import InputError, replicate_agreement
from wellgram.metrics.agreement import _unmatched


def two_maps(rng, signal, n=30, d=10):
    own = signal * rng.normal(size=(n, d))
    return [map_of(own + rng.normal(size=(n, d))) for _ in range(2)]


def cosines(first, second):
    x, y = (map_.embeddings for map_ in (first, second))
    lengths = np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)
    return x @ y.T / lengths


def test_it_is_the_tests_of_scipy(rng):
    first, second = two_maps(rng, 1.0)
    result = replicate_agreement(first, second)
    every = cosines(first, second)
    matched, unmatched = np.diag(every), every[~np.eye(30, dtype=bool)]
    assert result.unmatched_pairs == 30 * 29
    np.testing.assert_allclose(result.table["cosine"], matched, atol=1e-12)
    above = [(unmatched < cosine).mean() for cosine in matched]
    np.testing.assert_allclose(result.table["above"], above, atol=1e-12)
    ks, cvm = ks_2samp(matched, unmatched), cramervonmises_2samp(matched, unmatched)
    assert result.ks_statistic == pytest.approx(ks.statistic)
    assert result.ks_p_value == pytest.approx(ks.pvalue)
    assert result.cvm_statistic == pytest.approx(cvm.statistic)
    assert result.cvm_p_value == pytest.approx(cvm.pvalue)
    assert result.matched_mean == pytest.approx(matched.mean())
    assert result.unmatched_mean == pytest.approx(unmatched.mean())


def test_signal_is_found_and_its_absence_too(rng):
    assert replicate_agreement(*two_maps(rng, 1.5)).ks_p_value < 1e-6
    p = [replicate_agreement(*two_maps(rng, 0.0)).ks_p_value for _ in range(40)]
    assert 0.2 < np.mean(p) < 0.8
    assert min(p) > 1e-4


def test_rows_are_matched_by_what_names_them(rng):
    rows = rng.normal(size=(6, 4))
    doses = [0.1, 1.0, np.nan, 0.1, 1.0, np.nan]
    first = map_of(rows, [*"aabbcc"], dose=doses)
    order = [5, 0, 3, 1, 2]
    second = map_of(rows[order], [[*"aabbcc"][k] for k in order], dose=[doses[k] for k in order])
    result = replicate_agreement(first, second)
    assert len(result.table) == 5
    np.testing.assert_allclose(result.table["cosine"], 1)
    assert "5 matched pairs" in repr(result)


def test_many_pairs_are_drawn(rng):
    first, second = two_maps(rng, 1.0, n=60)
    whole, some, again, other = (
        replicate_agreement(first, second, most_unmatched=most, seed=seed)
        for most, seed in ((10_000, 0), (1000, 0), (1000, 0), (1000, 1))
    )
    assert (whole.unmatched_pairs, some.unmatched_pairs) == (60 * 59, 1000)
    assert some.unmatched_mean == again.unmatched_mean != other.unmatched_mean
    spread = cosines(first, second).std()
    assert abs(some.unmatched_mean - whole.unmatched_mean) < 5 * spread / np.sqrt(1000)


def test_drawn_pairs_are_never_matched():
    for count, most in ((2, 100), (5, 7), (40, 500)):
        i, j = _unmatched(count, most, 3)
        assert (i != j).all()
        assert min(i.min(), j.min()) >= 0
        assert max(i.max(), j.max()) < count
    i, j = _unmatched(40, 1_000, 3)  # fewer than there are: drawn, evenly
    assert chisquare(np.bincount(i, minlength=40)).pvalue > 1e-3
    assert chisquare(np.bincount(j, minlength=40)).pvalue > 1e-3
    i, j = _unmatched(4, 12, 0)
    assert len(set(zip(i.tolist(), j.tolist(), strict=True))) == 12


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (map_of(np.ones((3, 5))), "4 and 5 features"),
        (map_of(np.ones((3, 4)), ["x", "y", "G0"]), "share 1 perturbations"),
        (map_of(np.ones((3, 4)), ["G0", "G1", "G1"]), "second map has 'G1' twice"),
    ],
)
def test_maps_that_cannot_be_compared(rng, second, words):
    with pytest.raises(InputError, match=words):
        replicate_agreement(make_map(rng, 3, 4), second)


def test_plot_and_save(rng, tmp_path):
    result = replicate_agreement(*two_maps(rng, 1.0))
    result.save(tmp_path / "a.csv")
    assert len(pd.read_csv(tmp_path / "a.csv")) == 30
    assert result.plot().get_xlabel()
    with pytest.raises(InputError, match="most_unmatched"):
        replicate_agreement(*two_maps(rng, 1.0), most_unmatched=0)
