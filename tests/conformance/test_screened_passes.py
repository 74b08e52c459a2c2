"""A pass with a screen has the states of one without, to the bit; and a screen's bound holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.cases import unit
from wellgram.backends.consumers import Bracket, CountBelow, Histogram, Nearest
from wellgram.errors import BackendUnavailable
from wellgram.pairs import scan_pairs

_cpu = pytest.importorskip("wellgram._cpu")

SHAPES = [(2, 1), (5, 2), (40, 3), (70, 17), (333, 64), (150, 301), (40, 3000)]


def _near_copies(rng, n, d):
    """Rows that are equal but for one unit in the last place of each value."""
    away = np.where(rng.random((n, d)) < 0.5, 9, -9).astype(np.float32)
    return np.nextafter(np.tile(rng.standard_normal(d, np.float32), (n, 1)), away)


def _one_sided(rng, n, d):
    """Values whose rounding takes away nearly half a unit of 16 bits, always to the same side."""
    steps = rng.integers(1, 40, (n, d)) + 0.49
    return steps.astype(np.float32)


def _one_hot(rng, n, d):
    x = np.zeros((n, d), np.float32)
    x[np.arange(n), rng.integers(0, d, n)] = 1
    return x


def _giant_feature(rng, n, d):
    x = rng.standard_normal((n, d), np.float32)
    x[::3, 0] *= 500
    return x


KINDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d), np.float32),
    "shared": lambda rng, n, d: rng.standard_normal((n, d), np.float32) + np.float32(2),
    "twice": lambda rng, n, d: np.repeat(rng.standard_normal((n, d), np.float32), 2, axis=0)[:n],
    "near copies": _near_copies,
    "one-sided": _one_sided,
    "heavy tails": lambda rng, n, d: rng.standard_cauchy((n, d)).astype(np.float32),
    "giant feature": _giant_feature,
    "one-hot": _one_hot,
}


@pytest.fixture
def screened(cpu):
    """Calls a function without a screen and with one, on every instruction set."""

    def both(call):
        for isa in cpu.kernels.instruction_sets():
            cpu.kernels.use_instruction_set(isa)
            for screen in ("none", "int16"):
                cpu.kernels.use_screen(screen)
                yield call()

    yield both
    cpu.kernels.use_screen(None)
    _cpu.scale_screen_bounds(1)


def states(x, other=None):
    """The states of consumers that decide, together and alone; values kept are in no order."""
    partners = (len(x) - 1 if other is None else len(other)) or 1
    consumers = [
        CountBelow((-0.2, 0.0, 0.1, 0.5, 0.9999)),
        Histogram(bins=7),
        Histogram(bins=500),
        Bracket(-0.01, 0.02, 1 << 23),
        Nearest(min(5, partners), min(3, partners)),
    ]
    found = [*scan_pairs(x, consumers, other=other).states]
    for consumer in (consumers[0], consumers[-1]):
        found += scan_pairs(x, [consumer], other=other).states
    return [(s.counts.tobytes(), np.sort(s.values).tobytes()) for s in found]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_states_are_those_without_a_screen(screened, rng, kind, shape):
    n, d = shape
    x, y = KINDS[kind](rng, n, d), KINDS[kind](rng, n // 2 + 1, d)
    x[np.linalg.norm(x, axis=1) == 0] = 1
    y[np.linalg.norm(y, axis=1) == 0] = 1
    for other in (None, y):
        answers = screened(lambda other=other: states(x, other))
        # Instruction sets with and without fused multiply-adds differ among themselves.
        for without, with_screen in zip(answers, answers, strict=True):
            assert without == with_screen


def test_a_pass_in_blocks(screened, rng, monkeypatch):
    """Each block begins at what the blocks before have found."""
    monkeypatch.setattr("wellgram.pairs.tiling.TILE_ROWS", 64)
    x = rng.standard_normal((300, 24), np.float32)
    halves = [(0, 7), (7, 15)]

    def merged():
        scans = [scan_pairs(x, [Nearest(4, 2), CountBelow((0.1,))], tiles=t) for t in halves]
        return [s.counts.tobytes() for s in scans[0].merge(scans[1]).states]

    answers = screened(merged)
    for without, with_screen in zip(answers, answers, strict=True):
        assert without == with_screen


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("values", [3, 60, 300])
def test_ranks_are_those_without_a_screen(screened, cpu, rng, values, absolute):
    x, y = unit(rng, 150, 40, np.float32), unit(rng, 90, 40, np.float32)
    for one, other in ((x, y), (x, x)):
        sizes = rng.integers(0, values + 1, len(one))
        starts = np.concatenate([[0], np.cumsum(sizes)])
        row = np.repeat(np.arange(len(one)), sizes)
        # Cosines that are met among them, so that many cells are near a value.
        asked = cpu.pair_cosines(one, row, rng.integers(0, len(other), len(row)), other)
        asked = asked[np.lexsort([asked, row])].astype(np.float64)
        own = rng.integers(0, 4, (2, len(one))).astype(np.int32)
        their = own if other is x else rng.integers(0, 4, (2, len(other))).astype(np.int32)
        answers = screened(
            lambda a=one, b=other, s=starts, v=asked, o=own, t=their: cpu.rank_counts(
                a, b, s, v, o, t, absolute=absolute
            ).tobytes()
        )
        for without, with_screen in zip(answers, answers, strict=True):
            assert without == with_screen


def certified(x, y):
    """The screen's cosines of all pairs of unit rows, their bounds, and those of pair_cosines."""
    cosines, bounds = np.empty((len(x), len(y)), np.float32), np.empty((len(x), len(y)))
    _cpu.screened_cosines(x, y, cosines, bounds)
    i, j = np.indices(cosines.shape).reshape(2, -1)
    chain = np.empty(len(i), np.float32)
    _cpu.pair_cosines(x, y, i, j, chain, 1)
    return cosines, bounds, chain.reshape(cosines.shape)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(sorted(KINDS)),
    n=st.integers(1, 40),
    d=st.one_of(st.integers(1, 70), st.integers(900, 1100)),
)
def test_the_bound_holds(seed, kind, n, d):
    rng = np.random.default_rng(seed)
    x, y = KINDS[kind](rng, n, d), KINDS[kind](rng, n, d)
    x, y = (
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30) for rows in (x, y)
    )
    x, y = x.astype(np.float32), y.astype(np.float32)
    cosines, bounds, chain = certified(x, y)
    exact = x.astype(np.float64) @ y.astype(np.float64).T
    assert (np.abs(cosines - exact) <= bounds).all()
    assert (np.abs(cosines.astype(np.float64) - chain) <= bounds).all()


