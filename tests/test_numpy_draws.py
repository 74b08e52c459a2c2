"""Draws of NumPy's own generators, made by the compiled core."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellgram.backends.numpy_draws import shuffled_places


@pytest.mark.parametrize("compiled", [True, False])
@settings(deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 40), st.integers(0, 2**32))
def test_places_are_those_that_numpy_shuffles_from(compiled, total, taken, rows, seed):
    rng, twin = np.random.default_rng(seed), np.random.default_rng(seed)
    table = np.tile(np.arange(total), (rows, 1))
    taken = min(taken, total)
    expected = np.sort(rng.permuted(table, axis=1)[:, :taken], axis=1)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setitem(sys.modules, "wellgram._cpu", None)
        places = shuffled_places(twin, total, rows, taken)
    np.testing.assert_array_equal(places, expected)
    assert twin.bit_generator.state == rng.bit_generator.state  # for the rows that follow
