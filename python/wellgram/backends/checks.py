"""What every backend asks of its arguments, checked in one place and in the same words."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellgram.backends.consumers import Consumer, Extent
from wellgram.backends.free_memory import check_room
from wellgram.backends.number_checks import check_number, check_whole
from wellgram.backends.philox_draws import as_seed
from wellgram.backends.protocol import (
    AffineMaps,
    Codes,
    Floats,
    Kind,
    Rankings,
    Rows,
    SetKinds,
    Sets,
)
from wellgram.backends.thread_count import threads
from wellgram.errors import InputError


def as_rows(x: ArrayLike, name: str = "x") -> Rows:
    """Return x as an aligned float32 or float64 matrix with contiguous rows, copied if need be."""
    rows = np.asarray(unmasked(x, name))
    if rows.ndim != 2:
        raise InputError(f"{name} must be a matrix (rows, features), not of shape {rows.shape}")
    native = rows.dtype.newbyteorder("=")
    if native == np.float16:
        native = np.dtype(np.float32)
    if native not in (np.float32, np.float64):
        raise InputError(
            f"{name} has dtype {rows.dtype}; give float32, float64 or float16 "
            f"(for example {name}.astype('float32'))"
        )
    contiguous = rows.shape[1] <= 1 or rows.strides[1] == rows.itemsize
    whole = rows.strides[0] % rows.itemsize == 0
    if rows.dtype != native or not (contiguous and whole and rows.flags.aligned):
        rows = np.array(rows, dtype=native, order="C")
    return rows


def unmasked(x: Any, name: str, first: int = 0) -> Any:
    """Return x, of an array with a mask its values; `first` is the number of its first row.

    Raises
    ------
    InputError
        If a value is masked: it is missing, whatever number lies below the mask.
    """
    if not isinstance(x, np.ma.MaskedArray):
        return x
    masked = np.argwhere(np.ma.getmaskarray(x))
    if len(masked):
        place = ", ".join(map(str, [first + masked[0][0], *masked[0][1:]] if x.ndim else []))
        raise InputError(
            f"{len(masked)} values of {name} are masked, which means missing (first: "
            f"{name}[{place}]); fill them in, or leave out their rows or columns"
        )
    return np.ma.getdata(x)


def as_numbers(given: ArrayLike, name: str) -> Floats:
    """Return numbers as float64; what is missing, None or NaN, as NaN.

    Raises
    ------
    InputError
        If a value is text or anything else that is no number, or is masked.
    """
    values = np.asarray(unmasked(given, name))
    if values.dtype.kind not in "fiu":
        for value in values.ravel().tolist():
            if value is not None:
                check_number(value, f"each of {name}")
    return values.astype(np.float64)


def as_codes(codes: ArrayLike, rows: int, groups: int, least: int = -1) -> Codes:
    """Return codes as contiguous int64, one per row, each in [least, groups)."""
    given = np.asarray(unmasked(codes, "codes"))
    if given.dtype.kind not in "iu":
        raise InputError(f"codes must be integers, not {given.dtype}")
    if given.shape != (rows,):
        raise InputError(f"codes has shape {given.shape}; expected one per row: ({rows},)")
    return _within(given, least, groups, "codes")


def as_weights(weights: ArrayLike, classes: int, features: int) -> Floats:
    """Return weights of linear scores as contiguous float64: (classes, features + 1)."""
    given = np.ascontiguousarray(weights, np.float64)
    if given.shape != (classes, features + 1):
        raise InputError(
            f"weights has shape {given.shape}; expected a row of features and an intercept for "
            f"each class: ({classes}, {features + 1})"
        )
    return given


def as_pairs(i: ArrayLike, j: ArrayLike, x: Rows, y: Rows) -> tuple[Codes, Codes]:
    """Return indices of rows of x and of y as contiguous int64, as many of the one as the other."""
    first, second = _as_indices(i, len(x), "i"), _as_indices(j, len(y), "j")
    if len(first) != len(second):
        raise InputError(f"i has {len(first)} rows and j {len(second)}; they must pair up")
    return first, second


def _as_indices(index: ArrayLike, rows: int, name: str) -> Codes:
    given = np.asarray(unmasked(index, name))
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise InputError(f"{name} must be a vector of integers, not {given.dtype} {given.shape}")
    return _within(given, 0, rows, name)


def _within(given: NDArray[np.integer[Any]], low: int, high: int, name: str) -> Codes:
    # Looked at before conversion, which turns a uint64 past 2^63 into a negative number.
    if given.size and (int(given.min()) < low or int(given.max()) >= high):
        wrong = int(np.flatnonzero((given < low) | (given >= high))[0])
        raise InputError(f"{name}[{wrong}] is {given[wrong]}; expected {low} to {high - 1}")
    return np.ascontiguousarray(given, dtype=np.int64)


def as_partner(y: ArrayLike, x: Rows) -> Rows:
    """Return y as rows that can be compared with those of x: as wide, and of the same type."""
    rows = as_rows(y, "y")
    check_alike(x.shape[1], x.dtype, rows.shape[1], rows.dtype)
    return rows


def check_alike(width: int, dtype: Any, other_width: int, other_dtype: Any) -> None:
    """Raise unless rows x and y, of so many features and a type, can be compared."""
    if width != other_width:
        raise InputError(f"x has {width} features and y {other_width}; they must be the same")
    if dtype != other_dtype:
        raise InputError(f"x is {dtype} and y {other_dtype}; give both in one type")


def check_maps(x: Rows, maps: AffineMaps) -> None:
    """Raise unless the maps take rows of x's width and their parts fit together."""
    d, (batches, k) = x.shape[1], maps.offset.shape
    if maps.shift.shape != (d,):
        raise InputError(f"the maps take {maps.shift.shape[0]} features, but x has {d}")
    basis = (d, d) if maps.basis is None else maps.basis.shape
    if (
        basis != (d, k)
        or maps.scale.shape != (batches, k)
        or len(maps.factors) != batches
        or len(maps.gains) != batches
        or any(f.shape != (k, len(g)) for f, g in zip(maps.factors, maps.gains, strict=True))
    ):
        raise InputError("the parts of the affine maps do not fit together")


