"""Replicate consistency: whether wells of a perturbation are more alike than chance has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from wellgram.align import Alignment, BatchAffine, aligned_in_memory
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.protocol import Codes, Floats, Progress, Rows
from wellgram.distributed import Client, each, takes_client
from wellgram.errors import InputError, NotApplicable
from wellgram.input_kinds import check_wells
from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import BatchKind, Strata, batch_kinds, strata_of_null
from wellgram.metrics.dose_families import check_fdr, with_rates
from wellgram.metrics.exact_rows import exact_unit_rows
from wellgram.metrics.identical_rows import warn_of_identical_rows
from wellgram.metrics.replicates import (
    ReplicateResult,
    check_null,
    control_perturbations,
    negative_rows,
    tested_table,
)
from wellgram.metrics.shared_sets import SetRows, set_means, shared_scores
from wellgram.metrics.spilled_wells import AlignedWells, SpilledWells
from wellgram.nulls import (
    FDR,
    FamilyP,
    PForm,
    empirical_p,
    mean_angle_null,
    mean_angles,
    mean_cosine_nulls,
    stratified_null,
    stratum_stream,
)
from wellgram.stream import WellStream
from wellgram.wells import KEYS, WellLabels, Wells

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
    fdr: FDR = "flat",
    family_p: FamilyP = "simes",
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
        Take the random sets of all perturbations from the same shuffles: one of each batch and
        draw, of which a set has the beginning. Each null is what it would be, but nulls of two
        perturbations depend on each other. Much faster where perturbations differ in their batches
        or in their number of wells. For cosines alone.
    seed
        Same seed, same p-values.
    p_form
        ``"plus-one"``, or ``"share"`` for parity with efaar_benchmarking.
    fdr
        ``"flat"``: all tests are one family, by Benjamini and Hochberg. ``"hierarchical"``: doses
        of a compound are a family, and only those of families that are selected are tested; low
        doses, which do nothing, then cost the high ones less. Columns ``family_p_value`` and
        ``family_q_value`` come beside.
    family_p
        How the p-values of doses make that of their compound: see
        `wellgram.nulls.hierarchical_fdr`. ``"min"`` is copairs', which selects null compounds too
        often.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the null that is done.
    client
        A ``distributed.Client``, whose workers draw the random sets: see
        `wellgram.distributed.using`.

    Returns
    -------
    ConsistencyResult
        One row per perturbation. One with a single well has no score, and a reason. Rows of
        controls have a score, but are not tested against random sets: they are many wells, and
        what random sets are to be told from.

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
    check_fdr(fdr, [key for key in KEYS if key in wells.metadata])
    check_null(null, get_args(ConsistencyNull), negatives, draws)
    if measure not in get_args(Measure):
        raise InputError(f"unknown measure {measure!r}; choose cosine or angle")
    _, labels = replicates_of(wells)
    negative_rows(labels, negatives, null == "negatives")
    aligned = aligned_in_memory(wells, align)
    warn_of_identical_rows(aligned.embeddings, wells.metadata["well_id"].array)
    result = ScoredConsistency.of(aligned, measure).against(
        null,
        negatives=negatives,
        draws=draws,
        nested=nested,
        seed=seed,
        p_form=p_form,
        progress=progress,
    )
    return replace(result, table=with_rates(result.table, fdr, family_p))


def replicates_of(wells: WellLabels) -> tuple[Codes, pd.DataFrame]:
    """Return the row of the map that each well makes (n,), and the labels of the rows.

    Raises
    ------
    NotApplicable
        If no perturbation has two wells.
    """
    codes, labels = map_rows(wells)
    if labels["n_wells"].max() < 2:
        raise NotApplicable(
            f"none of the {len(labels):,} perturbations has two wells: there are no replicates"
        )
    return codes, labels


@dataclass(frozen=True)
class ScoredConsistency:
    """How alike the wells of each perturbation are: to be compared with one null or several."""

    wells: WellLabels
    measure: Measure
    codes: Codes
    """(n,) the perturbation of each well, -1 for none"""
    labels: pd.DataFrame
    rows: SetRows
    """The aligned wells, scaled to length 1"""
    scores: Floats
    """(p,) NaN for a perturbation of one well"""

    @classmethod
    def of(cls, wells: AlignedWells, measure: Measure = "cosine") -> "ScoredConsistency":
        """Score wells that are aligned; those in a file by their cosines alone."""
        codes, labels = replicates_of(wells)
        if isinstance(wells, SpilledWells):
            rows = SetRows(
                None,
                lambda some: exact_unit_rows(wells.take(some)),
                wells.features * wells.file.dtype.itemsize,
            )
            sums = np.zeros((len(labels), wells.features))
            for chunk in wells.chunks():
                unit = exact_unit_rows(chunk.rows)
                get_backend().group_sums(unit, codes[chunk.wells], len(labels), sums)
            scores = _mean_cosines_of_sums(sums, labels["n_wells"].to_numpy())
            return cls(wells, "cosine", codes, labels, rows, scores)
        unit = exact_unit_rows(wells.embeddings)
        rows = SetRows(unit, lambda some: unit[some], unit.strides[0])
        score = mean_angles if measure == "angle" else mean_cosines
        return cls(wells, measure, codes, labels, rows, score(unit, codes, len(labels)))

    def against(
        self,
        null: ConsistencyNull,
        *,
        negatives: Sequence[str] = (),
        draws: int = 10_000,
        nested: bool = False,
        seed: int = 0,
        p_form: PForm = "plus-one",
        progress: Progress | None = None,
    ) -> ConsistencyResult:
        """Compare the scores with a null: see `consistency`."""
        codes, labels, scores = self.codes, self.labels, self.scores
        counts = labels["n_wells"].to_numpy()
        is_negative = negative_rows(labels, negatives, null == "negatives")
        by_angle = self.measure == "angle"
        alike = -scores if by_angle else scores
        p = np.full(len(labels), np.nan)
        middle = p.copy()
        scored = ~np.isnan(scores) & ~is_negative
        controls = control_perturbations(self.wells, codes, len(labels)) & (null != "negatives")
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
            how = _Draws(draws, by_angle, seed, progress)
            strata, stratum = strata_of_null(null, self.wells, pool)
            kinds = batch_kinds(codes, stratum, scored)
            if nested and strata.whole and self.rows.at_hand is not None and not by_angle:
                backgrounds = _by_size(self._unit, pool, rows, counts, how, nested=True)
            elif nested and not by_angle:
                backgrounds = self._by_shared_draws(strata, kinds, how)
            elif strata.whole:
                backgrounds = _by_size(self._unit, pool, rows, counts, how)
            else:
                backgrounds = _by_batches(self._unit, strata, kinds, how)
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
        table = tested_table(labels, f"mean_{self.measure}", shown, p, middle, reason)
        return ConsistencyResult(table, said)

    @property
    def _unit(self) -> Rows:
        """The rows of all wells."""
        if self.rows.at_hand is None:
            return self.rows.some(np.arange(len(self.wells)))
        return self.rows.at_hand

    def _by_shared_draws(
        self, strata: Strata, kinds: Sequence[BatchKind], draws: "_Draws"
    ) -> Iterator[tuple[Codes, Floats]]:
        """Yield perturbations that have the same wells per batch, and the null of such sets."""
        for group, nulls in shared_scores(
            set_means, self.rows, strata, kinds, draws.count, draws.seed, draws.progress
        ):
            yield from zip((kind.members for kind in group.kinds), nulls, strict=True)


def mean_cosines(unit: Rows, codes: Codes, groups: int) -> Floats:
    """Return the mean cosine (g,) of all pairs of rows of each group; NaN for fewer than two.

    Rounded to 2^-40, as `Backend.null_means` is, so that equal sets have equal scores.
    """
    return _mean_cosines_of_sums(*get_backend().group_sums(unit, codes, groups))


def _mean_cosines_of_sums(sums: Floats, counts: Codes) -> Floats:
    """Return the same, from the sum (g, d) and the count (g,) of each group's rows."""
    k = np.where(counts < 2, np.nan, counts)
    means = (np.square(sums).sum(axis=1) - k) / (k * (k - 1))
    return np.asarray(np.rint(means * 2.0**40) / 2.0**40)


