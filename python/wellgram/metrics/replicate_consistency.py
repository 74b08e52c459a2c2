"""Replicate consistency: whether wells of a perturbation are more alike than chance has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.distributed import Client, each, takes_client
from wellgram.errors import InputError, NotApplicable
from wellgram.input_kinds import check_wells
from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import BatchKind, Strata, batch_kinds, strata_of_null
from wellgram.metrics.identical_rows import warn_of_identical_rows
from wellgram.metrics.replicates import (
    ReplicateResult,
    aligned_rows,
    check_null,
    control_perturbations,
    negative_rows,
    tested_table,
)
from wellgram.nulls import (
    PForm,
    empirical_p,
    mean_angle_null,
    mean_angles,
    mean_cosine_nulls,
    stratified_null,
    stratum_stream,
)
from wellgram.stream import WellStream
from wellgram.wells import Wells

ConsistencyNull = Literal["batches", "permutation", "negatives"]
Measure = Literal["cosine", "angle"]

_MOST_PAIRED = 200
"""The most wells of a set for which a null of angles is drawn: the work grows with the square"""


class ConsistencyResult(ReplicateResult):
    """Consistency of each perturbation of a map.

    Columns of `table`: what names the perturbation; ``n_wells``; ``mean_cosine`` (or
    ``mean_angle``, in radians) of all pairs of its wells; ``p_value``, the share of the null as
    alike or more; ``q_value``, the false discovery
    rate; ``null_mean``; and ``reason``, why a row has no figures.
    """

    name = "Consistency"


@takes_client
@takes_backend
def consistency(
    wells: Wells | WellStream,
    align: Alignment | BatchAffine | None = None,
    *,
    null: ConsistencyNull = "batches",
    negatives: Sequence[str] = (),
    measure: Measure = "cosine",
    draws: int = 10_000,
    nested: bool = False,
    seed: int = 0,
    p_form: PForm = "plus-one",
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> ConsistencyResult:
    """Return how alike the wells of each perturbation are, and how often chance does as well.

    The score of a perturbation is the mean cosine of all pairs of its k wells. With the wells
    scaled to length 1 and their sum S it is ``(|S|^2 - k) / (k (k - 1))``, so no pair is ever made.

    Parameters
    ----------
    wells
        The wells; those in the map are scored, by the rows they make in it. A stream is read.
    align
        An alignment, fitted to these wells unless it has been before; None: as they are.
    null
        ``"batches"``: random sets of wells of the map, with as many wells of each batch. What a
        batch adds is in the null too, so it does not count as consistency. ``"permutation"``:
        random sets of as many wells, whatever their batches. Where the wells of a perturbation lie
        in few batches, what alignment left of batch effects then counts. ``"negatives"``:
        the scores of perturbations that do nothing, as
        ``efaar_benchmarking.benchmarking.pert_signal_consistency_benchmark`` has it.
    negatives
        Their labels, unexpressed genes for example. They are not scored themselves.
    measure
        ``"cosine"``, or ``"angle"`` for the mean angle, an older form of the score. That needs the
        pairs; perturbations of over 200 wells have no null of random sets then.
    draws
        How many sets per number of wells, or per set of batches.
    nested
        See `wellgram.nulls.mean_cosine_nulls`: faster where perturbations differ in their number of
        wells. For cosines alone.
    seed
        Same seed, same p-values.
    p_form
        ``"plus-one"``, or ``"share"`` for parity with efaar_benchmarking.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the null that is done.
    client
        A ``distributed.Client``, whose workers draw the random sets: see
        `wellgram.distributed.using`.

    Returns
    -------
    ConsistencyResult
        One row per perturbation. One with a single well has no score, and a reason. Rows of
        controls have a score, but are not tested against random sets.

    Raises
    ------
    InputError
        If no perturbation has two wells, the null or a label is unknown, or the seed is no whole
        number.

    Warns
    -----
    IdenticalRowsWarning
        If wells have the same embedding as another.
    """
    check_wells(wells)
    check_null(null, get_args(ConsistencyNull), negatives, draws)
    if measure not in get_args(Measure):
        raise InputError(f"unknown measure {measure!r}; choose cosine or angle")
    codes, labels = map_rows(wells)
    is_negative = negative_rows(labels, negatives, null == "negatives")
    counts = labels["n_wells"].to_numpy()
    if counts.max() < 2:
        raise NotApplicable(
            f"none of the {len(labels):,} perturbations has two wells: there are no replicates"
        )
    aligned = aligned_rows(wells, align)
    warn_of_identical_rows(aligned, wells.metadata["well_id"].array)
    unit, _ = get_backend().unit_rows(aligned)
    by_angle = measure == "angle"
    scores = (
        mean_angles(unit, codes, len(labels))
        if by_angle
        else mean_cosines(unit, codes, len(labels))
    )
    alike = -scores if by_angle else scores
    p = np.full(len(labels), np.nan)
    middle = p.copy()
    scored = ~np.isnan(scores) & ~is_negative
    controls = control_perturbations(wells, codes, len(labels)) & (null != "negatives")
    if null == "negatives":
        background = alike[is_negative & ~np.isnan(scores)]
        p[scored] = empirical_p(alike[scored], background, p_form)
        middle[scored] = background.mean()
        said = f"{len(background):,} perturbations that do nothing"
    else:
        scored &= ~controls
        if by_angle:
            scored &= counts <= _MOST_PAIRED
        pool, rows = np.flatnonzero(codes >= 0), np.flatnonzero(scored)
        how = _Draws(draws, nested, by_angle, seed, progress)
        strata, stratum = strata_of_null(null, wells, pool)
        backgrounds = (
            _by_size(unit, pool, rows, counts, how)
            if strata.whole
            else _by_batches(unit, strata, batch_kinds(codes, stratum, scored), how)
        )
        for members, background in backgrounds:
            p[members] = empirical_p(alike[members], background, p_form)
            middle[members] = background.mean()
        said = strata.words(draws)
    reason = np.select(
        [counts < 2, is_negative, controls, ~scored],
        ["one well", "in the null", "controls", "too many wells for a null of angles"],
        "",
    )
    if by_angle:
        shown, middle = scores, -middle
    else:  # those of equal wells may be past 1
        shown, middle = np.clip(scores, -1, 1), np.clip(middle, -1, 1)
    table = tested_table(labels, f"mean_{measure}", shown, p, middle, reason)
    return ConsistencyResult(table, said)


def mean_cosines(unit: Rows, codes: Codes, groups: int) -> Floats:
    """Return the mean cosine (g,) of all pairs of rows of each group; NaN for fewer than two.

    Rounded to 2^-40, as `Backend.null_means` is, so that equal sets have equal scores.
    """
    sums, counts = get_backend().group_sums(unit, codes, groups)
    k = np.where(counts < 2, np.nan, counts)
    means = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
    return np.asarray(np.rint(means * 2.0**40) / 2.0**40)


@dataclass(frozen=True)
class _Draws:
    """How random sets are drawn."""

    count: int
    nested: bool
    by_angle: bool
    seed: int
    progress: Progress | None


def _by_size(
    unit: Rows, pool: Codes, rows: Codes, counts: Codes, draws: _Draws
) -> Iterator[tuple[Codes, Floats]]:
    """Yield those of some perturbations that have as many wells, and the null of such sets."""
    sizes = np.unique(counts[rows]).tolist()
    if draws.by_angle:
        shared = (unit, pool, draws.count, draws.seed)
        found = each(_angles_of_size, sizes, shared=shared, progress=draws.progress)
        for size, null in zip(sizes, found, strict=True):
            yield rows[counts[rows] == size], -null
        return
    nulls = mean_cosine_nulls(
        unit,
        sizes,
        draws.count,
        pool=pool,
        nested=draws.nested,
        seed=draws.seed,
        progress=draws.progress,
    )
    for size, null in nulls.items():
        yield rows[counts[rows] == size], null


def _by_batches(
    unit: Rows, strata: Strata, kinds: Sequence[BatchKind], draws: _Draws
) -> Iterator[tuple[Codes, Floats]]:
    """Yield perturbations that have the same wells per batch, and the null of sets that do."""
    together: dict[object, list[BatchKind]] = {}
    for number, kind in enumerate(kinds):
        nests = draws.nested and not draws.by_angle and len(kind.batches) == 1
        together.setdefault(kind.batches if nests else number, []).append(kind)
    pieces = [[(kind.batches, kind.counts) for kind in some] for some in together.values()]
    shared = (unit, strata, replace(draws, progress=None))
    nulls = each(_nulls_of_kinds, pieces, shared=shared, progress=draws.progress)
    for some, of_each in zip(together.values(), nulls, strict=True):
        for kind, null in zip(some, of_each, strict=True):
            yield kind.members, null


def _angles_of_size(size: int, unit: Rows, pool: Codes, draws: int, seed: int) -> Floats:
    return mean_angle_null(unit, [pool], [size], draws, seed=seed, stream=size)


def _nulls_of_kinds(
    kinds: Sequence[tuple[tuple[int, ...], tuple[int, ...]]],
    unit: Rows,
    strata: Strata,
    draws: _Draws,
) -> list[Floats]:
    """Return the null of sets with so many wells of each batch: of one kind, or of some that nest.

    Those that nest are of one batch: the smaller sets are the beginnings of the larger.
    """
    batches, counts = kinds[0]
    wells, names = [strata[b] for b in batches], [strata.names[b] for b in batches]
    count, seed = draws.count, draws.seed
    if draws.by_angle:
        stream = stratum_stream(names, counts)
        return [-mean_angle_null(unit, wells, counts, count, seed=seed, stream=stream)]
    if len(kinds) == 1:
        return [stratified_null(unit, wells, counts, count, names=names, seed=seed)]
    sizes = [size for _, (size,) in kinds]
    nulls = mean_cosine_nulls(
        unit, sizes, count, pool=wells[0], nested=True, seed=seed, stream=stratum_stream(names, [0])
    )
    return [nulls[size] for size in sizes]
