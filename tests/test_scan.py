"""Passes cut into tiles: any cut, merged in any order, is the whole."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from helpers.own_consumers import LargestPerRow, SumAbove
from wellgram import InputError, scan_pairs
from wellgram.backends.consumers import Extent
from wellgram.pairs import (
    Bracket,
    CountBelow,
    Histogram,
    Matrix,
    Nearest,
    Ranks,
    RowMoments,
    Scan,
    WithinGroups,
    tile_count,
    tiling,
    unit_rows,
)

BACKENDS = ["reference", "numba", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch):
    """Tiles of 16 rows, so that a small map has many."""
    monkeypatch.setattr(tiling, "TILE_ROWS", 16)


def consumers(rng, n, m=None):
    codes = rng.integers(-1, 4, n)
    return [
        CountBelow((-0.2, 0.1)),
        Histogram(bins=9),
        Bracket(-0.1, 0.1, 1 << 20),
        Ranks(rng.uniform(-1, 1, 40), ((0.2, 0.3),), 1 << 20),
        Nearest(5, 3),
        RowMoments(),
        WithinGroups(codes, None if m is None else rng.integers(-1, 4, m)),
        SumAbove(0.1),
        LargestPerRow(np.arange(0, n, 2)),
    ]


def plain(answers):
    """Answers as lists of arrays that can be compared."""
    flat = []
    for answer in answers:
        if isinstance(answer, np.ndarray):
            flat.append(answer)
        elif hasattr(answer, "nearest"):
            flat += [
                answer.nearest,
                answer.nearest_cosines,
                answer.farthest,
                answer.farthest_cosines,
            ]
        else:
            flat += [np.array([answer.below]).ravel()]
            for kept in getattr(answer, "brackets", [answer]):
                flat.append(np.sort(kept.values))
    return flat


def same(got, expected):
    for a, b in zip(plain(got), plain(expected), strict=True):
        np.testing.assert_array_equal(a, b)


def cut(total, at):
    bounds = [0, *at, total]
    return list(itertools.pairwise(bounds))


@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("at", [(1,), (2, 5, 6), (4, 9), range(1, 10)], ids=str)
def test_ranges_of_tiles_merge_in_any_order(rng, other, at):
    x = rng.normal(size=(61, 5)).astype(np.float32)
    y = rng.normal(size=(40, 5)).astype(np.float32) if other else None
    asked = consumers(rng, 61, 40 if other else None)
    whole = scan_pairs(x, asked, other=y)
    total = tile_count(whole.extent)
    assert total == (4 * 3 if other else 4 * 5 // 2)
    cuts = [scan_pairs(x, asked, other=y, tiles=range_) for range_ in cut(total, at)]
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(cuts))
        merged = cuts[order[0]]
        for k in order[1:]:
            merged = merged.merge(cuts[k])
        assert merged.tiles == whole.tiles == ((0, total),)
        same(merged, whole)


def test_tiles_are_squares_of_the_pairs(rng):
    """Every tile alone: together they have each pair once."""
    x = rng.normal(size=(50, 3))
    total = tile_count(Extent(50))
    met = np.zeros((total, 50, 50))
    for k in range(total):
        out = np.full((50, 50), np.nan)
        scan_pairs(x, [Matrix(out)], tiles=(k, k + 1))
        met[k] = np.isfinite(out)
    np.testing.assert_array_equal(met.sum(axis=0), 1 - np.eye(50))
    assert met[0, :16, :16].sum() == 16 * 15
    assert met[1, :16, 16:32].sum() == met[1, 16:32, :16].sum() == 256


def test_a_part_says_what_is_missing(rng):
    x = rng.normal(size=(61, 5))
    part = scan_pairs(x, [CountBelow((0.0,))], tiles=(2, 4))
    assert repr(part) == "Scan(CountBelow; 2 of 10 tiles)"
    with pytest.raises(InputError, match="has tiles 2 to 3 of 0 to 9"):
        part[0]
    both = part.merge(scan_pairs(x, [CountBelow((0.0,))], tiles=(6, 7)))
    assert both.tiles == ((2, 4), (6, 7))
    with pytest.raises(InputError, match="tile 3 is in both"):
        part.merge(scan_pairs(x, [CountBelow((0.0,))], tiles=(3, 5)))


def test_passes_that_do_not_belong_together_are_not_merged(rng):
    x = rng.normal(size=(61, 5))
    part = scan_pairs(x, [CountBelow((0.0,))], tiles=(0, 4))
    with pytest.raises(InputError, match="different consumers"):
        part.merge(scan_pairs(x, [CountBelow((0.1,))], tiles=(4, 10)))
    for another in (x[::-1], x[:60], x.astype(np.float32)):
        with pytest.raises(InputError, match="different maps"):
            part.merge(scan_pairs(another, [CountBelow((0.0,))], tiles=(4, 10)))


@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_saved_part_merges_elsewhere(rng, tmp_path, usable, backend, other):
    usable(backend)
    x, y = rng.normal(size=(61, 5)), rng.normal(size=(40, 5)) if other else None
    asked = consumers(rng, 61, 40 if other else None)
    options = {"other": y, "backend": backend}
    whole = scan_pairs(x, asked, **options)
    middle, total = 7, tile_count(whole.extent)
    scan_pairs(x, asked, tiles=(0, middle), **options).save(tmp_path / "first.npz")
    scan_pairs(x, asked, tiles=(middle, total), **options).save(tmp_path / "second.npz")
    merged = Scan.load(tmp_path / "second.npz").merge(Scan.load(tmp_path / "first.npz"))
    same(merged, whole)
    merged.save(tmp_path / "both.npz")
    same(Scan.load(tmp_path / "both.npz"), whole)


def test_a_consumer_of_a_function_merges_in_memory():
    """No file can name its class, and none is asked for."""

    @dataclass(frozen=True)
    class Local(SumAbove):
        pass

    halves = [scan_pairs(np.eye(40), [Local(-1.0)], tiles=part) for part in ((0, 2), (2, 6))]
    assert halves[0].merge(halves[1])[0].tolist() == [40 * 39 // 2, 0]


def test_files_that_are_no_saved_pass(rng, tmp_path):
    (tmp_path / "text.npz").write_text("no pass")
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    for name, words in (
        ("absent.npz", "no file"),
        ("text.npz", "no saved pass"),
        ("other.npz", "no saved pass"),
    ):
        with pytest.raises(InputError, match=words):
            Scan.load(tmp_path / name)
    with pytest.raises(InputError, match="save that instead"):
        scan_pairs(np.eye(3), [Matrix(np.empty((3, 3)))]).save(tmp_path / "matrix.npz")
    with pytest.raises(InputError, match="no folder"):
        scan_pairs(np.eye(3), []).save(tmp_path / "nowhere" / "scan.npz")


@pytest.mark.parametrize("tiles", [(-1, 2), (0, 11), (5, 4)])
def test_tiles_that_are_not_there(rng, tiles):
    with pytest.raises(InputError, match="not within 0 to 10"):
        scan_pairs(rng.normal(size=(61, 5)), [], tiles=tiles)


def test_an_empty_range_holds_nothing(rng):
    x = rng.normal(size=(61, 5))
    nothing = scan_pairs(x, [CountBelow((2.0,))], tiles=(4, 4))
    whole = scan_pairs(x, [CountBelow((2.0,))])
    assert nothing.tiles == ()
    assert nothing.merge(whole)[0].tolist() == whole[0].tolist() == [61 * 30]


@pytest.mark.parametrize("n", [0, 1])
def test_a_map_without_pairs(n):
    counts, found = scan_pairs(np.ones((n, 3)), [CountBelow((2.0,)), Nearest(2)])
    assert counts.tolist() == [0]
    assert (found.nearest == -1).all()


def test_a_memory_map_is_read_by_blocks(rng, tmp_path, monkeypatch):
    x = rng.normal(size=(200, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    asked = consumers(rng, 200)
    whole = scan_pairs(x, asked)
    monkeypatch.setattr(unit_rows, "_CHUNK_BYTES", 32 * 6 * 4)
    read = []

    class Source:
        """A matrix on disk that remembers what was read of it."""

        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        shape, dtype = mapped.shape, mapped.dtype

        def __getitem__(self, part):
            block = self.mapped[part]
            read.append(len(block))
            return block

    same(scan_pairs(Source(), asked), whole)
    assert max(read) == 32
    same(scan_pairs(np.load(tmp_path / "x.npy", mmap_mode="r"), asked), whole)


def test_progress_of_many_blocks_rises_to_the_end(rng, monkeypatch):
    monkeypatch.setattr(unit_rows, "_CHUNK_BYTES", 1)
    told = []
    scan_pairs(rng.normal(size=(100, 6)), [], backend="reference", progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_consumers_that_do_not_fit_are_refused(rng):
    x = rng.normal(size=(20, 3))
    with pytest.raises(InputError, match="20 by None"):
        scan_pairs(x, [WithinGroups(np.zeros(19, int))])
    with pytest.raises(InputError, match=r"\(20, 19\), but the pass \(20, 20\)"):
        scan_pairs(x, [Matrix(np.empty((20, 19)))])
