"""The comparer of the accelerator finds what it should, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from wellgram.accel.verification import compare

TABLE = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "c": [1, 2]})

LABELS = pd.DataFrame({"labels": [["a", "b"], np.array(["a"]), ("a", None), np.nan]})


def difference(ours, theirs, tolerance=1e-5, **arguments):
    """Return what is said of two results."""
    return compare(lambda **_: ours, lambda **_: theirs, arguments, tolerance)[2]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (TABLE.assign(a=[1.0, 2.0001]), TABLE),
        (TABLE.assign(a=[1.0, np.nan]), TABLE),
        (TABLE.assign(c=[1, 3]), TABLE),
        (TABLE.assign(c=np.array([1, 2], np.int32)), TABLE),
        (TABLE.assign(a=np.array([1, 2], np.float32)), TABLE),
        (TABLE.assign(b=["x", "z"]), TABLE),
        (TABLE[["b", "a", "c"]], TABLE),
        (TABLE.set_axis([5, 6]), TABLE),
        (TABLE, TABLE.set_axis(pd.RangeIndex(2, name="n"))),
        (TABLE.to_numpy(), TABLE),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        ({"a": 1.0}, {"b": 1.0}),
        ((1, 2.0), (1, 2.1)),
        (np.float32(1), 1.0),
        (pd.DataFrame({"a": [np.array([1, 2])]}), pd.DataFrame({"a": [np.array([1, 3])]})),
        (1, 2),
    ],
    ids=range(16),
)
def test_differences_are_found(ours, theirs):
    assert difference(ours, theirs)


@pytest.mark.parametrize(
    "value", [TABLE, np.array([1.0, np.nan]), {"a": [1, "b"]}, (None, 2.0), "text", LABELS]
)
def test_what_is_equal_is_no_difference(value):
    assert difference(value, value) is None


def test_numbers_may_differ_by_the_tolerance():
    assert difference(np.array([0.1, 1e6]), np.array([0.1 + 9e-6, 1e6 + 9])) is None
    assert difference(np.array([0.1]), np.array([0.1 + 1.1e-5]))


def test_a_single_number_that_differs_is_a_difference():
    """However many others agree."""
    values = np.zeros(1_000_000)
    away = values.copy()
    away[5] = 1e-3
    assert difference(away, values) == "the result differs by 1.0e-03"


def test_infinite_numbers_must_be_equal():
    values = np.array([np.inf, 1.0, np.nan])
    assert difference(values, values) is None
    assert difference(-values, values)


def test_series_and_attributes_are_compared():
    series = pd.Series([1.0, 2.0], name="a")
    assert difference(series, series) is None
    assert difference(series.rename("b"), series)
    marked = TABLE.copy()
    marked.attrs["a"] = 1
    assert difference(marked, TABLE)


def test_printed_lines_must_be_the_same():
    _, _, found = compare(lambda: print("a"), lambda: print("b"), {}, 0)
    assert found == r"'a\n' was printed instead of 'b\n'"


def test_float32_may_drift_as_far_as_the_original():
    x = np.ones(3, np.float32)

    def theirs(x):  # off by 1e-3 in float32
        return x.astype(np.float32) + np.float32(0 if x.dtype == np.float64 else 1e-3)

    def ours(off):
        return lambda x: x.astype(np.float32) - np.float32(off)

    assert compare(ours(1e-3), theirs, {"x": x}, 1e-5)[2] is None
    assert compare(ours(3e-3), theirs, {"x": x}, 1e-5)[2]


def test_both_draw_the_same_numbers():
    draw = np.random.normal  # as the originals do
    assert compare(lambda: draw(size=3), lambda: draw(size=3), {}, 0)[2] is None
