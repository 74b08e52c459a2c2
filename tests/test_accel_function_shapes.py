"""Shapes of functions: equal for what computes the same under other names, and else different."""

import ast

import pytest

from wellgram.accel.pasted.function_shapes import shape_of

ORIGINAL = '''
def total(rows, weights=None):
    """Add up."""
    kept = rows[rows > 0]
    for k, row in enumerate(kept):
        kept[k] = np.abs(row) * len(kept)
    return [scale(x, by=weights) for x in kept], f"{kept:.3f}"
'''


def shape(text):
    (definition,) = ast.parse(text).body
    return shape_of(definition)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Add up."""', '"""Other words."""\n    # and a comment'),
        ('"""Add up."""', ""),
        ("kept", "positive"),
        ("rows, weights=None", "rows: Any, weights: float | None = 2"),
        ("kept = rows[", "kept: list = rows["),
        ("np.abs", "numpy.abs"),
        ("rows > 0", "(rows\n   > 0)"),
        ("    kept = rows", "    import numpy as np\n    kept = rows"),
    ],
)
def test_what_computes_the_same_has_the_same_shape(old, new):
    changed = shape(ORIGINAL.replace(old, new))
    assert changed.digest == shape(ORIGINAL).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rows > 0", "rows >= 0"),
        ("rows > 0", "rows > 0.0"),
        ("(row) * len", "(k) * len"),
        ("np.abs", "np.square"),
        ("by=weights", "at=weights"),
        ("weights", "amounts"),
        ("rows, weights=None", "rows, *, weights=None"),
        (".3f", ".4f"),
        ("len(kept)", "len(rows)"),
        ("    return", "    kept.sort()\n    return"),
    ],
)
def test_what_computes_something_else_has_another_shape(old, new):
    assert shape(ORIGINAL.replace(old, new)).digest != shape(ORIGINAL).digest


def test_names_of_the_module_are_listed_in_their_order():
    assert shape(ORIGINAL).names == ("enumerate", "np", "len", "scale")


def test_two_locals_are_not_one():
    one = "def f(a):\n    b = a\n    c = b\n    return b"
    assert shape(one).digest != shape(one.replace("return b", "return c")).digest


def test_defaults_have_a_shape_of_their_own():
    other = shape(ORIGINAL.replace("=None", "=1"))
    assert other.digest == shape(ORIGINAL).digest
    assert other.defaults != shape(ORIGINAL).defaults


def test_imports_within_a_function_tell_what_names_mean():
    text = "def f(a):\n    from numpy.linalg import norm as length\n    return length(a)"
    assert shape(text).imports == {"length": "numpy.linalg.norm"}
    assert shape(text).digest == shape("def f(a):\n    return norm(a)").digest


@pytest.mark.parametrize(
    "text",
    [
        "@cached\ndef f(a):\n    return a",
        "def f(a):\n    global g\n    g = a",
        "def f(a):\n    limit = 3\n    return a.query('x > @limit')",
        "def f(a):\n    return eval('a')",
        "def f(a):\n    from . import b\n    return b",
        "def f(a):\n    if a:\n        import b\n    return a",
        "def f(a):\n    from b import a\n    return a",
        "def f(a):\n    b: int\n    return a",
        "def f(a):\n    match a:\n        case [b]:\n            return b",
    ],
)
def test_where_names_cannot_be_told_apart_there_is_no_shape(text):
    assert shape(text) is None
