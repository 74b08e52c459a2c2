"""Which passes on a card have a screen: by its library, by what it can decide, by what pays."""

import numpy as np
import pytest

from helpers.cards import WithLibrary
from helpers.cases import unit
from wellgram.backends.consumers import Bracket, CountBelow, Histogram, Nearest, RowMoments
from wellgram.backends.cuda import CudaDriver
from wellgram.backends.gpu import products, screened_scan
from wellgram.backends.gpu.nearest_sifter import MOST_PARTNERS

pytestmark = pytest.mark.gpu


@pytest.fixture(autouse=True)
def chains(monkeypatch):
    """Cosines by our own chains, and passes of any size."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "float32")
    monkeypatch.setattr(products, "TILE", (64, 128))
    monkeypatch.setattr(screened_scan, "LEAST_FEATURES", 1)
    monkeypatch.setattr(screened_scan, "LEAST_PRODUCTS", 1)


def is_screened(backend, x, consumers, y=None, **options):
    """Whether a pass makes products of int8; its answers are those without a screen."""
    driver = backend.kernels.card.driver
    begun = driver.kinds.count("int8")
    answers = backend.scan_pairs(x, consumers, y, **options)
    screened = driver.kinds.count("int8") > begun
    backend.kernels.use_screen("none")
    expected = backend.scan_pairs(x, consumers, y, **options)
    backend.kernels.use_screen(None)
    for got, wanted in zip(answers, expected, strict=True):
        np.testing.assert_equal(as_plain(got), as_plain(wanted))
    return screened


def as_plain(answer):
    if hasattr(answer, "within"):
        return [answer.below, answer.within, np.sort(answer.values)]
    return vars(answer) if hasattr(answer, "nearest") else answer


@pytest.mark.parametrize("others", [None, 70])
def test_consumers_that_decide_are_screened(with_library, rng, others):
    """By whole tiles of a library, which rows do not fill."""
    x = unit(rng, 300, 40, np.float32)
    y = None if others is None else unit(rng, others, 40, np.float32)
    for consumer in (
        CountBelow((-0.2, 0.1)), Histogram(bins=3), Bracket(0.1, 0.101, 1 << 20), Nearest(5, 3)
    ):  # fmt: skip
        assert is_screened(with_library, x, [consumer], y)


def test_ranks_are_screened(with_library, rng):
    x = unit(rng, 200, 40, np.float32)
    none = np.zeros((0, 200), np.int32)
    asked = (np.arange(201), rng.normal(0, 0.2, 200), none, none)
    with_library.rank_counts(x, x, *asked)
    assert "int8" in with_library.kernels.card.driver.kinds


def test_what_wants_cosines_is_not_screened(with_library, rng):
    x = unit(rng, 150, 40, np.float32)
    for consumers in (
        [RowMoments()],
        [CountBelow((0.1,)), RowMoments()],
        [Nearest(MOST_PARTNERS + 1)],
    ):
        assert not is_screened(with_library, x, consumers)
    assert not is_screened(with_library, x, [CountBelow((0.1,))], bfloat16=True)
    assert not is_screened(with_library, x.astype(float), [CountBelow((0.1,))])


def test_a_librarys_cosines_have_no_screen(with_library, rng, monkeypatch):
    """For these cannot be made pair by pair."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "tf32x3")
    with_library.kernels.use_screen("int8")
    assert with_library.describe() == "a card, tf32x3 products"
    with_library.scan_pairs(unit(rng, 90, 40, np.float32), [CountBelow((0.1,))])
    assert set(with_library.kernels.card.driver.kinds) == {"tf32"}


def test_the_screen_is_described(with_library, monkeypatch):
    assert with_library.describe() == "a card, screen int8, float32 products"
    monkeypatch.setenv("WELLGRAM_SCREEN", "none")
    assert with_library.describe() == "a card, float32 products"
    assert with_library.kernels.screen() == "none"
    monkeypatch.setenv("WELLGRAM_SCREEN", "int16")  # of processors
    assert with_library.kernels.screen() == "int8"
    with_library.kernels.use_screen("none")
    assert with_library.kernels.screens() == ["none", "int8"]
    assert with_library.kernels.screen() == "none"


def test_a_card_without_the_library_has_a_screen_by_name_alone(fresh, monkeypatch, rng):
    class Without(CudaDriver):
        def can_multiply(self, kind):
            return False

    backend = fresh(lambda: Without(0))
    assert backend.kernels.screen() == "none"
    monkeypatch.setenv("WELLGRAM_SCREEN", "int8")
    assert backend.kernels.screen() == "int8"


def test_a_library_that_fails_at_int8_is_not_asked_again(cuda):
    class Fails(CudaDriver):
        def multiply(self, kind, product):
            raise RuntimeError("cuBLASLt has no algorithm for a product")

    class Errs(WithLibrary):
        def multiply(self, kind, product):
            self.clear(product.c, 4 * product.m * product.c_stride)

    assert WithLibrary(0)._multiplies_int8
    assert not Fails(0)._multiplies_int8
    assert not Errs(0)._multiplies_int8


def test_a_screen_that_decides_too_little_is_given_up(with_library, rng):
    """After the first tile."""
    x = unit(rng, 400, 40, np.float32)
    many = Histogram(bins=100_000)
    assert is_screened(with_library, x, [many, Nearest(3)])
    kinds = with_library.kernels.card.driver.kinds
    kinds.clear()
    with_library.scan_pairs(x, [many])
    assert len(kinds) == 2  # the two sums of a tile
    with_library.kernels.use_screen("int8")
    kinds.clear()
    with_library.scan_pairs(x, [many])
    assert len(kinds) > 20


def test_few_features_and_few_pairs_have_no_screen(with_library, rng, monkeypatch):
    x = unit(rng, 200, 40, np.float32)
    assert is_screened(with_library, x, [CountBelow((0.1,))])
    monkeypatch.setattr(screened_scan, "LEAST_FEATURES", 41)
    assert not is_screened(with_library, x, [CountBelow((0.1,))])
    monkeypatch.setattr(screened_scan, "LEAST_FEATURES", 40)
    monkeypatch.setattr(screened_scan, "LEAST_PRODUCTS", 200 * 200 * 40 + 1)
    assert not is_screened(with_library, x, [CountBelow((0.1,))])


def test_without_memory_for_it_there_is_no_screen(emulated, with_library, rng):
    x = unit(rng, 500, 40, np.float32)
    card = with_library.kernels.card
    hog = card.vector(card.driver.free_memory() - 200_000, np.uint8)
    assert not is_screened(with_library, x, [CountBelow((0.1,))])
    del hog
    assert is_screened(with_library, x, [CountBelow((0.1,))])


def test_a_pass_gives_its_memory_back(with_library, rng):
    x = unit(rng, 200, 40, np.float32)
    free = with_library.kernels.card.driver.free_memory()
    with_library.scan_pairs(x, [CountBelow((0.1,)), Nearest(3, 3)])
    assert with_library.kernels.card.driver.free_memory() == free
