"""The processor backend: C++ kernels on threads, with the best instruction set found at load.

``WELLGRAM_NUM_THREADS`` sets the number of threads (else the processors this process may use), and
``WELLGRAM_ISA`` a lower instruction set than the best.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import numpy_softmax
from wellgram.backends.checks import (
    as_codes,
    as_columns,
    as_lists,
    as_out,
    as_pairs,
    as_partner,
    as_rankings,
    as_rows,
    as_sets,
    as_sums,
    check_maps,
    check_ranking,
    check_resamples,
    check_scan,
    check_subsets,
)
from wellgram.backends.consumers import Consumer, Extent
from wellgram.backends.moments import amid
from wellgram.backends.philox_draws import as_seed
from wellgram.backends.protocol import (
    AffineMaps,
    Codes,
    Floats,
    GroupMoments,
    Progress,
    Rows,
    Spread,
)
from wellgram.backends.thread_count import in_words, threads
from wellgram.backends.whole import scan_whole
from wellgram.errors import BackendUnavailable

try:
    from wellgram import _cpu
    from wellgram.backends.cpu_scan import CpuScan
except ImportError as problem:
    _missing: str | None = (
        f"the extension module wellgram._cpu does not load ({problem}); build it: pip install ."
    )
else:
    _missing = None

name = "cpu"

softmax_loss = numpy_softmax.softmax_loss


def why_not() -> str | None:
    """Return why the backend cannot run here, or None."""
    if _missing:
        return _missing
    wanted = os.environ.get("WELLGRAM_ISA")
    if wanted and wanted not in instruction_sets():
        usable = ", ".join(instruction_sets())
        return f"WELLGRAM_ISA={wanted} is not an instruction set of this machine ({usable})"
    return None


def describe() -> str:
    """Return the instruction set and the number of threads."""
    return f"{instruction_set()}, {in_words(threads())}"


def instruction_sets() -> list[str]:
    """Return the instruction sets this build has and this processor runs, best first."""
    return _cpu.instruction_sets()


def instruction_set() -> str:
    """Return the instruction set in use."""
    return _cpu.instruction_set()


def use_instruction_set(isa: str) -> None:
    """Switch to one of `instruction_sets`, for this process."""
    if not _cpu.use_instruction_set(isa):
        usable = ", ".join(instruction_sets())
        raise BackendUnavailable(f"instruction set {isa!r} is not usable here; use one of {usable}")


if _missing is None and why_not() is None and "WELLGRAM_ISA" in os.environ:
    use_instruction_set(os.environ["WELLGRAM_ISA"])


def rows_of_columns(columns: Sequence[NDArray[Any]]) -> Rows:
    """See `Backend.rows_of_columns`."""
    columns = as_columns(columns)
    rows = np.empty((len(columns[0]), len(columns)), columns[0].dtype)
    _cpu.rows_of_columns(columns, rows, threads())
    return rows


def row_faults(x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """See `Backend.row_faults`."""
    x = as_rows(x)
    faults = np.empty(len(x), np.uint8)
    _cpu.row_faults(x, faults, threads())
    return faults == 1, faults == 2


def group_sums(
    x: Rows, codes: Codes, groups: int, out: Floats | None = None
) -> tuple[Floats, Codes]:
    """See `Backend.group_sums`."""
    x = as_rows(x)
    codes = as_codes(codes, len(x), groups)
    sums = as_sums(out, x, groups)
    _cpu.group_sums(x, codes, sums, threads())
    return sums, np.bincount(codes[codes >= 0], minlength=groups)


def group_moments(x: Rows, codes: Codes, groups: int, spread: Spread = "smaller") -> GroupMoments:
    """See `Backend.group_moments`."""
    x = as_rows(x)
    codes = as_codes(codes, len(x), groups)
    d = x.shape[1]
    sums, counts = group_sums(x, codes, groups)
    with np.errstate(invalid="ignore"):  # an empty group: 0 / 0
        means = sums / counts[:, None]
    if spread == "variances":
        squares = np.zeros((groups, d))
        _cpu.group_squares(x, codes, means, squares, threads())
        return GroupMoments(counts, means, list(squares), spread)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(groups + 1))
    spreads = []
    for g in range(groups):
        rows = order[bounds[g] : bounds[g + 1]]
        if spread == "rows" or len(rows) < d:
            kept = np.empty((len(rows), d))
            _cpu.centre_rows(x, rows, means[g], kept, threads())
        else:
            kept = np.empty((d, d))
            _cpu.scatter(x, rows, means[g], kept, threads())
        spreads.append(kept)
    return GroupMoments(counts, means, spreads, spread)


def group_medians(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Backend.group_medians`."""
    x = as_rows(x)
    codes = as_codes(codes, len(x), groups)
    medians = np.empty((groups, x.shape[1]))
    _cpu.group_medians(x, codes, medians, threads())
    return medians


def apply_affine(x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None = None) -> Rows:
    """See `Backend.apply_affine`."""
    x = as_rows(x)
    codes = as_codes(codes, len(x), len(maps.offset))
    check_maps(x, maps)
    y = as_out(out, x, maps)
    _cpu.apply_affine(
        x,
        codes,
        _exact(maps.shift),
        None if maps.basis is None else _exact(maps.basis),
        _exact(maps.offset),
        _exact(maps.scale),
        [_exact(factor) for factor in maps.factors],
        [_exact(gain) for gain in maps.gains],
        y,
        threads(),
    )
    y[codes < 0] = np.nan
    return y