@dataclass(frozen=True)
class _Draws:
    """How random sets are drawn."""

    count: int
    by_angle: bool
    seed: int
    progress: Progress | None


def _by_size(
    unit: Rows, pool: Codes, rows: Codes, counts: Codes, draws: _Draws, *, nested: bool = False
) -> Iterator[tuple[Codes, Floats]]:
    """Yield those of some perturbations that have as many wells, and the null of such sets.

    Nested sets are those of `shared_scores` where wells are one stratum: many large ones are added
    up together.
    """
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
        nested=nested,
        seed=draws.seed,
        progress=draws.progress,
    )
    for size, null in nulls.items():
        yield rows[counts[rows] == size], null


def _by_batches(
    unit: Rows, strata: Strata, kinds: Sequence[BatchKind], draws: _Draws
) -> Iterator[tuple[Codes, Floats]]:
    """Yield perturbations that have the same wells per batch, and the null of sets that do."""
    pieces = [(kind.batches, kind.counts) for kind in kinds]
    shared = (unit, strata, replace(draws, progress=None))
    nulls = each(_null_of_kind, pieces, shared=shared, progress=draws.progress)
    for kind, null in zip(kinds, nulls, strict=True):
        yield kind.members, null


def _angles_of_size(size: int, unit: Rows, pool: Codes, draws: int, seed: int) -> Floats:
    return mean_angle_null(unit, [pool], [size], draws, seed=seed, stream=size)


def _null_of_kind(
    kind: tuple[tuple[int, ...], tuple[int, ...]], unit: Rows, strata: Strata, draws: _Draws
) -> Floats:
    """Return the null of sets with so many wells of each batch."""
    batches, counts = kind
    wells, names = [strata[b] for b in batches], [strata.names[b] for b in batches]
    if draws.by_angle:
        stream = stratum_stream(names, counts)
        return -mean_angle_null(unit, wells, counts, draws.count, seed=draws.seed, stream=stream)
    return stratified_null(unit, wells, counts, draws.count, names=names, seed=draws.seed)
