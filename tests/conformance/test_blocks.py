"""A pass cut up anyhow, by blocks, by passes or by threads, answers as the pass in one does."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.cases import extent_of, met, one_of_each, unit, x_and_y
from helpers.comparers import as_defined, same, same_answer
from helpers.oracle import reference
from wellgram.backends.consumers import CountBelow, Extent


def add_block(scan, x, y, rows, columns):
    other = x if y is None else y
    scan.add(x[slice(*rows)], other[slice(*columns)], rows[0], columns[0])


def merged(consumers, states):
    """The answers of passes whose states are merged in the order given."""
    whole = states[0]
    for more in states[1:]:
        whole = [c.merge(a, b) for c, a, b in zip(consumers, whole, more, strict=True)]
    return [c.finish(state) for c, state in zip(consumers, whole, strict=True)]


def in_one(backend, x, y=None, **options):
    """What the definitions find of all the cosines of a pass."""
    pairs, extent = met(backend, x, y, **options), extent_of(x, y)
    return [as_defined(c, pairs, extent) for c in one_of_each(extent, x.dtype)]


def same_answers(consumers, got, expected, dtype):
    for consumer, one, other in zip(consumers, got, expected, strict=True):
        same_answer(consumer, one, other, dtype)


@st.composite
def spans(draw, n):
    """Cuts n rows into spans, some of which may hold none."""
    cuts = draw(st.lists(st.integers(0, n), max_size=4))
    return list(itertools.pairwise(sorted([0, n, *cuts])))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    data=st.data(),
    kind=st.sampled_from(["float32", "float64", "bfloat16"]),
    ties=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_blocks_of_any_shape_in_any_order_and_any_pass(backend, data, kind, ties, seed):
    """Rows are cut in one way and columns in another, so that blocks cross the diagonal anywhere.

    All those below it are handed over too: none of their pairs are of the pass.
    """
    most = 20 if backend is reference else 90
    n, m = data.draw(st.integers(0, most)), data.draw(st.none() | st.integers(0, most))
    rng, dtype = np.random.default_rng(seed), np.float64 if kind == "float64" else np.float32
    options = {"bfloat16": kind == "bfloat16"}
    x, y = x_and_y(rng, n, m, 3, dtype)
    if ties:
        x, y = (None if z is None else reference.unit_rows(np.rint(z))[0] for z in (x, y))
    blocks = list(itertools.product(data.draw(spans(n)), data.draw(spans(n if m is None else m))))
    extent = extent_of(x, y)
    consumers = one_of_each(extent, dtype)
    passes = [
        backend.pair_scan(consumers, extent, dtype, **options)
        for _ in range(data.draw(st.integers(1, 3)))
    ]
    for rows, columns in data.draw(st.permutations(blocks)):
        add_block(data.draw(st.sampled_from(passes)), x, y, rows, columns)
    states = [scan.states() for scan in data.draw(st.permutations(passes))]
    got = merged(consumers, states)
    same_answers(consumers, got, in_one(backend, x, y, **options), dtype)


@pytest.mark.parametrize("sizes", [(170, None), (170, 90)], ids=str)
def test_a_pass_in_blocks(backend, rng, dtype, sizes):
    x, y = x_and_y(rng, *sizes, 5, dtype)
    extent = extent_of(x, y)
    consumers = one_of_each(extent, dtype)
    scan = backend.pair_scan(consumers, extent, dtype)
    columns = [(0, 33), (33, 70), (70, sizes[1] or sizes[0])]
    blocks = list(itertools.product([(0, 5), (5, 64), (64, 170)], columns))
    for k in rng.permutation(len(blocks)):
        add_block(scan, x, y, *blocks[k])
    got = merged(consumers, [scan.states()])
    same_answers(consumers, got, in_one(backend, x, y), dtype)


def test_blocks_without_pairs(backend):
    """Of no rows, or below the diagonal; and every block tells its own progress, or nobody."""
    x, told = np.eye(3, dtype=np.float32), []
    scan = backend.pair_scan([CountBelow((2.0,))], Extent(3), x.dtype)
    for rows, columns in [((3, 3), (0, 3)), ((0, 3), (1, 1)), ((1, 3), (0, 1)), ((2, 3), (2, 3))]:
        add_block(scan, x, None, rows, columns)
    scan.add(x[:2], x[1:], 0, 1, told.append)
    assert scan.states()[0].counts.tolist() == [3]
    assert all(0 <= share <= 1 for share in told)


@pytest.mark.parametrize("kind", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize("others", [None, 70])
def test_answers_do_not_depend_on_threads(backend, rng, by_threads, kind, others):
    """So many features that 1.5 MB, the most that a thread takes of the rows at once, is a few.

    Rows repeat, so that threads meet equals; then it is the smaller index that must stay. To the
    last bit: the pass is cut into the same parts, whoever takes them.
    """
    n, d = (40, 9) if backend is reference else (1000, 3000)
    dtype = np.float64 if kind == "float64" else np.float32
    directions = unit(rng, n // 10, d, dtype)
    x = directions[rng.integers(0, len(directions), n)]
    y = None if others is None else directions[rng.integers(0, len(directions), others)]

    def call():
        consumers = one_of_each(extent_of(x, y), dtype)
        return backend.scan_pairs(x, consumers, y, bfloat16=kind == "bfloat16")

    one, *more = by_threads(call)
    for other in more:
        same(other, one)
