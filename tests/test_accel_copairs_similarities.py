"""Similarities of copairs beside the originals."""

import numpy as np
import pytest

from helpers.accelerated import Pair, outcome, quiet_profile
from helpers.pasted import source_file

if source_file("copairs.compute") is None:
    pytest.skip("copairs is absent (pip install copairs)", allow_module_level=True)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero

SAMPLES = ["pairwise_cosine", "pairwise_abs_cosine", "pairwise_corr"]
DISTANCES = ["cosine", "abs_cosine", "correlation", "euclidean", "manhattan", "chebyshev"]


@pytest.fixture
def small(monkeypatch):
    """Lets replacements take small calls."""
    monkeypatch.setenv("WELLGRAM_ACCEL_SMALL", "1")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SAMPLES)
def test_samples_have_the_same_bits(small, name, dtype):
    """NaN, rows of zeros and rows that overflow too."""
    x = np.random.default_rng(5).normal(size=(2, 3001, 90)).astype(dtype)
    x[0, 7], x[1, 9, 3], x[0, 2000] = 0, np.nan, 1e30
    theirs, ours = Pair(f":{name}")(*x)
    assert theirs.dtype == ours.dtype
    np.testing.assert_array_equal(theirs, ours)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_that_are_not_alike_are_left_to_the_original(small, name):
    x, y = np.random.default_rng(5).normal(size=(2, 40, 9))
    declines = Pair(f":{name}").declines
    for ours in ((x, y.astype(np.float32)), (x, y[:, :1]), (x.T, y.T), (x[:0], y[:0])):
        assert declines(*ours)[0] is not None
    assert isinstance(declines(x, y[:3])[1], ValueError)


def test_small_samples_are_left_to_the_original():
    x, y = np.random.default_rng(5).normal(size=(2, 40, 9))
    assert Pair(":pairwise_corr").declines(x, y)[0] == "there is too little to do"


@pytest.mark.parametrize("features", [1, 2, 90, 700])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", DISTANCES)
def test_similarities_of_pairs_have_the_same_bits(name, dtype, features):
    """Pairs of a row with itself, of equal rows, of rows of zeros, a NaN and large numbers too."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, features)).astype(dtype)
    x[50:55] = x[100:105]
    x[7], x[8, 0], x[9], x[10, -1] = 0, np.nan, 1e30, np.inf
    pairs = rng.integers(200, size=(2000, 2)).astype(np.uint32)
    pairs[:12] = [[50, 100]] * 4 + [[3, 3]] * 4 + [[7, 9]] * 4
    theirs, ours = Pair(":get_similarity_fn")(name)
    with quiet_profile() as found:
        np.testing.assert_array_equal(ours(x, pairs, batch_size=100), theirs(x, pairs, 100))
    assert [call.declined for call in found.calls] == [None]


@pytest.mark.parametrize("name", DISTANCES)
def test_features_of_other_kinds_are_equal_or_the_originals(name):
    x = np.random.default_rng(0).normal(size=(60, 30))
    pairs = np.random.default_rng(1).integers(60, size=(900, 2))
    theirs, ours = Pair(":get_similarity_fn")(name)
    small = (10 * x).astype(np.int8)  # which overflow as copairs subtracts them
    for other in (
        np.asfortranarray(x),
        x[:, ::2],
        x[::-1],
        small,
        x.astype(np.float16),
        x * 1e-200,
    ):
        np.testing.assert_array_equal(ours(other, pairs, 100), theirs(other, pairs, 100))


def test_options_go_to_the_original(capfd):
    """Of a version that has them: none of its bars appears."""
    both = Pair(":get_similarity_fn")
    pytest.importorskip("tqdm", reason="tqdm is absent (pip install tqdm)")
    try:
        ours = both.stand_in("cosine", progress_bar=False)
    except TypeError:
        pytest.skip("this version has no progress bar to leave out")
    x = np.random.default_rng(0).normal(size=(30, 4))
    assert ours(x, np.array([[0, 1]]), 5).shape == (1,)  # too few pairs: the original runs
    assert "%" not in capfd.readouterr().err


def test_what_is_no_distance_is_the_originals_error():
    both = Pair(":get_similarity_fn")
    theirs, ours = outcome(both.original, "nowhere"), outcome(both.stand_in, "nowhere")
    assert str(theirs) == str(ours)
    assert type(theirs) is type(ours)
    assert not hasattr(ours, "__notes__")
    assert "not supported" in both.declines("hamming")[0]


@pytest.mark.parametrize(
    ("pairs", "batch"),
    [
        (np.array([[0, 1]] * 200), 0),
        (np.array([[0, 1]] * 200), 2.5),
        (np.array([[0, -1]] * 200), 10),
        (np.array([[0, 40]] * 200), 10),
        (np.array([[0.0, 1.0]] * 200), 10),
        (np.array([[0, 1, 2]] * 200), 10),
        ([[0, 1]] * 200, 10),
        (np.empty((0, 2), int), 10),
    ],
)
def test_odd_pairs_are_the_originals(pairs, batch):
    both = Pair(":get_similarity_fn")
    theirs, ours = both("cosine")
    x = np.random.default_rng(0).normal(size=(40, 4))
    expected, found = outcome(theirs, x, pairs, batch), outcome(ours, x, pairs, batch)
    assert type(expected) is type(found)
    if isinstance(expected, Exception):
        assert str(expected) == str(found)
    else:
        np.testing.assert_array_equal(expected, found)
