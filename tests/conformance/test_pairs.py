"""scan_pairs: each pair once, by every consumer, whatever the shape and the threads."""

import numpy as np
import pytest
from comparers import cosine_error, counted_below

from wellgram import InputError
from wellgram.backends import get_backend, reference
from wellgram.backends.consumers import Bracket, CountBelow, Histogram

SHAPES = [(2, 1), (3, 4), (31, 15), (32, 16), (33, 17), (97, 33), (150, 384), (257, 3)]
THRESHOLDS = (-0.3, -0.05, 0.0, 0.05, 0.3, 2.0)
EVERYTHING = Bracket(-2, 2, 1 << 30)


def unit(backend, rng, n, d, dtype):
    return backend.unit_rows(rng.normal(size=(n, d)).astype(dtype))[0]


def exact(x, y=None):
    """All cosines in float64, sorted."""
    x = x.astype(np.float64)
    if y is None:
        return np.sort((x @ x.T)[np.triu_indices(len(x), k=1)])
    return np.sort((x @ y.astype(np.float64).T).ravel())


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_counts_against_the_reference(backend, rng, dtype, shape):
    x = unit(backend, rng, *shape, dtype)
    (below,) = backend.scan_pairs(x, [CountBelow(THRESHOLDS)])
    cosines = exact(x)
    assert below[-1] == len(cosines)
    for count, threshold in zip(below, THRESHOLDS, strict=True):
        counted_below(count, cosines, threshold, cosine_error(shape[1], dtype))


@pytest.mark.parametrize("shapes", [(1, 1, 3), (40, 7, 5), (13, 200, 31), (65, 64, 16)], ids=str)
def test_rows_of_one_against_rows_of_another(backend, rng, dtype, shapes):
    n, m, d = shapes
    x, y = unit(backend, rng, n, d, dtype), unit(backend, rng, m, d, dtype)
    (below,) = backend.scan_pairs(x, [CountBelow(THRESHOLDS)], y)
    cosines = exact(x, y)
    assert below[-1] == n * m
    for count, threshold in zip(below, THRESHOLDS, strict=True):
        counted_below(count, cosines, threshold, cosine_error(d, dtype))


@pytest.mark.parametrize("n", [0, 1])
def test_no_pairs(backend, n):
    consumers = [CountBelow((0.5,)), Histogram(bins=4), EVERYTHING]
    below, bins, kept = backend.scan_pairs(np.ones((n, 3)), consumers)
    assert below.tolist() == [0]
    assert bins.tolist() == [0] * 4
    assert (kept.below, kept.within, len(kept.values)) == (0, 0, 0)


@pytest.mark.parametrize("d", [1, 2, 8, 17, 100, 385])
def test_a_pass_meets_the_very_values_of_pair_cosines(backend, rng, dtype, d):
    x = unit(backend, rng, 120, d, dtype)
    (kept,) = backend.scan_pairs(x, [EVERYTHING])
    i, j = np.triu_indices(120, k=1)
    np.testing.assert_array_equal(kept.values, np.sort(backend.pair_cosines(x, i, j)))
    np.testing.assert_array_equal(backend.pair_cosines(x, j, i), backend.pair_cosines(x, i, j))


def test_instruction_sets_with_fused_multiply_add_agree_to_the_bit(rng, dtype):
    cpu = get_backend("cpu")
    sets = [isa for isa in cpu.instruction_sets() if isa != "baseline"]
    if len(sets) < 2:
        pytest.skip(f"only {sets or 'the baseline'} runs here")
    x = unit(cpu, rng, 150, 77, dtype)
    before, values = cpu.instruction_set(), []
    for isa in sets:
        cpu.use_instruction_set(isa)
        values.append(cpu.scan_pairs(x, [EVERYTHING])[0].values)
    cpu.use_instruction_set(before)
    np.testing.assert_array_equal(values[0], values[1])


def test_states_do_not_depend_on_threads(backend, rng, threads, monkeypatch):
    x = unit(backend, rng, 300, 12, np.float32)
    consumers = [CountBelow(THRESHOLDS), Histogram(bins=50), Bracket(-0.1, 0.2, 1 << 20)]
    below, bins, kept = backend.scan_pairs(x, consumers)
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")
    one_below, one_bins, one_kept = backend.scan_pairs(x, consumers)
    np.testing.assert_array_equal(below, one_below)
    np.testing.assert_array_equal(bins, one_bins)
    np.testing.assert_array_equal(kept.values, one_kept.values)
    assert (kept.below, kept.within) == (one_kept.below, one_kept.within)


