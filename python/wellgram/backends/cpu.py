"""The processor backend: C++ kernels on threads, with the best instruction set found at load.

``WELLGRAM_NUM_THREADS`` sets the number of threads (else the processors this process may use), and
``WELLGRAM_ISA`` a lower instruction set than the best. ``WELLGRAM_SCREEN`` chooses the screen of
passes: ``none``, or one of `screens`, which is then used wherever it can be. The name of a screen
of cards leaves the choice to what pays.
"""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import main_memory, numpy_softmax
from wellgram.backends.consumers import Consumer, Extent
from wellgram.backends.moments import amid
from wellgram.backends.protocol import (
    AffineMaps,
    Codes,
    Floats,
    GroupMoments,
    Progress,
    Rankings,
    Rows,
    SetKinds,
    Sets,
    Spread,
)
from wellgram.backends.screen_choice import CARD_SCREENS, named_screen
from wellgram.backends.thread_count import in_words, threads
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
arrays = main_memory

softmax_loss = numpy_softmax.softmax_loss


def why_not() -> str | None:
    """Return why the backend cannot run here, or None."""
    if _missing:
        return _missing
    wanted = os.environ.get("WELLGRAM_ISA")
    if wanted and wanted not in instruction_sets():
        usable = ", ".join(instruction_sets())
        return f"WELLGRAM_ISA={wanted} is not an instruction set of this machine ({usable})"
    wanted, known = named_screen(), dict.fromkeys([*screens(), *CARD_SCREENS])
    if wanted and wanted not in known:
        return f"WELLGRAM_SCREEN={wanted} is not a screen ({', '.join(known)})"
    return None


def describe() -> str:
    """Return the instruction set, the screen of passes, and the number of threads."""
    screened = "" if screen() == "none" else f"screen {screen()}, "
    return f"{instruction_set()}, {screened}{in_words(threads())}"


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


def screens() -> list[str]:
    """Return what screens passes can have: ``"none"`` and those of this build."""
    return ["none", *_cpu.screens()]


def screen() -> str:
    """Return the screen that serves passes where it pays; ``"none"`` where none does."""
    return _cpu.screen()


def use_screen(name: str | None) -> None:
    """Have passes use one of `screens` wherever they can; None: what pays on this processor.

    A screen is a pass of products of low precision. What its proven bound decides is decided, and
    the cosines of the few other pairs are made as without it, so that results have the same bits.
    """
    if name is not None and name not in screens():
        raise BackendUnavailable(f"there is no screen {name!r}; use one of {', '.join(screens())}")
    _cpu.use_screen(name or "automatic")


if _missing is None and why_not() is None:
    if os.environ.get("WELLGRAM_ISA"):
        use_instruction_set(os.environ["WELLGRAM_ISA"])
    if named_screen() in screens():
        use_screen(named_screen())


def rows_of_columns(columns: list[NDArray[Any]]) -> Rows:
    """See `Kernels.rows_of_columns`."""
    rows = np.empty((len(columns[0]), len(columns)), columns[0].dtype)
    _cpu.rows_of_columns(columns, rows, threads())
    return rows


