"""A pass with a screen has the states of one without, to the bit."""

import numpy as np
import pytest

from helpers.adversarial_rows import KINDS
from helpers.cases import unit
from helpers.screened_states import SHAPES, states
from wellgram.backends.consumers import CountBelow, Histogram, Nearest
from wellgram.errors import BackendUnavailable
from wellgram.pairs import scan_pairs

_cpu = pytest.importorskip("wellgram._cpu")


@pytest.fixture
def screened(cpu):
    """Calls a function without a screen and with each, on every instruction set.

    Yields both answers. Sets with and without fused multiply-adds differ among themselves.
    """

    def both(call):
        for isa in cpu.kernels.instruction_sets():
            cpu.kernels.use_instruction_set(isa)
            cpu.kernels.use_screen("none")
            without = call()
            for screen in cpu.kernels.screens()[1:]:
                cpu.kernels.use_screen(screen)
                if cpu.kernels.screen() == screen:  # it goes with the instruction set
                    yield without, call()

    yield both
    cpu.kernels.use_screen(None)
    _cpu.scale_screen_bounds(1)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_states_are_those_without_a_screen(screened, rng, kind, shape, dtype):
    n, d = shape
    x, y = KINDS[kind](rng, n, d), KINDS[kind](rng, n // 2 + 1, d)
    x[np.linalg.norm(x, axis=1) == 0] = 1
    y[np.linalg.norm(y, axis=1) == 0] = 1
    for other in (None, y):
        for without, with_screen in screened(lambda other=other: states(x, other, dtype=dtype)):
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
    for without, with_screen in answers:
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
        for without, with_screen in answers:
            assert without == with_screen


def test_a_bound_that_is_too_small_is_noticed(screened, rng):
    """Or these tests would say nothing of the bound."""
    x = rng.standard_normal((400, 1024), np.float32)
    ties = CountBelow(tuple(np.linspace(-0.1, 0.1, 60)))
    _cpu.scale_screen_bounds(1e-3)
    answers = screened(lambda: scan_pairs(x, [ties]).states[0].counts.tobytes())
    assert all(without != with_screen for without, with_screen in answers)


def test_rows_that_are_not_of_length_1_have_no_screen(screened, cpu):
    """NaN is below nothing, and in the first bin."""
    x = np.full((3, 4), np.nan, np.float32)
    for both in screened(lambda: cpu.scan_pairs(x, [Histogram(bins=3)])[0].tolist()):
        assert both == ([3, 0, 0], [3, 0, 0])


def test_a_screen_that_is_unknown(cpu):
    with pytest.raises(BackendUnavailable, match=r"no screen 'int4'; use one of none, .*int16"):
        cpu.kernels.use_screen("int4")
