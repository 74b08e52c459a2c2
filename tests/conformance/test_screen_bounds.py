"""The bound of a screen holds: against float64, and against the chain of float32 or bfloat16."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.adversarial_rows import KINDS
from wellgram.backends import cpu
from wellgram.backends.reference import as_bfloat16

_cpu = pytest.importorskip("wellgram._cpu")

SCREENS = cpu.screens()[1:]
# At 1,024 features. Of 16 bits: half a unit of 46,340 in each value of two rows, and the chain's.
# Of 8 bits in two parts: half a unit of 32,639 / the largest value, and the product of lower parts.
# Rounded to bfloat16: eight bits of each value.
WIDTHS = {"int16": 5e-4, "amx-bf16": 4e-3, "amx-bf16-emulated": 4e-3}
PARTS_WIDTH = 2.8e-4


@pytest.fixture(autouse=True)
def automatic_screen():
    yield
    cpu.use_screen(None)


def certified(screen, x, y, bfloat16=False):
    """The screen's cosines of all pairs of unit rows, their bounds, and those of pair_cosines."""
    cpu.use_screen(screen)
    if cpu.screen() != screen:
        pytest.skip(f"{screen} does not go with {cpu.instruction_set()}")
    cosines, bounds = np.empty((len(x), len(y)), np.float32), np.empty((len(x), len(y)))
    _cpu.screened_cosines(x, y, cosines, bounds, bfloat16)
    i, j = np.indices(cosines.shape).reshape(2, -1)
    chain = np.empty(len(i), np.float32)
    pair_cosines = _cpu.pair_cosines_bfloat16 if bfloat16 else _cpu.pair_cosines
    pair_cosines(x, y, i, j, chain, 1)
    return cosines, bounds, chain.reshape(cosines.shape)


def unit_rows(x):
    norms = np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True)
    return (x / np.maximum(norms, 1e-30)).astype(np.float32)


@pytest.mark.parametrize("screen", SCREENS)
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(sorted(KINDS)),
    n=st.integers(1, 60),
    d=st.one_of(st.integers(1, 140), st.integers(900, 1100)),
    bfloat16=st.booleans(),
)
def test_the_bound_holds(screen, seed, kind, n, d, bfloat16):
    rng = np.random.default_rng(seed)
    x, y = unit_rows(KINDS[kind](rng, n, d)), unit_rows(KINDS[kind](rng, n, d))
    cosines, bounds, chain = certified(screen, x, y, bfloat16)
    if bfloat16:
        x, y = as_bfloat16(x), as_bfloat16(y)
    exact = x.astype(np.float64) @ y.astype(np.float64).T
    assert (np.abs(cosines - exact) <= bounds).all()
    assert (np.abs(cosines.astype(np.float64) - chain) <= bounds).all()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_bound_is_as_narrow_as_said(screen):
    x = unit_rows(np.random.default_rng(0).standard_normal((64, 1024)))
    _, bounds, _ = certified(screen, x, x)
    assert bounds.max() < WIDTHS.get(screen, PARTS_WIDTH)


@pytest.mark.parametrize("screen", SCREENS)
def test_rows_next_to_nothing(screen):
    """Their scale must not leave float32."""
    x = np.full((3, 70), 1e-38, np.float32)
    y = unit_rows(np.random.default_rng(0).standard_normal((3, 70)))
    cosines, bounds, chain = certified(screen, x, y)
    assert np.isfinite(cosines).all()
    assert (np.abs(cosines.astype(np.float64) - chain) <= bounds).all()