def test_the_bound_is_as_narrow_as_said():
    """4e-4 at 1,024 features: half a unit of 46,340 in each value of two rows, and the chain's."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 1024))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    _, bounds, _ = certified(x, x)
    assert bounds.max() < 5e-4


def test_a_bound_that_is_too_small_is_noticed(screened, rng):
    """Or these tests would say nothing of the bound."""
    x = rng.standard_normal((400, 1024), np.float32)
    ties = CountBelow(tuple(np.linspace(-0.1, 0.1, 60)))
    _cpu.scale_screen_bounds(1e-3)
    answers = screened(lambda: scan_pairs(x, [ties]).states[0].counts.tobytes())
    assert any(
        without != with_screen for without, with_screen in zip(answers, answers, strict=True)
    )


def test_rows_that_are_not_of_length_1_have_no_screen(screened, cpu):
    """NaN is below nothing, and in the first bin."""
    x = np.full((3, 4), np.nan, np.float32)
    for with_or_without in screened(lambda: cpu.scan_pairs(x, [Histogram(bins=3)])[0]):
        assert with_or_without.tolist() == [3, 0, 0]


def test_a_screen_that_is_unknown(cpu):
    with pytest.raises(BackendUnavailable, match="no screen 'int4'; use one of none, int16"):
        cpu.kernels.use_screen("int4")