def as_out(out: Rows | None, x: Rows, maps: AffineMaps) -> Rows:
    """Return where the rows of x by these maps go: `out`, or a new matrix."""
    shape = (len(x), maps.features)
    return np.empty(shape, x.dtype) if out is None else _writable(out, shape, x.dtype)


def as_sums(out: Floats | None, x: Rows, groups: int) -> Floats:
    """Return what sums of the rows of x are added to: `out`, or zeros."""
    shape = (groups, x.shape[1])
    return np.zeros(shape) if out is None else _writable(out, shape, np.dtype(np.float64))


def _writable(out: NDArray[Any], shape: tuple[int, int], dtype: np.dtype[Any]) -> NDArray[Any]:
    if out.shape != shape or out.dtype != dtype:
        raise InputError(f"out must be {shape} {dtype}, not {out.shape} {out.dtype}")
    if as_rows(out, "out") is not out or not out.flags.writeable:
        raise InputError("out must be writable, with contiguous rows")
    return out


def as_columns(columns: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return columns as contiguous vectors of one length, all float32 or all float64."""
    given = [np.asarray(unmasked(column, f"column {k}")) for k, column in enumerate(columns)]
    if not given:
        raise InputError("there are no columns to make rows of")
    length = given[0].shape
    for k, column in enumerate(given):
        if column.ndim != 1 or column.shape != length:
            raise InputError(f"column {k} has shape {column.shape}; expected {length} as the first")
        if column.dtype.kind not in "fiu":
            raise InputError(f"column {k} has dtype {column.dtype}; expected numbers")
    small = all(column.dtype.kind == "f" and column.dtype.itemsize <= 4 for column in given)
    return [np.ascontiguousarray(column, np.float32 if small else np.float64) for column in given]


def _check_draws(draws: int) -> None:
    check_whole(draws, "draws")
    if not 0 <= draws < 1 << 32:
        raise InputError(f"draws must be in [0, 2^32), not {draws}")


def as_sets(
    x: Rows, pool: Sequence[Codes], taken: Sequence[int], sizes: Sequence[int], draws: int
) -> Sets:
    """Return the sets to be drawn of the rows of x, or raise if they cannot be."""
    parts = [_as_indices(part, len(x), f"pool[{s}]") for s, part in enumerate(pool)]
    if len(parts) != len(taken):
        raise InputError(f"there are {len(parts)} strata, but {len(taken)} numbers of rows to take")
    for s, (part, count) in enumerate(zip(parts, taken, strict=True)):
        if not 0 <= count <= len(part):
            raise InputError(f"cannot take {count} rows of the {len(part)} of stratum {s}")
    marks = [int(size) for size in sizes]
    rising = all(a < b for a, b in zip([1, *marks], marks, strict=False))
    if not marks or not rising or marks[-1] != sum(taken):
        raise InputError(
            f"sizes must rise from 2 or more to the {sum(taken)} rows taken in all, not {marks}"
        )
    _check_draws(draws)
    joined = np.concatenate([np.empty(0, np.int64), *parts])
    return Sets(joined, [len(part) for part in parts], [int(count) for count in taken], marks)


def as_set_kinds(
    x: Rows, pool: Sequence[Codes], streams: Sequence[int], kinds: Sequence[Kind], draws: int
) -> SetKinds:
    """Return the kinds of sets to be drawn of the rows of x, or raise if they cannot be."""
    parts = [_as_indices(part, len(x), f"pool[{s}]") for s, part in enumerate(pool)]
    if len(parts) != len(streams):
        raise InputError(f"there are {len(parts)} strata, but {len(streams)} streams")
    for k, (strata, counts) in enumerate(kinds):
        if len(strata) != len(counts) or len(set(strata)) != len(strata):
            raise InputError(f"kind {k} must name each of its strata once, and a count for it")
        for stratum, count in zip(strata, counts, strict=True):
            if not 0 <= stratum < len(parts):
                raise InputError(f"kind {k} takes of stratum {stratum} of {len(parts)}")
            if not 0 < count <= len(parts[stratum]):
                raise InputError(
                    f"cannot take {count} rows of the {len(parts[stratum])} of stratum {stratum}"
                )
        if sum(counts) < 2:
            raise InputError(f"a set of kind {k} has {sum(counts)} rows; it needs 2")
    _check_draws(draws)
    return SetKinds(
        np.concatenate([np.empty(0, np.int64), *parts]),
        [len(part) for part in parts],
        [as_seed(stream, "stream") for stream in streams],
        np.cumsum([0, *(len(strata) for strata, _ in kinds)]).tolist(),
        [int(stratum) for strata, _ in kinds for stratum in strata],
        [int(count) for _, counts in kinds for count in counts],
    )


def as_centre(centre: ArrayLike, x: Rows) -> Floats:
    """Return a point of as many features as rows have, or raise if it is none."""
    point = np.ascontiguousarray(centre, np.float64)
    if point.shape != (x.shape[1],) or not np.isfinite(point).all():
        raise InputError(f"centre must be {x.shape[1]} finite numbers, not of shape {point.shape}")
    return point


def as_rankings(
    x: Rows, y: Rows, starts: ArrayLike, values: ArrayLike, own: ArrayLike, other: ArrayLike
) -> Rankings:
    """Return values of the rows of x and labels of both, or raise if they do not fit them."""
    marks = np.ascontiguousarray(starts, np.int64)
    given = np.ascontiguousarray(values, np.float64)
    spans = marks.shape == (len(x) + 1,) and marks[0] == 0 and marks[-1] == len(given)
    if not spans or (np.diff(marks) < 0).any():
        raise InputError(
            f"starts must rise from 0 to the {len(given)} values, one more than x has rows"
        )
    falls = np.diff(given) < 0
    falls[marks[1:-1][(marks[1:-1] > 0) & (marks[1:-1] < len(given))] - 1] = False
    if np.isnan(given).any() or falls.any():
        raise InputError("the values of a row must ascend, and none be NaN")
    labels = [np.ascontiguousarray(part, np.int32) for part in (own, other)]
    kinds = {part.shape[0] for part in labels}
    if len(kinds) > 1 or [part.shape[1] for part in labels] != [len(x), len(y)]:
        raise InputError(
            f"labels are {labels[0].shape} and {labels[1].shape}; expected as many kinds of both, "
            f"for {len(x)} and {len(y)} rows"
        )
    return Rankings(marks, given, *labels)


def as_lists(scores: Rows, positives: ArrayLike, negatives: ArrayLike) -> tuple[Codes, Codes]:
    """Return columns of scores as contiguous int64: (p,) and (draws, q)."""
    drawn = np.asarray(negatives)
    if drawn.ndim != 2:
        raise InputError(f"negatives must be (draws, q), not of shape {drawn.shape}")
    columns = scores.shape[1]
    chosen = _as_indices(positives, columns, "positives")
    return chosen, _as_indices(drawn.ravel(), columns, "negatives").reshape(drawn.shape)


def check_ranking(positives: int, total: int, draws: int) -> None:
    """Raise unless rankings of so many can be drawn."""
    if not 0 < positives <= total:
        raise InputError(f"a ranking needs 1 to {total} positives, not {positives}")
    check_draws(draws, 8)


def check_resamples(items: int, draws: int, first: int) -> None:
    """Raise unless so many resamples of so many items can be drawn from the first on."""
    if items < 0 or min(draws, first) < 0 or first + draws > 1 << 32:
        raise InputError(f"cannot draw resamples {first} to {first + draws} of {items} items")
    check_draws(draws, 12 * items)  # the counts, and as float64 what they weigh


def as_subsets(
    pools: Sequence[int], taken: Sequence[int], draws: int, first: int
) -> tuple[list[int], list[int]]:
    """Return the sizes of pools and how much is taken of each, or raise if that cannot be drawn."""
    if len(pools) != len(taken):
        raise InputError(f"there are {len(pools)} pools, but {len(taken)} numbers to take")
    for pool, count in zip(pools, taken, strict=True):
        if not 0 <= count <= pool:
            raise InputError(f"cannot draw {count} of {pool}")
    check_draws(draws, 8 * sum(taken))
    _check_draws(first + draws)
    return [int(pool) for pool in pools], [int(count) for count in taken]


def check_products(dtype: Any, bfloat16: bool) -> None:
    """Raise unless rows of a type can be multiplied: float32 ones where bfloat16 is asked."""
    if bfloat16 and dtype != np.float32:
        raise InputError(f"bfloat16 products are of float32 rows, not {np.dtype(dtype)}")


def check_scan(consumers: Sequence[Consumer], extent: Extent, dtype: Any, bfloat16: bool) -> None:
    """Raise unless the consumers fit the pass, and there are products of its type."""
    if dtype not in (np.float32, np.float64):
        raise InputError(f"a pass is over float32 or float64 rows, not {np.dtype(dtype)}")
    check_products(dtype, bfloat16)
    for consumer in consumers:
        if not isinstance(consumer, Consumer):
            raise InputError(f"{consumer!r} is no consumer; derive it from wellgram.pairs.Consumer")
        consumer.check(extent, np.dtype(dtype))
    check_states(consumers, extent, dtype)


def check_states(consumers: Sequence[Consumer], extent: Extent, dtype: Any) -> None:
    """Raise unless there is memory for what consumers keep of a pass."""
    for consumer in consumers:
        size = consumer.state_bytes(extent, np.dtype(dtype), threads())
        what = f"a pass over {extent.rows:,} rows with {type(consumer).__name__}"
        check_room(size, what, "ask for fewer neighbors or bins (k=, farthest=, bins=)")


def check_draws(draws: int, size: int) -> None:
    """Raise unless so many draws can be named, and there is memory for so many bytes of each."""
    _check_draws(draws)
    what = f"a null or an interval of {draws:,} draws"
    check_room(draws * size, what, "ask for fewer (draws=, null_size=, resamples=)")


def check_place(
    given: Any, dtype: Any, rows: tuple[int, int], columns: tuple[int, int], extent: Extent
) -> None:
    """Raise unless rows of a type are of a pass: the first of its rows and columns, how many."""
    if given != dtype:
        raise InputError(f"the pass is over {np.dtype(dtype)} rows, not {given}")
    wide = extent.rows if extent.columns is None else extent.columns
    for (first, count), every in ((rows, extent.rows), (columns, wide)):
        if first < 0 or first + count > every:
            raise InputError(
                f"rows {first} to {first + count} are not within the pass's 0 to {every}"
            )
