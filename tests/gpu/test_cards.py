"""Rows that pass through the card in chunks, memory that runs out, ways to multiply."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.cases import classified, some_maps, unit
from helpers.comparers import close_affine, close_loss, cosine_error
from helpers.oracle import reference
from wellgram import InputError
from wellgram.backends import get_backend
from wellgram.backends.consumers import CountBelow, Extent, Histogram, Nearest, Ranks
from wellgram.backends.cuda import CudaDriver
from wellgram.backends.devices import cuda_module
from wellgram.backends.gpu import products, softmax, tiles
from wellgram.errors import DeviceMemoryError

pytestmark = pytest.mark.gpu


@pytest.fixture(params=[1, 1000, 5000], ids="{} bytes".format)
def in_chunks(fresh, request):
    """A card through which rows pass in chunks of so many bytes: of a row, or of some."""
    backend = fresh()
    backend.kernels.card.chunk_bytes = request.param
    return backend


def test_rows_pass_through_in_chunks(in_chunks, rng, dtype):
    x = rng.normal(size=(61, 17)).astype(dtype)
    x[13], x[40, 3], x[60, 16] = 0, np.nan, np.inf
    for got, expected in zip(in_chunks.row_faults(x), reference.row_faults(x), strict=True):
        np.testing.assert_array_equal(got, expected)
    got, zero = in_chunks.unit_rows(x)
    expected, expected_zero = reference.unit_rows(x)
    np.testing.assert_array_equal(zero, expected_zero)
    np.testing.assert_allclose(got, expected, rtol=4 * np.finfo(dtype).eps)


def test_groups_in_chunks(in_chunks, rng, dtype):
    x, codes = rng.normal(size=(90, 7)).astype(dtype), rng.integers(-1, 5, 90)
    sums, counts = in_chunks.group_sums(x, codes, 6)
    expected, expected_counts = reference.group_sums(x, codes, 6)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_allclose(sums, expected, rtol=1e-12, atol=1e-12)  # in float64, of 90 rows
    np.testing.assert_array_equal(
        in_chunks.group_medians(x, codes, 6), reference.group_medians(x, codes, 6)
    )


def test_maps_in_chunks_may_write_where_they_read(in_chunks, rng, dtype):
    x, codes = rng.normal(size=(50, 9)).astype(dtype), rng.integers(-1, 3, 50)
    maps = some_maps(rng, 9, 9, (0, 2, 9))
    got = in_chunks.apply_affine(x, codes, maps)
    close_affine(got, x, codes, maps)
    out = x.copy()
    assert in_chunks.apply_affine(out, codes, maps, out) is out
    np.testing.assert_array_equal(out, got)


def test_losses_in_chunks(in_chunks, rng, dtype, monkeypatch):
    """Blocks are gone when the loss is taken; of each, eight rows have their scores at once."""
    monkeypatch.setattr(softmax, "SCORE_BYTES", 1)
    x, codes, weights = classified(rng, 61, 17, 5, dtype)
    loss = in_chunks.softmax_loss(x, codes, 5)
    for w in (weights, -weights):
        close_loss(loss(w), x, codes, w)


@pytest.mark.parametrize("others", [None, 40])
def test_a_pass_in_chunks_finds_the_same(in_chunks, rng, dtype, others):
    x = unit(rng, 70, 5, dtype)
    y = None if others is None else unit(rng, others, 5, dtype)
    consumers = [CountBelow((-0.2, 0.3)), Histogram(bins=7), Nearest(3, 2)]
    whole = get_backend("cuda").scan_pairs(x, consumers, y)
    told = []
    got = in_chunks.scan_pairs(x, consumers, y, told.append)
    for one, other in zip(got[:2], whole[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(vars(got[2]).values(), vars(whole[2]).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert told == sorted(told)
    assert told[-1] == 1


def test_running_out_of_memory_says_how_much_is_missing_and_leaves_nothing(fresh, rng, cpu):
    backend = fresh()
    free = backend.kernels.card.driver.free_memory()
    with pytest.raises(DeviceMemoryError, match=r"free, but .* GiB are asked for: .* are missing"):
        backend.kernels.card.vector(free + (1 << 30), np.uint8)
    hog = backend.kernels.card.vector(free - (1 << 20), np.uint8)
    x = unit(rng, 3000, 100, np.float32)
    with pytest.raises(DeviceMemoryError, match="backend='cpu'"):
        backend.scan_pairs(x, [CountBelow((0.0,))])
    del hog
    np.testing.assert_array_equal(
        backend.scan_pairs(x, [CountBelow((0.0,))])[0], cpu.scan_pairs(x, [CountBelow((0.0,))])[0]
    )


def test_an_interrupted_pass_gives_its_memory_back(fresh, rng):
    backend = fresh()
    x = unit(rng, 300, 10, np.float32)

    def interrupt(share):
        raise KeyboardInterrupt

    backend.scan_pairs(x, [CountBelow((0.0,))])
    free = backend.kernels.card.driver.free_memory()
    with pytest.raises(KeyboardInterrupt):
        backend.scan_pairs(x, [CountBelow((0.0,)), Nearest(5)], None, interrupt)
    assert backend.kernels.card.driver.free_memory() == free


@pytest.mark.parametrize("way", ["tf32x3", "matmul", "float32"])
def test_every_way_to_multiply_float32_is_good_to_float32(with_library, rng, monkeypatch, way):
    """And meets the very values of pair_cosines, in tiles that rows do not fill."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", way)
    monkeypatch.setattr(products, "TILE", (64, 128))
    for kind in products.LIBRARY_TILES:
        monkeypatch.setitem(products.LIBRARY_TILES, kind, (64, 128))
    x, y = unit(rng, 150, 33, np.float32), unit(rng, 70, 33, np.float32)
    for other in (None, y):
        i, j = np.triu_indices(150, 1) if other is None else np.indices((150, 70)).reshape(2, -1)
        got = with_library.pair_cosines(x, i, j, other)
        expected = reference.pair_cosines(x, i, j, other)
        np.testing.assert_allclose(got, expected, rtol=0, atol=cosine_error(33, np.float32))
        thresholds = tuple(np.sort(got)[::500].astype(float))
        (below,) = with_library.scan_pairs(x, [CountBelow(thresholds)], other)
        np.testing.assert_array_equal(below, np.searchsorted(np.sort(got), thresholds))
    assert (with_library.kernels.card.driver.made > 0) == (way != "float32")


