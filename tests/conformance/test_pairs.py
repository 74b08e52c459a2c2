"""scan_pairs: each pair once, whatever the shape, the cut and the threads."""

import numpy as np
import pytest

from helpers.cases import DIMENSIONS, EVERYTHING, SHAPES, THRESHOLDS, all_cosines, met_values, unit
from helpers.comparers import cosine_error, counted_below
from helpers.oracle import reference
from wellgram.backends.consumers import Bracket, CountBelow, Histogram

COUNTS = [CountBelow(THRESHOLDS), Histogram(bins=50)]


def compare_counts(backend, x, y=None):
    (below,) = backend.scan_pairs(x, [CountBelow(THRESHOLDS)], y)
    cosines = all_cosines(x, y)
    assert below[-1] == len(cosines)
    for count, threshold in zip(below, THRESHOLDS, strict=True):
        counted_below(count, cosines, threshold, cosine_error(x.shape[1], x.dtype))


def is_compiled(backend):
    return backend is not reference


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_counts(backend, rng, dtype, shape):
    compare_counts(backend, unit(rng, *shape, dtype))


@pytest.mark.parametrize(
    "sizes", [(1, 1, 3), (40, 7, 5), (13, 200, 31), (65, 64, 16), (0, 5, 2), (5, 0, 2)], ids=str
)
def test_counts_of_rows_against_others(backend, rng, dtype, sizes):
    n, m, d = sizes
    compare_counts(backend, unit(rng, n, d, dtype), unit(rng, m, d, dtype))


@pytest.mark.parametrize("n", [0, 1])
def test_no_pairs(backend, n):
    consumers = [CountBelow((0.5,)), Histogram(bins=4), EVERYTHING]
    below, bins, kept = backend.scan_pairs(np.ones((n, 3)), consumers)
    assert below.tolist() == [0]
    assert bins.tolist() == [0] * 4
    assert (kept.below, kept.within, len(kept.values)) == (0, 0, 0)


@pytest.mark.parametrize("d", [2, 8, 100, 385, *DIMENSIONS])
def test_a_pass_meets_the_very_values_of_pair_cosines(backend, rng, dtype, d):
    x, y = unit(rng, 120, d, dtype), unit(rng, 37, d, dtype)
    i, j = np.triu_indices(120, k=1)
    np.testing.assert_array_equal(met_values(backend, x), np.sort(backend.pair_cosines(x, i, j)))
    np.testing.assert_array_equal(backend.pair_cosines(x, j, i), backend.pair_cosines(x, i, j))
    i, j = np.indices((120, 37)).reshape(2, -1)
    expected = np.sort(backend.pair_cosines(x, i, j, y))
    np.testing.assert_array_equal(met_values(backend, x, y), expected)


@pytest.mark.parametrize("d", [3, 77, 384])
def test_instruction_sets_with_fused_multiply_add_agree_to_the_bit(cpu, rng, dtype, d):
    sets = [isa for isa in cpu.kernels.instruction_sets() if isa != "baseline"]
    if len(sets) < 2:
        pytest.skip(f"only {sets or 'the baseline'} runs here")
    x, values = unit(rng, 150, d, dtype), []
    for isa in sets:
        cpu.kernels.use_instruction_set(isa)
        values.append(met_values(cpu, x))
    for other in values[1:]:
        np.testing.assert_array_equal(values[0], other)