def row_faults(x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """See `Kernels.row_faults`."""
    faults = np.empty(len(x), np.uint8)
    _cpu.row_faults(x, faults, threads())
    return faults == 1, faults == 2


def group_sums(x: Rows, codes: Codes, sums: Floats) -> None:
    """See `Kernels.group_sums`."""
    _cpu.group_sums(x, codes, sums, threads())


def group_moments(x: Rows, codes: Codes, groups: int, spread: Spread) -> GroupMoments:
    """See `Kernels.group_moments`."""
    d = x.shape[1]
    sums, counts = np.zeros((groups, d)), np.bincount(codes[codes >= 0], minlength=groups)
    group_sums(x, codes, sums)
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
    """See `Kernels.group_medians`."""
    medians = np.empty((groups, x.shape[1]))
    _cpu.group_medians(x, codes, medians, threads())
    return medians


def apply_affine(x: Rows, codes: Codes, maps: AffineMaps, out: Rows) -> Rows:
    """See `Kernels.apply_affine`."""
    _cpu.apply_affine(
        x,
        codes,
        _exact(maps.shift),
        None if maps.basis is None else _exact(maps.basis),
        _exact(maps.offset),
        _exact(maps.scale),
        [_exact(factor) for factor in maps.factors],
        [_exact(gain) for gain in maps.gains],
        out,
        threads(),
    )
    out[codes < 0] = np.nan
    return out


def _exact(part: Floats) -> Floats:
    return np.ascontiguousarray(part, dtype=np.float64)


def distance_sums(x: Rows, y: Rows, progress: Progress | None) -> Floats:
    """See `Kernels.distance_sums`."""
    sums = np.empty(len(x))
    _cpu.distance_sums(x, y, amid(y), sums, threads(), progress)
    return sums


def group_distances(x: Rows, codes: Codes, groups: int) -> Floats:
    """See `Kernels.group_distances`."""
    sums = np.empty(groups)
    _cpu.group_distances(x, codes, amid(x), sums, threads())
    return sums


def null_means(
    x: Rows,
    sets: Sets,
    draws: int,
    *,
    seed: int,
    stream: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.null_means`."""
    means = np.empty((len(sets.sizes), draws))
    _cpu.null_means(
        x,
        sets.pool,
        sets.strata,
        sets.taken,
        sets.sizes,
        seed,
        stream,
        first,
        means,
        threads(),
        progress,
    )
    return means


def kind_means(
    x: Rows, kinds: SetKinds, draws: int, *, seed: int, first: int, progress: Progress | None
) -> Floats:
    """See `Kernels.kind_means`."""
    means = np.empty((kinds.count, draws))
    _cpu.kind_means(x, *_drawn(kinds), seed, first, means, threads(), progress)
    return means


def kind_distances(
    x: Rows,
    kinds: SetKinds,
    centre: Floats,
    draws: int,
    *,
    seed: int,
    first: int,
    progress: Progress | None,
) -> Floats:
    """See `Kernels.kind_distances`."""
    sums = np.empty((kinds.count, draws))
    _cpu.kind_distances(x, *_drawn(kinds), centre, seed, first, sums, threads(), progress)
    return sums


def _drawn(
    kinds: SetKinds,
) -> tuple[Codes, list[int], list[int], list[int], list[int], list[int]]:
    """Return what is drawn, as the extension takes it."""
    return kinds.pool, kinds.strata, kinds.streams, kinds.starts, kinds.stratum, kinds.taken


def rank_counts(
    x: Rows, y: Rows, given: Rankings, *, absolute: bool, progress: Progress | None
) -> Codes:
    """See `Kernels.rank_counts`."""
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
    """See `Kernels.list_scores`."""
    precision, auc = (np.empty((len(scores), len(negatives))) for _ in range(2))
    _cpu.list_scores(scores, positives, negatives, precision, auc, threads())
    return precision, auc


def null_precisions(positives: int, total: int, draws: int, *, seed: int, stream: int) -> Floats:
    """See `Kernels.null_precisions`."""
    precisions = np.empty(draws)
    _cpu.null_precisions(positives, total, seed, stream, precisions, threads())
    return precisions


def random_subsets(
    pools: list[int], taken: list[int], draws: int, *, seed: int, stream: int, first: int
) -> Codes:
    """See `Kernels.random_subsets`."""
    places = np.empty((draws, sum(taken)), np.int64)
    _cpu.random_subsets(pools, taken, seed, stream, first, places, threads())
    return places


def resample_counts(
    items: int, draws: int, *, seed: int, stream: int, first: int
) -> NDArray[np.int32]:
    """See `Kernels.resample_counts`."""
    times = np.empty((draws, items), np.int32)
    _cpu.resample_counts(first, seed, stream, times, threads())
    return times


def unit_rows(x: Rows) -> tuple[Rows, Codes]:
    """See `Kernels.unit_rows`."""
    unit = _rows_apart(x)
    zero = np.empty(len(x), bool)
    _cpu.unit_rows(x, unit, zero, threads())
    return unit, np.flatnonzero(zero)


def _rows_apart(x: Rows) -> Rows:
    """Return room for rows, not a multiple of 2 KiB apart.

    Rows so far apart share few places of the first-level cache: dot products take twice as long.
    """
    line = 64 // x.itemsize
    d = x.shape[1]
    return np.empty((len(x), d if d * x.itemsize % 2048 else d + line), x.dtype)[:, :d]


def pair_cosines(x: Rows, i: Codes, j: Codes, y: Rows | None, *, bfloat16: bool) -> Rows:
    """See `Kernels.pair_cosines`."""
    other = x if y is None else y
    out = np.empty(len(i), x.dtype)
    run = _cpu.pair_cosines_bfloat16 if bfloat16 else _cpu.pair_cosines
    run(x, other, i, j, out, threads())
    return out


def pair_scan(
    consumers: Sequence[Consumer], extent: Extent, dtype: "np.dtype[Any]", bfloat16: bool
) -> "CpuScan":
    """See `Kernels.pair_scan`."""
    return CpuScan(consumers, extent, dtype, bfloat16)