@pytest.mark.parametrize("way", ["tf32x3", "matmul", "float32", "float64"])
def test_losses_by_every_way_to_multiply(with_library, rng, monkeypatch, way):
    """Classes and features that fill no pack."""
    if way != "float64":
        monkeypatch.setenv("WELLGRAM_PRODUCTS", way)
    monkeypatch.setattr(softmax, "SCORE_BYTES", 1 << 12)
    dtype = np.dtype("f8" if way == "float64" else "f4")
    x, codes, weights = classified(rng, 150, 33, 13, dtype)
    close_loss(with_library.softmax_loss(x, codes, 13)(weights), x, codes, weights)
    assert (with_library.kernels.card.driver.made > 0) == (way != "float32")


class Counting(CudaDriver):
    """A card that counts the bytes that are laid on it, and the least that were free."""

    laid, least = 0, 1 << 62

    def launch(self, kernel, blocks, *arguments):
        super().launch(kernel, blocks, *arguments)
        self.least = min(self.least, self.free_memory())

    def put(self, to, origin, apart, after):
        super().put(to, origin, apart, after)
        self.laid += origin.nbytes


def test_rows_are_laid_on_the_card_once_for_all_losses_and_scores_are_not_held(
    emulated, fresh, rng, monkeypatch
):
    monkeypatch.setattr(softmax, "SCORE_BYTES", 1 << 13)
    backend = fresh(lambda: Counting(0))
    x, codes, weights = classified(rng, 4000, 5, 100, np.float32)
    loss = backend.softmax_loss(x, codes, 100)
    card = backend.kernels.card.driver
    assert card.laid == x.nbytes + codes.nbytes
    free = card.free_memory()
    for _ in range(3):
        loss(weights)
    assert card.laid == x.nbytes + codes.nbytes + 3 * weights.nbytes // 2
    assert card.free_memory() == free
    assert free - card.least < 4000 * 100 * 4 / 10  # of the scores of all rows


def test_plain_tf32_is_as_good_as_ten_bits(with_library, rng, monkeypatch):
    """What the library rounds is not emulated: that it is asked for rows as they are."""
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "tf32")
    x = unit(rng, 30, 8, np.float32)
    i, j = np.triu_indices(30, 1)
    got = with_library.pair_cosines(x, i, j)
    # Each factor is rounded by 2^-11 of itself at most.
    np.testing.assert_allclose(got, reference.pair_cosines(x, i, j), rtol=0, atol=2**-10 + 1e-6)
    assert with_library.kernels.card.driver.made == 1