def test_counts_do_not_depend_on_the_order_of_rows(backend, rng):
    x = unit(rng, 200, 9, np.float32)
    shuffled = x[rng.permutation(200)]
    for a, b in zip(
        backend.scan_pairs(x, COUNTS), backend.scan_pairs(shuffled, COUNTS), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_a_pass_cut_into_blocks_counts_the_same(backend, rng):
    x = unit(rng, 230, 9, np.float32)
    parts = np.split(x, [60, 130])
    blocks = [backend.scan_pairs(part, COUNTS) for part in parts]
    blocks += [backend.scan_pairs(parts[a], COUNTS, parts[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    for whole, pieces in zip(backend.scan_pairs(x, COUNTS), zip(*blocks, strict=True), strict=True):
        np.testing.assert_array_equal(sum(pieces), whole)


def test_a_row_of_nan_takes_only_its_own_pairs(backend, rng, dtype):
    x = unit(rng, 80, 7, dtype)
    (expected,) = backend.scan_pairs(np.delete(x, 33, axis=0), [CountBelow(THRESHOLDS)])
    x[33] = np.nan
    (below,) = backend.scan_pairs(x, [CountBelow(THRESHOLDS)])
    np.testing.assert_array_equal(below, expected)


@pytest.mark.parametrize("n", [2047, 2048, 4500])
def test_more_rows_than_a_block(backend, dtype, n):
    """Rows of 1 and -1, whose cosines need no reference."""
    n = n if is_compiled(backend) else n // 10
    negative = n // 3
    x = np.ones((n, 1), dtype)
    x[::3][:negative] = -1
    below, bins = backend.scan_pairs(x, [CountBelow((0.0, 2.0)), Histogram(bins=2)])
    unequal, pairs = negative * (n - negative), n * (n - 1) // 2
    assert below.tolist() == [unequal, pairs]
    assert bins.tolist() == [unequal, pairs - unequal]
    (across,) = backend.scan_pairs(x, [CountBelow((0.0, 2.0))], x[: n // 2])
    right = int((x[: n // 2] < 0).sum())
    assert across.tolist() == [
        negative * (n // 2 - right) + (n - negative) * right,
        n * (n // 2),
    ]


def test_more_than_2_to_the_31_pairs(backend):
    if not is_compiled(backend):
        pytest.skip("one NumPy product per pair: the reference would take hours")
    sets = getattr(backend.kernels, "instruction_sets", list)()
    if sets and backend.kernels.instruction_set() != sets[0]:
        pytest.skip(f"counted once, by {sets[0]}: other sets count in the same 64 bits")
    n, negative = 67_000, 1_000
    x = np.ones((n, 1), np.float32)
    x[:negative] = -1
    unequal = negative * (n - negative)
    below, kept = backend.scan_pairs(x, [CountBelow((0.0, 2.0)), Bracket(0, 2, 0)])
    assert below.tolist() == [unequal, n * (n - 1) // 2]
    assert (kept.below, kept.within) == (unequal, n * (n - 1) // 2 - unequal)
    assert kept.within > 2**31


@pytest.fixture
def long_pass(backend, monkeypatch):
    """A pass of as many rows as it takes to be reported on; returns the shares told."""
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")

    def run(progress):
        n, told = 100, []

        def remember(share):
            told.append(share)
            progress(share)

        while not told:
            n *= 2
            # Reports are 50 ms apart; so many rows are 4e11 operations, of one thread.
            assert n <= 25_600, "a pass of seconds told nothing"
            backend.scan_pairs(np.ones((n, 300)), [CountBelow((0.0,))], None, remember)
        return told

    return run


def test_progress_rises_from_0_to_1(long_pass):
    shares = long_pass(lambda share: None)
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] <= 1


def test_an_error_in_progress_stops_the_pass(long_pass):
    calls = []

    def refuse(share):
        calls.append(share)
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        long_pass(refuse)
    assert len(calls) == 1


def test_packing_the_rows_is_no_progress(backend, monkeypatch):
    """Packed for longer than the 50 ms between reports; then there is nothing to pass over."""
    monkeypatch.setenv("WELLGRAM_NUM_THREADS", "1")
    many = np.broadcast_to(np.ones(1000, np.float32), (50_000 if is_compiled(backend) else 0, 1000))
    shares = []
    backend.scan_pairs(many, [CountBelow((0.0,))], many[:0], shares.append)
    assert shares == []
