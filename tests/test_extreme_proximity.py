"""The correction of proximity bias of values near the largest of their type."""

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import map_of
from wellgram import InputError, ProximityCorrection

NAMES = [f"G{i}" for i in range(50)]
GENES = pd.DataFrame({"gene": NAMES, "chromosome_arm": np.repeat(["1p", "1q"], 25)})


def corrected(x):
    return ProximityCorrection().fit_transform(map_of(x, NAMES), GENES).embeddings


@pytest.mark.parametrize("power", [-700, 1015, 1022])
def test_size_does_not_matter(rng, power):
    x = rng.uniform(-0.9, 0.9, size=(50, 4))
    x[:25, 1] = rng.uniform(0.7, 0.9, size=25)  # a sum of these is 18 times as large
    got = np.ldexp(corrected(np.ldexp(x, power)), -power)
    # A power of two rounds nothing.
    np.testing.assert_array_equal(got, corrected(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_numbers(rng, dtype):
    x = rng.normal(size=(50, 4)).astype(dtype)
    x[:25, 2] = np.finfo(dtype).max
    x[25:, 2] = -np.finfo(dtype).max
    np.testing.assert_array_equal(corrected(x)[:, 2], np.zeros(50))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_cannot_be_represented_is_an_error(rng, dtype):
    x = rng.normal(size=(50, 4)).astype(dtype)
    x[25:, 3] = np.finfo(dtype).max
    x[25, 3] = -np.finfo(dtype).max
    with pytest.raises(
        InputError, match=f"feature 3 .* of arm '1q' .* represented in {dtype.__name__}"
    ):
        corrected(x)