@pytest.mark.parametrize("kind", ["bfloat16", "float64"])
def test_other_types_go_to_the_library_too(with_library, rng, kind, cpu):
    options, dtype = {"bfloat16": kind == "bfloat16"}, np.dtype("f8" if kind == "float64" else "f4")
    x = unit(rng, 90, 13, dtype)
    ranks = Ranks(np.linspace(-0.5, 0.5, 40))
    for backend in (with_library, get_backend("cuda")):
        (found,) = backend.scan_pairs(x, [ranks], **options)
        (expected,) = cpu.scan_pairs(x, [ranks], **options)
        # A cosine may lie within rounding of a value: of 4,005, one or two may change sides.
        assert np.abs(found.below - expected.below).max() <= 2
    assert with_library.kernels.card.driver.made > 0


def test_products_split_for_tensor_cores_lose_nothing_of_float32(cuda, rng):
    """high + low is the value to 2^-22 of it, and both fit ten bits after the point."""
    card = cuda.kernels.card
    x = (rng.normal(size=(20, 9)) * 10.0 ** rng.integers(-20, 20, (20, 9))).astype(np.float32)
    laid, out = card.lay(x), card.matrix(20, 27, np.float32)
    card.launch("split_tf32", x.size, laid, 20, 9, laid.stride, out, out.stride, 0)
    high, low, again = np.split(card.fetch(out), 3, axis=1)
    np.testing.assert_array_equal(high, again)
    whole = high.astype(np.float64) + low
    np.testing.assert_allclose(whole, x, rtol=2**-22)
    for part in (high, low):
        assert not (part.view(np.uint32) & 0x1FFF).any()


def test_our_own_products_have_the_bits_of_the_processor(fresh, rng, monkeypatch, cpu):
    if cpu.kernels.instruction_set() == "baseline":
        pytest.skip("this processor has no fused multiply-add")
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "float32")
    x = unit(rng, 120, 384, np.float32)
    i, j = np.triu_indices(120, 1)
    np.testing.assert_array_equal(fresh().pair_cosines(x, i, j), cpu.pair_cosines(x, i, j))


@pytest.mark.parametrize("way", ["tf32x3", "tf32", "matmul"])
def test_a_way_without_its_library_names_the_remedy(fresh, monkeypatch, way):
    class Without(CudaDriver):
        def can_multiply(self, kind):
            return False

    monkeypatch.setenv("WELLGRAM_PRODUCTS", way)
    with pytest.raises(InputError, match=rf"WELLGRAM_PRODUCTS={way}.*wellgram\[cuda13\]"):
        fresh(lambda: Without(0)).scan_pairs(np.eye(3, dtype=np.float32), [CountBelow((0.0,))])


def test_an_unknown_way_is_refused(fresh, monkeypatch):
    monkeypatch.setenv("WELLGRAM_PRODUCTS", "int8")
    with pytest.raises(InputError, match="int8 is none of tf32x3, matmul, float32, tf32"):
        fresh().scan_pairs(np.eye(3, dtype=np.float32), [CountBelow((0.0,))])


def test_a_launch_that_is_wrong_is_refused(cuda):
    launch = cuda.kernels.card.driver.launch
    with pytest.raises(ValueError, match="no kernel nothing"):
        launch("nothing", 1)
    with pytest.raises(ValueError, match="carry takes 2 arguments"):
        launch("carry", 1, 0)
    with pytest.raises(ValueError, match="argument 1 of carry is of another type"):
        launch("carry", 1, 0, 1.0)


def test_every_kernel_is_launched_by_something(cuda):
    sources = "".join(file.read_text() for file in Path(products.__file__).parent.glob("*.py"))
    names = {name.partition("<")[0] for name in cuda_module().kernels()}
    assert {name for name in names if not re.search(rf"\"{name}[\"<]", sources)} == set()


def test_more_rows_than_a_tile(cuda, rng):
    """Tiles on, above and below the diagonal, and beside the last row."""
    n = max(products.TILE) + 77
    x = rng.choice(np.array([-1, 1], np.float32), (n, 1))
    (found,) = cuda.scan_pairs(x, [Ranks(np.array([-1.0, 1.0]))])
    right = int((x > 0).sum())
    assert found.up_to.tolist() == [right * (n - right), n * (n - 1) // 2]


@pytest.mark.parametrize("symmetric", [True, False])
@given(place=st.tuples(*[st.integers(0, 12)] * 4))
def test_pairs_of_an_area_are_counted(symmetric, place):
    row, rows, column, columns = place
    extent = Extent(24, None if symmetric else 24)
    i, j = np.ogrid[row : row + rows, column : column + columns]
    expected = int(((j > i) if symmetric else (j >= 0) & (i >= 0)).sum())
    assert tiles.pairs_of(row, rows, column, columns, extent) == expected
