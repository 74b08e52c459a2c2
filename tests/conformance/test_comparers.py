"""The comparers can fail, and a backend that is wrong is caught."""

import numpy as np
import pytest
from comparers import close, counted_below

from wellgram.backends import reference


def test_close_refuses_an_error_past_its_bound():
    with pytest.raises(AssertionError, match="error"):
        close([1.001], [1.0], terms=10, dtype=np.float32, magnitude=1)
    close([1 + 1e-7], [1.0], terms=10, dtype=np.float32, magnitude=1)


def test_close_refuses_a_nan_where_there_is_none():
    with pytest.raises(AssertionError):
        close([np.nan], [1.0], terms=10, dtype=np.float32, magnitude=1)


def test_close_refuses_another_shape():
    with pytest.raises(AssertionError):
        close([1.0, 1.0], [1.0], terms=1, dtype=np.float64, magnitude=1)


@pytest.mark.parametrize("wrong", [1, 4])
def test_counted_below_refuses_a_count_off_by_one(wrong):
    values = np.array([0.1, 0.2, 0.3, 0.4])
    counted_below(2, values, 0.25, 1e-6)
    counted_below(3, values, 0.3 + 1e-7, 1e-6)
    with pytest.raises(AssertionError):
        counted_below(wrong, values, 0.25, 1e-6)


def test_a_dropped_row_is_caught(rng):
    x, codes = rng.normal(size=(20, 3)), np.zeros(20, np.int64)
    expected, _ = reference.group_sums(x, codes, 1)
    mutated, _ = reference.group_sums(x[:-1], codes[:-1], 1)
    with pytest.raises(AssertionError):
        close(mutated, expected, terms=20, dtype=np.float64, magnitude=np.abs(x).sum())
