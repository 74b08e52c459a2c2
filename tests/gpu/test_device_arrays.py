"""Arrays that lie on the card: taken in any form, given back on the card, refused by name."""

import gc
import weakref

import numpy as np
import pytest

import wellgram as wg
from helpers.cases import some_maps, unit
from helpers.oracle import reference
from wellgram import InputError
from wellgram.backends.consumers import CountBelow, Histogram

pytestmark = pytest.mark.gpu


class Elsewhere:
    """An array of a library that knows DLPack alone. On an emulated card it is the processor's."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device = array, device
        self.shape, self.dtype = array.shape, array.dtype

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **_):
        return self.array.__dlpack__()


@pytest.fixture(params=["DLPack", "torch", "cupy"])
def laid(request, cuda):
    """Lays an array on the card, by one library or another."""
    emulated = cuda.kernels.card.driver.array_types == (1,)
    if request.param == "DLPack":
        if not emulated:
            pytest.skip("for an emulated card")
        return Elsewhere
    library = pytest.importorskip(request.param)
    if request.param == "torch":
        place = "cpu" if emulated else "cuda"
        return lambda array: library.from_numpy(np.ascontiguousarray(array)).to(place)
    if emulated:
        pytest.skip("CuPy has no arrays of the processor")
    return library.asarray


def home(array):
    """An array of the card as NumPy's."""
    if hasattr(array, "cpu"):
        return array.cpu().numpy()
    return array.get() if hasattr(array, "get") else np.from_dlpack(array)