def _exact(part: Floats) -> Floats:
    return np.ascontiguousarray(part, dtype=np.float64)


def distance_sums(x: Rows, y: Rows, progress: Progress | None = None) -> Floats:
    """See `Backend.distance_sums`."""
    x = as_rows(x)
    y = as_partner(y, x)
    sums = np.empty(len(x))
    _cpu.distance_sums(x, y, amid(y), sums, threads(), progress)
    return sums


def group_distances(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Backend.group_distances`."""
    x = as_rows(x)
    codes = as_codes(codes, len(x), groups)
    sums = np.empty(groups)
    _cpu.group_distances(x, codes, amid(x), sums, threads())
    return sums


def null_means(
    x: Rows,
    pool: Sequence[Codes],
    taken: Sequence[int],
    sizes: Sequence[int],
    draws: int,
    *,
    seed: int,
    stream: int,
    first: int = 0,
    progress: Progress | None = None,
) -> Floats:
    """See `Backend.null_means`."""
    x = as_rows(x)
    sets = as_sets(x, pool, taken, sizes, first + draws)
    means = np.empty((len(sets.sizes), draws))
    _cpu.null_means(
        x,
        sets.pool,
        sets.strata,
        sets.taken,
        sets.sizes,
        as_seed(seed),
        as_seed(stream, "stream"),
        first,
        means,
        threads(),
        progress,
    )
    return means


def rank_counts(
    x: Rows,
    y: Rows,
    starts: Codes,
    values: Floats,
    own: NDArray[np.int32],
    other: NDArray[np.int32],
    *,
    absolute: bool = False,
    progress: Progress | None = None,
) -> Codes:
    """See `Backend.rank_counts`."""
    x = as_rows(x)
    y = as_partner(y, x)
    given = as_rankings(x, y, starts, values, own, other)
    counts = np.empty(len(given.values), np.int64)
    _cpu.rank_counts(
        x,
        y,
        given.starts,
        given.values,
        given.own,
        given.other,
        absolute,
        counts,
        threads(),
        progress,
    )
    return counts


def list_scores(scores: Rows, positives: Codes, negatives: Codes) -> tuple[Floats, Floats]:
    """See `Backend.list_scores`."""
    scores = as_rows(scores, "scores")
    positives, negatives = as_lists(scores, positives, negatives)
    precision, auc = (np.empty((len(scores), len(negatives))) for _ in range(2))
    _cpu.list_scores(scores, positives, negatives, precision, auc, threads())
    return precision, auc


def null_precisions(positives: int, total: int, draws: int, *, seed: int, stream: int) -> Floats:
    """See `Backend.null_precisions`."""
    check_ranking(positives, total, draws)
    precisions = np.empty(draws)
    _cpu.null_precisions(
        positives, total, as_seed(seed), as_seed(stream, "stream"), precisions, threads()
    )
    return precisions


def random_subsets(
    pools: Sequence[int], taken: Sequence[int], draws: int, *, seed: int, stream: int
) -> Codes:
    """See `Backend.random_subsets`."""
    pools, taken = check_subsets(pools, taken, draws)
    places = np.empty((draws, sum(taken)), np.int64)
    _cpu.random_subsets(pools, taken, as_seed(seed), as_seed(stream, "stream"), places, threads())
    return places


def resample_counts(
    items: int, draws: int, *, seed: int, stream: int, first: int = 0
) -> NDArray[np.int32]:
    """See `Backend.resample_counts`."""
    check_resamples(items, draws, first)
    times = np.empty((draws, items), np.int32)
    _cpu.resample_counts(first, as_seed(seed), as_seed(stream, "stream"), times, threads())
    return times


def unit_rows(x: Rows) -> tuple[Rows, Codes]:
    """See `Backend.unit_rows`."""
    x = as_rows(x)
    unit = np.empty(x.shape, x.dtype)
    zero = np.empty(len(x), bool)
    _cpu.unit_rows(x, unit, zero, threads())
    return unit, np.flatnonzero(zero)


def pair_cosines(
    x: Rows, i: Codes, j: Codes, y: Rows | None = None, *, bfloat16: bool = False
) -> Rows:
    """See `Backend.pair_cosines`."""
    x = as_rows(x)
    other = x if y is None else as_partner(y, x)
    i, j = as_pairs(i, j, x, other)
    check_scan((), Extent(0), x.dtype, bfloat16)
    out = np.empty(len(i), x.dtype)
    run = _cpu.pair_cosines_bfloat16 if bfloat16 else _cpu.pair_cosines
    run(x, other, i, j, out, threads())
    return out


def pair_scan(
    consumers: Sequence[Consumer], extent: Extent, dtype: Any, *, bfloat16: bool = False
) -> "CpuScan":
    """See `Backend.pair_scan`."""
    check_scan(consumers, extent, dtype, bfloat16)
    return CpuScan(consumers, extent, dtype, bfloat16)


def scan_pairs(
    x: Rows,
    consumers: Sequence[Consumer],
    y: Rows | None = None,
    progress: Progress | None = None,
    *,
    bfloat16: bool = False,
) -> list[Any]:
    """See `Backend.scan_pairs`."""
    return scan_whole(pair_scan, x, consumers, y, progress, bfloat16)
