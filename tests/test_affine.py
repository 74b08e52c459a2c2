"""Maps of batches: composed, pushed through moments, stored, in place, for new batches."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from helpers.cases import some_maps
from helpers.maps_and_wells import make_batches
from helpers.oracle import reference
from wellgram import (
    CORAL,
    TVN,
    BatchAffine,
    CenterScale,
    ComBat,
    InputError,
    PCAWhiten,
    RobustMAD,
    Sphering,
    Standardize,
    chain,
)
from wellgram.align.affine import diagonal_maps

D, BATCHES = 6, ("a", "b", "c")


def maps_of(*steps):
    return BatchAffine(BATCHES, tuple(steps), np.array([9, 9, 9]))


def dense(rng, k=D, d=D):
    return some_maps(rng, d, k, (2, 0, k))


def diagonal(rng, even=False):
    scale = rng.uniform(0.5, 2, (3, 1 if even else D)) * np.ones((3, D))
    return diagonal_maps(rng.normal(size=D), rng.normal(size=(3, D)), scale)


def shared(rng, k=D):
    return some_maps(rng, D, k, (0, 0, 0)).__class__(
        rng.normal(size=D),
        rng.normal(size=(D, k)),
        np.tile(rng.normal(size=k), (3, 1)),
        np.tile(rng.uniform(0.5, 2, k), (3, 1)),
        (np.empty((k, 0)),) * 3,
        (np.empty(0),) * 3,
    )


def low_rank(rng):
    return some_maps(rng, D, D, (1, 2, 3), basis=False)


CASES = {
    "diagonal, diagonal": (diagonal, diagonal, 1),
    "dense, diagonal": (dense, diagonal, 2),
    "rotation, diagonal": (lambda r: some_maps(r, D, D, (0, 0, 0)), diagonal, 1),
    "even, low rank": (lambda r: diagonal(r, even=True), low_rank, 1),
    "uneven, low rank": (diagonal, low_rank, 2),
    "shared, dense": (lambda r: shared(r), dense, 1),
    "shared to fewer, dense": (lambda r: shared(r, 4), lambda r: dense(r, 3, 4), 1),
    "diagonal, shared": (diagonal, shared, 2),
    "dense, dense": (dense, dense, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_maps_that_follow_each_other_are_one_where_that_is_no_larger(rng, case):
    first, second, parts = CASES[case]
    one, two = maps_of(first(rng)), maps_of(second(rng))
    both = one.then(two)
    assert len(both.maps) == parts
    x, codes = rng.normal(size=(20, D)), rng.integers(0, 3, 20)
    expected = two.apply(one.apply(x, codes), codes)
    np.testing.assert_allclose(both.apply(x, codes), expected, rtol=1e-11, atol=1e-11)
    for b in range(3):
        a, c = both.matrix(b)
        mine = codes == b
        np.testing.assert_allclose(x[mine] @ a + c, expected[mine], rtol=1e-11, atol=1e-11)


def test_a_scale_of_zero_is_not_divided_by(rng):
    flat = diagonal(rng)
    flat.scale[1, 2] = 0
    both = maps_of(flat).then(maps_of(diagonal(rng)))
    assert np.isfinite(both.apply(rng.normal(size=(3, D)), np.arange(3))).all()


def test_one_map_for_all_joins_maps_of_batches(rng):
    alone = BatchAffine(None, (some_maps(rng, D, D, (2,)),), np.array([9]))
    several = maps_of(dense(rng))
    x, codes = rng.normal(size=(20, D)), rng.integers(0, 3, 20)
    zeros = np.zeros(20, np.int64)
    np.testing.assert_allclose(
        alone.then(several).apply(x, codes), several.apply(alone.apply(x, zeros), codes), rtol=1e-11
    )
    np.testing.assert_allclose(
        several.then(alone).apply(x, codes), alone.apply(several.apply(x, codes), zeros), rtol=1e-11
    )


def test_maps_of_other_batches_do_not_join(rng):
    other = BatchAffine(("a", "b", "d"), (dense(rng),), np.array([9, 9, 9]))
    with pytest.raises(InputError, match="same batches"):
        maps_of(dense(rng)).then(other)


@pytest.mark.parametrize("spread", ["smaller", "rows", "variances"])
@pytest.mark.parametrize("k", [3, D])
def test_moments_pushed_through_are_those_of_aligned_rows(rng, spread, k):
    """Batches of fewer rows than features, of as many as come out, and of more."""
    x, codes = rng.normal(size=(30, D)) + 3, np.repeat([0, 1, 2], [4, 5, 21])
    steps = [diagonal(rng)] if spread == "variances" else [diagonal(rng), dense(rng, k)]
    affine = maps_of(*steps)
    pushed = affine.moments(reference.group_moments(x, codes, 3, spread))
    expected = reference.group_moments(affine.apply(x, codes), codes, 3, spread)
    np.testing.assert_allclose(pushed.means, expected.means, rtol=1e-10)
    for g in range(3):
        assert pushed[g].is_rows == expected[g].is_rows
        np.testing.assert_allclose(pushed[g].squares(), expected[g].squares(), rtol=1e-10)
        if spread != "variances":
            np.testing.assert_allclose(pushed[g].scatter(), expected[g].scatter(), atol=1e-9)


def test_variances_do_not_pass_a_rotation(rng):
    x = rng.normal(size=(30, D))
    moments = reference.group_moments(x, np.arange(30) % 3, 3, "variances")
    with pytest.raises(ValueError, match="variances alone"):
        maps_of(dense(rng)).moments(moments)


@pytest.mark.parametrize("steps", [1, 2])
def test_rows_may_be_aligned_in_place(rng, steps):
    """More rows than go through two maps at a time."""
    affine = maps_of(*[dense(rng) for _ in range(steps)])
    x, codes = rng.normal(size=(9000, D)).astype(np.float32), rng.integers(0, 3, 9000)
    expected = affine.apply(x, codes)
    assert affine.apply(x, codes, out=x) is x
    np.testing.assert_array_equal(x, expected)


def test_where_rows_go_must_fit(rng):
    affine, x, codes = maps_of(dense(rng, 4)), np.ones((5, D)), np.zeros(5, np.int64)
    for out, words in [
        (np.empty((5, D)), r"out must be \(5, 4\) float64"),
        (np.empty((5, 4), np.float32), "float64, not .* float32"),
        (np.empty((4, 5)).T, "contiguous rows"),
    ]:
        with pytest.raises(InputError, match=words):
            affine.apply(x, codes, out=out)


FITTED = {
    "center-scale": lambda: CenterScale(unseen="pooled"),
    "robust-mad": lambda: RobustMAD(unseen="pooled"),
    "tvn": lambda: TVN(unseen="pooled", shrinkage=0.1),
    "coral": lambda: CORAL(unseen="pooled"),
    "combat": lambda: ComBat(unseen="pooled"),
    "sphering": Sphering,
    "chain": lambda: chain(
        Standardize(unseen="pooled"), PCAWhiten(4), CORAL(unseen="pooled", recolor=False)
    ),
}


@pytest.mark.parametrize("name", FITTED)
def test_saved_maps_do_in_another_process_what_they_did_in_this_one(rng, tmp_path, name):
    """Fitted on two batches, applied to one of them and, by the pooled map, to the third."""
    x, batch, _ = make_batches(rng)
    seen = batch != "c"
    affine = FITTED[name]().fit(x[seen], batch=batch[seen]).affine_
    here = affine.transform(x, batch=batch)
    path = tmp_path / "maps.npz"
    affine.save(path)
    np.savez(tmp_path / "x.npz", x=x, batch=batch)
    code = (
        "import sys, numpy as np, wellgram as wg\n"
        "maps, rows, out = sys.argv[1:]\n"
        "rows = np.load(rows)\n"
        "np.save(out, wg.BatchAffine.load(maps).transform(rows['x'], batch=rows['batch']))"
    )
    files = [path, tmp_path / "x.npz", tmp_path / "y.npy"]
    subprocess.run([sys.executable, "-c", code, *map(str, files)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), here)


def test_a_file_that_is_damaged_or_another_is_refused(rng, tmp_path):
    path = tmp_path / "maps.npz"
    affine = maps_of(dense(rng))
    affine.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["offset.0"] = arrays["offset.0"] + 1e-12
    np.savez(tmp_path / "other.npz", **arrays)
    with pytest.raises(InputError, match="damaged"):
        BatchAffine.load(tmp_path / "other.npz")
    arrays["about"] = np.array(str(arrays["about"]).replace("BatchAffine 1", "BatchAffine 9"))
    np.savez(tmp_path / "newer.npz", **arrays)
    with pytest.raises(InputError, match="BatchAffine 9"):
        BatchAffine.load(tmp_path / "newer.npz")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match="no saved alignment"):
        BatchAffine.load(path)
    with pytest.raises(InputError, match="there is no file"):
        BatchAffine.load(tmp_path / "nowhere.npz")


def test_the_pooled_map_is_that_of_all_batches_together(rng):
    x, batch, _ = make_batches(rng)
    fitted = CenterScale(unseen="pooled").fit(x, batch=batch)
    whole = CenterScale().fit_transform(x)
    elsewhere = np.full(len(x), "new")
    np.testing.assert_allclose(fitted.transform(x, batch=elsewhere), whole, rtol=1e-10, atol=1e-10)
    with pytest.raises(InputError, match=r"1 batches were not there.*'new'.*unseen='pooled'"):
        CenterScale().fit(x, batch=batch).transform(x, batch=elsewhere)


@pytest.mark.parametrize("even", [True, False])
def test_condition_of_a_diagonal_map(rng, even):
    maps = maps_of(diagonal(rng, even))
    expected = [np.linalg.cond(maps.matrix(b)[0]) for b in range(3)]
    np.testing.assert_allclose(maps.condition(), expected, rtol=1e-12)


@pytest.mark.parametrize("orthonormal", [True, False])
def test_condition_of_a_correction_of_low_rank(rng, orthonormal):
    factors = [rng.normal(size=(D, r)) for r in (2, D, 1)]
    if orthonormal:
        factors = [np.linalg.qr(factor)[0] for factor in factors]
    gains = tuple(rng.uniform(0.1, 3, factor.shape[1]) for factor in factors)
    even = diagonal(rng, even=True)
    maps = maps_of(replace(even, factors=tuple(factors), gains=gains))
    expected = [np.linalg.cond(maps.matrix(b)[0]) for b in range(3)]
    np.testing.assert_allclose(maps.condition(), expected, rtol=1e-10)


def test_condition_bounds_that_of_several_parts(rng):
    maps = maps_of(dense(rng), diagonal(rng))
    exact = [np.linalg.cond(maps.matrix(b)[0]) for b in range(3)]
    assert (maps.condition() >= exact).all()
    flat = maps_of(diagonal_maps(np.zeros(2), np.zeros((3, 2)), np.array([[1.0, 0.0]] * 3)))
    assert np.isinf(flat.condition()).all()
    assert "condition up to inf" in repr(flat)
