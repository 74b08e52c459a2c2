"""What an array may look like: every primitive takes the same forms and refuses the same ones."""

import numpy as np
import pytest

from helpers.cases import some_maps
from wellgram import InputError
from wellgram.backends.consumers import Bracket, CountBelow, Histogram, Nearest, Ranks

CONSUMERS = [
    CountBelow((0.0,)),
    Histogram(bins=9),
    Bracket(-0.5, 0.5, 1000),
    Ranks(np.array([-0.5, 0.0, 0.5])),
    Nearest(3, 2),
]


def _codes(x):
    return np.arange(len(x)) % 3


def _affine(backend, x):
    maps = some_maps(np.random.default_rng(0), x.shape[1], 4, (0, 1, 3))
    return [backend.apply_affine(x, _codes(x), maps)]


def _moments(backend, x):
    moments = backend.group_moments(x, _codes(x), 3)
    return [moments.counts, moments.means, *moments.spreads]


def _scan(backend, x, y=None):
    below, bins, kept, ranked, found = backend.scan_pairs(x, CONSUMERS, y)
    bracketed = [kept.below, kept.within, np.sort(kept.values)]
    return [below, bins, *bracketed, ranked.below, ranked.up_to, *vars(found).values()]


# Each primitive of rows x, its answer as a list of arrays.
CALLS = {
    "group_sums": lambda b, x: list(b.group_sums(x, _codes(x), 3)),
    "group_medians": lambda b, x: [b.group_medians(x, _codes(x), 3)],
    "group_moments": _moments,
    "apply_affine": _affine,
    "unit_rows": lambda b, x: list(b.unit_rows(x)),
    "pair_cosines": lambda b, x: [b.pair_cosines(x, *np.triu_indices(len(x), k=1))],
    "pair_cosines with y": lambda b, x: [b.pair_cosines(x, _codes(x), _codes(x), x)],
    "scan_pairs": _scan,
    "scan_pairs with y": lambda b, x: _scan(b, x, x),
}

FORMS = {}


def form(make):
    FORMS[make.__name__] = make
    return make


@form
def strided(x):
    wide = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
    wide[::2, ::3] = x
    return wide[::2, ::3]


@form
def every_other_row(x):
    tall = np.zeros((2 * x.shape[0], x.shape[1]), x.dtype)
    tall[::2] = x
    return tall[::2]


@form
def reversed_twice(x):
    return x[::-1].copy()[::-1]


@form
def fortran(x):
    return np.asfortranarray(x)


@form
def read_only(x):
    frozen = x.copy()
    frozen.flags.writeable = False
    return frozen


@form
def misaligned(x):
    shifted = np.zeros(x.nbytes + 1, np.uint8)[1:].view(x.dtype).reshape(x.shape)
    shifted[:] = x
    return shifted


@form
def rows_of_records(x):
    """Rows that are not a whole number of values apart."""
    table = np.zeros(len(x), [("x", x.dtype, x.shape[1]), ("plate", "u1")])
    table["x"] = x
    return table["x"]


@form
def byte_swapped(x):
    return x.astype(x.dtype.newbyteorder())


@form
def nested_lists(x):
    return x.tolist() if x.dtype == np.float64 else list(x)


def same(got, expected):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("make", FORMS.values(), ids=FORMS)
def test_any_form_of_array_gives_the_same(backend, rng, dtype, make, name):
    x = rng.normal(size=(50, 19)).astype(dtype)
    given = make(x)
    if name == "apply_affine" and make is nested_lists:
        given = np.asarray(given)  # its helper here needs a shape
    same(CALLS[name](backend, given), CALLS[name](backend, x))
    np.testing.assert_array_equal(np.asarray(given), x)  # and leaves its input as it was


@pytest.mark.parametrize("name", CALLS)
def test_half_precision_is_widened(backend, rng, name):
    x = rng.normal(size=(9, 4)).astype(np.float16)
    got, expected = CALLS[name](backend, x), CALLS[name](backend, x.astype(np.float32))
    same(got, expected)
    assert [np.asarray(a).dtype for a in got] == [np.asarray(b).dtype for b in expected]


@pytest.mark.parametrize("name", CALLS)
def test_one_row_for_all_in_no_memory(backend, name):
    """A broadcast row: the distance between rows is zero."""
    row = np.array([0.6, 0.0, -0.8], np.float32)
    same(
        CALLS[name](backend, np.broadcast_to(row, (40, 3))),
        CALLS[name](backend, np.tile(row, (40, 1))),
    )


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", [int, bool, complex, np.longdouble, object, "S3"])
def test_other_types_are_refused_by_name(backend, name, dtype):
    x = np.ones((3, 2)).astype(dtype)
    with pytest.raises(InputError, match=f"{x.dtype}".replace("|", r"\|")):
        CALLS[name](backend, x)


@pytest.mark.parametrize("name", [name for name in CALLS if name != "apply_affine"])
@pytest.mark.parametrize("shape", [(3,), (2, 2, 2)])
def test_other_ranks_are_refused_by_shape(backend, name, shape):
    with pytest.raises(InputError, match="matrix"):
        CALLS[name](backend, np.ones(shape))


@pytest.mark.parametrize("name", ["pair_cosines", "scan_pairs"])
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.eye(4), "3 features and y 4"),
        (np.eye(3, dtype=np.float32), "x is float64 and y float32"),
        (np.ones(3), "y must be a matrix"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(backend, name, y, words):
    rows = (np.array([0]), np.array([0])) if name == "pair_cosines" else ([],)
    with pytest.raises(InputError, match=words):
        getattr(backend, name)(np.eye(3), *rows, y)
