"""Mean cosines of random sets of wells: the null of replicate consistency."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from wellgram.backends import get_backend, takes_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.number_checks import check_whole, checked_wholes
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.distributed import team
from wellgram.errors import InputError
from wellgram.nulls.subsets import stream_of

_PARTS_PER_THREAD = 8
"""Into how many parts draws are cut for each thread of a cluster"""


@takes_backend
def mean_cosine_nulls(
    unit: Rows,
    sizes: Iterable[int],
    draws: int,
    *,
    pool: Codes | None = None,
    nested: bool = False,
    seed: int = 0,
    stream: int = 0,
    backend: str | None = None,
    progress: Progress | None = None,
) -> dict[int, Floats]:
    """Return the mean pairwise cosines (draws,) of random sets, for each size.

    Parameters
    ----------
    unit
        Rows (n, d) of length 1.
    sizes
        How many rows a set has, 2 or more; each has a null of its own.
    draws
        How many sets of each size.
    pool
        The rows to draw from; all by default. None is in a set twice.
    nested
        Take the sets of all sizes from the same shuffles, the smaller the beginning of the larger:
        each null is what it would be, at the cost of the largest alone, but nulls of two sizes
        depend on each other. Else every size has draws of its own.
    seed, stream
        Same seed, same sets: those of a size do not depend on which other sizes are asked for.
        Where they are nested, nulls of other pools take other streams.
    backend
        See `wellgram.set_backend`.
    progress
        Called now and then with the share done.

    Raises
    ------
    InputError
        If a size is below 2 or above the size of the pool, or the seed is no whole number.
    """
    run = get_backend()
    check_whole(draws, "draws")
    wanted = sorted({int(size) for size in checked_wholes(sizes, "sizes")})
    rows = np.arange(len(unit)) if pool is None else pool
    if wanted and (wanted[0] < 2 or wanted[-1] > len(rows)):
        wrong = wanted[0] if wanted[0] < 2 else wanted[-1]
        raise InputError(f"a set of {wrong} cannot be drawn from {len(rows)} wells")
    check_draws(draws, 8 * len(wanted))
    if nested and wanted:
        means = run.null_means(
            unit, [rows], [wanted[-1]], wanted, draws, seed=seed, stream=stream, progress=progress
        )
        return dict(zip(wanted, means, strict=True))
    workers = team()
    if workers is not None and wanted:
        parts = _parts(wanted, draws, workers.threads)
        drawn = workers.each(_part, parts, shared=(unit, rows, seed), progress=progress)
        return {
            size: np.concatenate(
                [f for (of, *_), f in zip(parts, drawn, strict=True) if of == size]
            )
            for size in wanted
        }
    nulls, done, whole = {}, 0, sum(wanted)
    for size in wanted:
        share = part_of(progress, done / whole, size / whole)
        nulls[size] = _part((size, 0, draws), unit, rows, seed, share)
        done += size
    return nulls


def _parts(sizes: Sequence[int], draws: int, threads: int) -> list[tuple[int, int, int]]:
    """Cut the draws of all sizes into parts of about the same work: size, first draw and count."""
    rows = sum(sizes) * draws // (_PARTS_PER_THREAD * threads)
    steps = {size: max(1, rows // size) for size in sizes}
    return [
        (size, first, min(step, draws - first))
        for size, step in steps.items()
        for first in range(0, draws, step)
    ]


def _part(
    part: tuple[int, int, int], unit: Rows, rows: Codes, seed: int, progress: Progress | None = None
) -> Floats:
    size, first, draws = part
    found = get_backend().null_means(
        unit, [rows], [size], [size], draws, seed=seed, stream=size, first=first, progress=progress
    )
    return np.asarray(found[0])


def stratified_null(
    unit: Rows,
    strata: Sequence[Codes],
    taken: Sequence[int],
    draws: int,
    *,
    names: Sequence[str],
    seed: int = 0,
) -> Floats:
    """Return the mean pairwise cosines (draws,) of random sets with so many rows of each stratum.

    Parameters
    ----------
    unit
        Rows (n, d) of length 1.
    strata
        The rows of each stratum, a batch for example.
    taken
        How many rows of each a set has.
    draws, seed
        See `mean_cosine_nulls`.
    names
        The name of each stratum: with `taken` it keys the draws, so that they depend on nothing
        else.
    """
    run = get_backend()
    taken = checked_wholes(taken, "taken")
    check_whole(draws, "draws")
    stream = stratum_stream(names, taken)
    size = int(sum(taken))
    means = run.null_means(unit, strata, taken, [size], draws, seed=seed, stream=stream)
    return np.asarray(means[0])


def stratum_stream(names: Sequence[str], taken: Sequence[int]) -> int:
    """Return the stream of sets with so many rows of each stratum of these names."""
    return stream_of(*chain.from_iterable(zip(names, taken, strict=True)))