FORMS = {
    "whole packs": lambda x: x,
    "an odd width": lambda x: np.ascontiguousarray(x[:, :19]),
    "every other row": lambda x: x[::2],
    "every other column": lambda x: x[:, ::2],
    "columns first": np.asfortranarray,
    "a row out of step": lambda x: np.ascontiguousarray(x).ravel()[1:-23].reshape(-1, 8),
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_array_gives_the_same(cuda, laid, rng, dtype, form):
    x = FORMS[form](rng.normal(size=(50, 24)).astype(dtype))
    given, codes = laid(x), np.arange(len(x)) % 3
    for got, expected in zip(cuda.row_faults(given), reference.row_faults(x), strict=True):
        np.testing.assert_array_equal(got, expected)
    got, zero = cuda.unit_rows(given)
    expected, _ = cuda.unit_rows(x)
    np.testing.assert_array_equal(home(got), expected)
    assert len(zero) == 0
    np.testing.assert_array_equal(
        cuda.group_sums(given, codes, 3)[0], cuda.group_sums(x, codes, 3)[0]
    )
    np.testing.assert_array_equal(
        cuda.group_medians(given, codes, 3), reference.group_medians(x, codes, 3)
    )
    maps = some_maps(rng, x.shape[1], 5, (0, 1, 3))
    mapped = cuda.apply_affine(given, codes, maps)
    np.testing.assert_array_equal(home(mapped), cuda.apply_affine(x, codes, maps))


@pytest.mark.parametrize("spread", ["smaller", "rows", "variances"])
def test_moments_of_rows_on_the_card(cuda, laid, rng, spread):
    x, codes = rng.normal(size=(60, 8)), rng.integers(0, 4, 60)
    got, expected = (
        cuda.group_moments(laid(x), codes, 4, spread),
        cuda.group_moments(x, codes, 4, spread),
    )
    np.testing.assert_array_equal(got.means, expected.means)
    for one, other in zip(got.spreads, expected.spreads, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("others", [None, 30])
def test_a_pass_over_rows_on_the_card(cuda, laid, rng, dtype, others):
    x, y = unit(rng, 90, 11, dtype), None if others is None else unit(rng, others, 11, dtype)
    consumers = [CountBelow((0.1,)), Histogram(bins=5)]
    got = cuda.scan_pairs(laid(x), consumers, None if y is None else laid(y))
    for one, other in zip(got, cuda.scan_pairs(x, consumers, y), strict=True):
        np.testing.assert_array_equal(one, other)
    i, j = rng.integers(30, size=(2, 50))
    both = (laid(x), i, j) if y is None else (laid(x), i, j, laid(y))
    np.testing.assert_array_equal(cuda.pair_cosines(*both), cuda.pair_cosines(x, i, j, y))


def test_the_other_primitives_take_them_too(cuda, laid, rng):
    x, codes = unit(rng, 40, 7, np.float64), np.arange(40) % 4
    given = laid(x)
    draw = ([np.arange(40)], [5], [3, 5], 20)
    np.testing.assert_array_equal(
        cuda.null_means(given, *draw, seed=1, stream=2), cuda.null_means(x, *draw, seed=1, stream=2)
    )
    np.testing.assert_array_equal(cuda.distance_sums(given, given), cuda.distance_sums(x, x))
    np.testing.assert_array_equal(
        cuda.group_distances(given, codes, 4), cuda.group_distances(x, codes, 4)
    )
    weights = rng.normal(size=(4, 8))
    loss, gradient = cuda.softmax_loss(given, codes, 4)(weights)
    expected, expected_gradient = cuda.softmax_loss(x, codes, 4)(weights)
    assert loss == expected
    np.testing.assert_array_equal(gradient, expected_gradient)
    lists = (np.array([0, 3]), np.array([[1, 2], [4, 5]]))
    for one, other in zip(
        cuda.list_scores(given, *lists), cuda.list_scores(x, *lists), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    labels = np.arange(40, dtype=np.int32)[None]
    ranked = (np.arange(41), np.zeros(40), labels, labels)
    np.testing.assert_array_equal(
        cuda.rank_counts(given, given, *ranked), cuda.rank_counts(x, x, *ranked)
    )


def test_half_precision_is_widened_on_the_card(cuda, laid, rng):
    x = np.concatenate([rng.normal(size=(9, 4)), [[0, 6e-8, 65504, -1e-5]]]).astype(np.float16)
    got = cuda.unit_rows(laid(x))[0]
    np.testing.assert_array_equal(home(got), cuda.unit_rows(x.astype(np.float32))[0])


def test_bfloat16_is_widened_on_the_card(cuda, rng):
    torch = pytest.importorskip("torch")
    place = "cpu" if cuda.kernels.card.driver.array_types == (1,) else "cuda"
    x = torch.from_numpy(rng.normal(size=(9, 4)).astype(np.float32)).bfloat16().to(place)
    expected = cuda.unit_rows(x.float().cpu().numpy())[0]
    np.testing.assert_array_equal(home(cuda.unit_rows(x)[0]), expected)


def test_questions_about_a_map_on_the_card(cuda, laid, rng):
    x = rng.normal(size=(200, 12)).astype(np.float32)
    given = laid(x)
    quantiles = [wg.pair_quantiles(m, [0.05, 0.95], backend="cuda").cosines for m in (given, x)]
    np.testing.assert_array_equal(*quantiles)
    found, expected = (wg.neighbors(m, 4, backend="cuda") for m in (given, x))
    assert found.table.equals(expected.table)
    with pytest.raises(InputError, match="stay float32 there"):
        wg.neighbors(given, 4, backend="cuda", dtype="float64")


def test_a_map_on_the_card_with_a_bad_row_is_refused_by_number(cuda, laid):
    x = np.ones((5, 4), np.float32)
    x[3, 1] = np.nan
    with pytest.raises(InputError, match=r"1 rows hold a NaN or an Inf \(first: row 3\)"):
        wg.neighbors(laid(x), 2, backend="cuda")


def test_arrays_are_let_go_of(emulated, rng):
    x = rng.normal(size=(8, 4)).astype(np.float32)
    gone = weakref.ref(x)
    emulated.unit_rows(Elsewhere(x))
    unit_ours = emulated.unit_rows(Elsewhere(x))[0]
    seen = np.from_dlpack(unit_ours)
    kept = seen.copy()
    del x, unit_ours
    gc.collect()
    assert gone() is None
    np.testing.assert_array_equal(seen, kept)  # ours lives as long as what was made of it
    free = emulated.kernels.card.driver.free_memory()
    del seen
    gc.collect()
    assert emulated.kernels.card.driver.free_memory() > free


def test_a_capsule_that_nobody_takes_gives_its_memory_back(emulated, rng):
    ours = emulated.unit_rows(Elsewhere(rng.normal(size=(8, 4))))[0]
    free = emulated.kernels.card.driver.free_memory()
    capsule = ours.__dlpack__()
    del ours, capsule
    gc.collect()
    assert emulated.kernels.card.driver.free_memory() > free


def test_an_array_of_another_card_is_refused(emulated):
    array = Elsewhere(np.eye(3), device=(1, 3))
    with pytest.raises(InputError, match=r"on card 3, but .* card 0; .* WELLGRAM_CUDA_DEVICE=3"):
        emulated.unit_rows(array)


def test_rows_on_the_card_are_not_compared_with_rows_that_are_not(emulated):
    x, given = np.eye(3), Elsewhere(np.eye(3))
    with pytest.raises(InputError, match="x lies on the card and y in main memory"):
        emulated.scan_pairs(given, [CountBelow((0.0,))], x)
    with pytest.raises(InputError, match="y lies on the card and x in main memory"):
        emulated.pair_cosines(x, [0], [1], given)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.ones((3, 2), np.int32), "dtype int32; give float32"),
        (np.ones((3, 2), complex), "dtype complex128; give float32"),
        (np.ones(3), r"matrix .* not of shape \(3,\)"),
        (np.ones((2, 2, 2)), "matrix"),
    ],
)
def test_other_arrays_are_refused(emulated, array, words):
    with pytest.raises(InputError, match=words):
        emulated.unit_rows(Elsewhere(array))


class OnSomeCard:
    shape, dtype = (3, 2), np.dtype(np.float32)

    def __dlpack_device__(self):
        return 2, 0


def test_a_backend_elsewhere_refuses_an_array_of_a_card(cpu):
    with pytest.raises(InputError, match="lies on a card, but backend 'cpu' runs elsewhere"):
        wg.neighbors(OnSomeCard(), 1, backend="cpu")
    assert cpu.name == "cpu"