def test_counts_do_not_depend_on_the_order_of_rows(backend, rng):
    x = unit(backend, rng, 200, 9, np.float32)
    shuffled = x[rng.permutation(200)]
    consumers = [CountBelow(THRESHOLDS), Histogram(bins=50)]
    for a, b in zip(
        backend.scan_pairs(x, consumers), backend.scan_pairs(shuffled, consumers), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_pass_cut_into_blocks_counts_the_same(backend, rng):
    x = unit(backend, rng, 230, 9, np.float32)
    parts = np.split(x, [60, 130])
    count = [CountBelow(THRESHOLDS)]
    whole = backend.scan_pairs(x, count)[0]
    own = sum(backend.scan_pairs(part, count)[0] for part in parts)
    across = sum(
        backend.scan_pairs(parts[a], count, parts[b])[0] for a, b in ((0, 1), (0, 2), (1, 2))
    )
    np.testing.assert_array_equal(own + across, whole)


def test_equal_and_opposite_rows(backend, dtype):
    """Cosines of exactly 1 and -1: strict below, within inclusive, ends of the histogram."""
    x = np.array([[1, 0], [1, 0], [-1, 0], [0, 1]], dtype)
    consumers = [CountBelow((-1, 0, 1)), Bracket(0, 1, 100), Histogram(bins=2)]
    below, kept, bins = backend.scan_pairs(x, consumers)
    assert below.tolist() == [0, 2, 5]
    assert (kept.below, kept.within, kept.values.tolist()) == (2, 4, [0, 0, 0, 1])
    assert bins.tolist() == [2, 4]


def test_a_bracket_counts_past_its_capacity(backend, rng):
    x = unit(backend, rng, 100, 3, np.float32)
    (kept,) = backend.scan_pairs(x, [Bracket(-2, 2, 10)])
    assert kept.within == 4950
    assert not kept.complete
    assert 10 <= len(kept.values) < 4950


def test_histogram_and_counts_tell_the_same(backend, rng, dtype):
    x = unit(backend, rng, 130, 6, dtype)
    histogram = Histogram(bins=64)
    bins, below = backend.scan_pairs(x, [histogram, CountBelow(tuple(histogram.edges))])
    # Edges of 64 bins are exact in both types, so no cosine can fall between the two answers.
    np.testing.assert_array_equal(np.cumsum(bins)[:-1], below[1:-1])


def test_thresholds_compare_as_float64(backend):
    """A threshold between two floats of a narrower type is not rounded onto one of them."""
    x = np.array([[1, 0], [0.6, 0.8]], np.float32)
    cosine = float(np.float32(0.6))
    consumers = [CountBelow((cosine, np.nextafter(cosine, 1))), Bracket(cosine - 1e-12, cosine, 9)]
    below, kept = backend.scan_pairs(x, consumers)
    assert below.tolist() == [0, 1]
    assert kept.within == 1
    (empty,) = backend.scan_pairs(x, [Bracket(cosine + 1e-12, cosine + 2e-12, 9)])
    assert (empty.below, empty.within) == (1, 0)


def test_more_than_2_to_the_31_pairs(backend):
    if backend is reference or backend.instruction_set() != backend.instruction_sets()[0]:
        pytest.skip("counted once, on the fastest variant: the others would take minutes")
    n, negative = 66_000, 1_000
    x = np.ones((n, 1), np.float32)
    x[:negative] = -1
    (below,) = backend.scan_pairs(x, [CountBelow((0.0, 2.0))])
    assert below.tolist() == [negative * (n - negative), n * (n - 1) // 2]
    assert below[1] > 2**31


def test_progress_rises_and_an_error_in_it_stops_the_pass(backend, rng):
    n = 300 if backend is reference else 6000
    x = unit(backend, rng, n, 256, np.float64)
    shares = []
    backend.scan_pairs(x, [CountBelow((0.0,))], None, shares.append)
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)

    def refuse(share):
        raise RuntimeError("enough")

    if shares:  # a fast machine may be done before the first report is due
        with pytest.raises(RuntimeError, match="enough"):
            backend.scan_pairs(x, [CountBelow((0.0,))], None, refuse)


def test_rows_of_another_width_are_refused(backend):
    with pytest.raises(InputError, match="3 features and y 4"):
        backend.scan_pairs(np.eye(3), [], np.eye(4))
