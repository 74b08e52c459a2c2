"""Consumers of one's own: no backend has a twin of them, and each hands them its very cosines."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from helpers.cases import extent_of, met, pairs_of, unit, x_and_y
from helpers.comparers import as_defined, same
from helpers.own_consumers import LargestPerRow, SumAbove
from wellgram import InputError, available_backends, get_backend
from wellgram.backends.consumers import Consumer, Extent, Histogram, Nearest, State, areas

KINDS = [(np.float32, False), (np.float64, False), (np.float32, True)]
SIZES = [(170, None), (170, 90), (5, 300), (1, None), (0, 5)]


@pytest.fixture(params=[False, True], ids=["areas", "small areas"])
def any_areas(request, monkeypatch):
    """Areas as they are, and others so small that a pass of a few rows has many."""
    if request.param:
        monkeypatch.setattr(areas, "MOST_CELLS", 100)
        monkeypatch.setattr("wellgram.backends.gpu.products.TILE", (64, 32))
        if "cpu" in available_backends():
            monkeypatch.setattr("wellgram.backends.cpu_scan.AREA", (60, 33))


@dataclass(frozen=True)
class EveryPair(Consumer):
    """All pairs as they were handed over, nothing copied: row, column, cosine."""

    sizes: list = field(default_factory=list)

    def start(self, extent):
        return State(np.empty((0, 2), np.int64))

    def absorb(self, state, met):
        self.sizes.append(len(met.cosines))
        places = np.concatenate([state.counts, np.stack([met.i, met.j], axis=1)])
        return State(places, [*state.values, met.cosines])

    def merge(self, a, b):
        return State(np.concatenate([a.counts, b.counts]), [*a.values, *b.values])

    def finish(self, state):
        return state.counts[:, 0], state.counts[:, 1], np.concatenate([*state.values, []])


class HistogramOfOnes(Histogram):
    """Of a kind that has a twin, which is not this one's."""

    def absorb(self, state, met):
        return State(state.counts + 1)


@pytest.mark.usefixtures("any_areas")
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("dtype", "bfloat16"), KINDS)
def test_every_pair_is_handed_over_once_with_its_very_cosine(backend, rng, sizes, dtype, bfloat16):
    x, y = x_and_y(rng, *sizes, 7, dtype)
    i, j, cosines = backend.scan_pairs(x, [EveryPair()], y, bfloat16=bfloat16)[0]
    expected = pairs_of(x, y)
    order = np.lexsort((j, i))
    np.testing.assert_array_equal((i[order], j[order]), expected)
    np.testing.assert_array_equal(
        cosines[order], backend.pair_cosines(x, *expected, y, bfloat16=bfloat16)
    )


def test_no_more_is_handed_over_than_memory_is_meant_for(backend, rng, monkeypatch):
    monkeypatch.setattr(areas, "MOST_CELLS", 200)
    consumer = EveryPair()
    backend.scan_pairs(unit(rng, 120, 3, np.float32), [consumer])
    assert sum(consumer.sizes) == 120 * 119 // 2
    assert max(consumer.sizes) <= 200


@pytest.mark.usefixtures("any_areas")
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize(("dtype", "bfloat16"), KINDS)
def test_alone_and_beside_others_they_find_what_they_define(backend, rng, sizes, dtype, bfloat16):
    x, y = x_and_y(rng, *sizes, 7, dtype)
    options = {"bfloat16": bfloat16}
    ours = [SumAbove(-0.1), LargestPerRow(np.arange(0, len(x), 3))]
    pairs, extent = met(backend, x, y, **options), extent_of(x, y)
    defined = [as_defined(consumer, pairs, extent) for consumer in ours]
    for consumer, expected in zip(ours, defined, strict=True):
        same(backend.scan_pairs(x, [consumer], y, **options), [expected])
    theirs = [Nearest(4, 2), Histogram(bins=9)]
    alone = backend.scan_pairs(x, theirs, y, **options)
    first, nearest, second, bins = backend.scan_pairs(
        x, [ours[0], theirs[0], ours[1], theirs[1]], y, **options
    )
    same([first, second], defined)
    same([nearest, bins], alone)


@pytest.mark.parametrize("others", [None, 90])
def test_they_find_the_same_on_every_backend(backend, rng, others):
    """Of rows whose products are exact in any order: of four features, each 1/2 or -1/2."""
    x, y = (rng.choice([-0.5, 0.5], (n, 4)).astype(np.float32) for n in (170, others or 1))
    consumers = [SumAbove(-0.1), LargestPerRow(np.arange(170))]
    y = None if others is None else y
    expected = get_backend("reference").scan_pairs(x, consumers, y)
    same(backend.scan_pairs(x, consumers, y), expected)


def test_one_derived_from_a_kind_with_a_twin_goes_by_its_own_definition(backend, rng):
    (bins,) = backend.scan_pairs(unit(rng, 30, 3, np.float32), [HistogramOfOnes(bins=3)])
    assert len(set(bins.tolist())) == 1


def test_one_that_does_not_fit_the_pass_is_refused(backend):
    with pytest.raises(InputError, match="row 4 is not among the 4 of the pass"):
        backend.pair_scan([LargestPerRow(np.array([4]))], Extent(4), np.float32)


@pytest.mark.usefixtures("any_areas")
@pytest.mark.parametrize("beside", [[], [Histogram()]], ids=["alone", "beside another"])
def test_progress_rises_to_1(backend, rng, beside):
    shares = []
    backend.scan_pairs(unit(rng, 170, 3, np.float32), [SumAbove(0.0), *beside], None, shares.append)
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == pytest.approx(1)


def test_ctrl_c_ends_the_pass(backend, rng):
    def interrupt(share):
        raise KeyboardInterrupt

    consumers = [SumAbove(0.0), Nearest(2)]
    with pytest.raises(KeyboardInterrupt):
        backend.scan_pairs(unit(rng, 170, 3, np.float32), consumers, None, interrupt)


def test_an_error_of_theirs_comes_through(backend):
    class Refusing(EveryPair):
        def absorb(self, state, met):
            raise ZeroDivisionError("theirs")

    with pytest.raises(ZeroDivisionError, match="theirs"):
        backend.scan_pairs(np.eye(3), [Refusing()])
