"""Magnitude: how far the wells of a perturbation lie from the controls."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wellgram.align import Alignment, BatchAffine, aligned_in_memory
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.checks import check_draws
from wellgram.backends.moments import amid
from wellgram.backends.number_checks import check_whole
from wellgram.backends.progress import part_of
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.distributed import Client, each, takes_client
from wellgram.errors import InputError, NotApplicable
from wellgram.input_kinds import check_wells
from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import BatchKind, Strata, batch_kinds, strata_of_null
from wellgram.metrics.dose_families import check_fdr, with_rates
from wellgram.metrics.energy_terms import energy_of_means
from wellgram.metrics.replicates import (
    ReplicateResult,
    check_null,
    control_perturbations,
    negative_rows,
    tested_table,
)
from wellgram.metrics.shared_sets import SetDistances, SetRows, shared_scores
from wellgram.metrics.spilled_wells import AlignedWells
from wellgram.nulls import (
    FDR,
    FamilyP,
    PForm,
    empirical_p,
    random_subsets,
    stratum_stream,
    stream_of,
)
from wellgram.stream import WellStream
from wellgram.wells import KEYS, WellLabels, Wells

MagnitudeNull = Literal["batches", "permutation", "negatives"]

_CHUNK_ROWS = 1 << 15
"""How many wells of random sets are put together at a time"""
_ROWS_AT_ONCE = 1 << 15
"""How many wells are taken at a time"""
_ROUNDED = 2.0**-20
"""Of distances, so much is rounded away where they are made in float32"""


class MagnitudeResult(ReplicateResult):
    """How far each perturbation of a map is from the controls.

    Columns of `table`: what names the perturbation; ``n_wells``; ``energy_distance``; ``p_value``,
    the share of the null as far or farther; ``q_value``, the false discovery rate; ``null_mean``;
    and ``reason``, why a figure is missing.
    """

    name = "Magnitude"


@takes_client
@takes_backend
def magnitude(
    wells: Wells | WellStream,
    align: Alignment | BatchAffine | None = None,
    *,
    null: MagnitudeNull = "batches",
    negatives: Sequence[str] = (),
    min_wells: int = 5,
    max_controls: int = 1000,
    max_wells: int = 1000,
    draws: int = 1000,
    nested: bool = False,
    seed: int = 0,
    p_form: PForm = "plus-one",
    fdr: FDR = "flat",
    family_p: FamilyP = "simes",
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> MagnitudeResult:
    """Return the energy distance of each perturbation from the controls, and how rare it is.

    ``2 E|x - y| - E|x - x'| - E|y - y'|``, x the wells of a perturbation and y controls, over all
    pairs, a well with itself too (Szekely and Rizzo's V-statistic). This is twice geomloss'
    ``SamplesLoss("energy")``, as ``pert_signal_magnitude_benchmark`` of efaar_benchmarking has it.
    Distances are added up as they are made and never stored.

    Parameters
    ----------
    wells
        The wells; those in the map are scored, by the rows they make in it. A stream is read.
    align
        An alignment, fitted to these wells unless it has been before; None: as they are.
    null
        ``"batches"``: random sets with as many wells of each batch, controls left out, so that a
        batch that lies far from the controls is far in the null too; it takes a null for each
        number of wells per batch. ``"permutation"``: random sets of as many wells of the map, which
        is several times as fast. What alignment left of batch effects then counts as magnitude,
        where the wells of a perturbation lie in few batches. ``"negatives"``: the distances of
        perturbations that do nothing.
    negatives
        Their labels, unexpressed genes for example. They are not scored themselves.
    min_wells
        Perturbations with fewer wells are not scored; 5 as in efaar_benchmarking.
    max_controls
        How many control wells to compare with, drawn at random if there are more.
    max_wells
        Perturbations with more wells have no permutation null: the work grows with the square.
    draws
        How many random sets for each number of wells, or of wells per batch.
    nested
        Take the random sets of all perturbations from the same shuffles: one of each batch and
        draw, of which a set has the beginning. Each null is what it would be, but nulls of two
        perturbations depend on each other. Several times as fast; of float32 wells, distances in
        random sets are then made in float32.
    seed
        Same seed, same controls and same sets.
    p_form
        ``"plus-one"``, or ``"share-above"`` for parity with efaar_benchmarking.
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
        See `wellgram.set_backend`; called now and then with the share of the distances to the
        controls that is done.
    client
        A ``distributed.Client``, whose workers draw the random sets: see
        `wellgram.distributed.using`.

    Raises
    ------
    InputError
        If there is no control well, no perturbation has enough wells, the null or a label is
        unknown, or the seed is no whole number.
    """
    check_wells(wells)
    check_fdr(fdr, [key for key in KEYS if key in wells.metadata])
    check_null(null, get_args(MagnitudeNull), negatives, draws)
    check_whole(max_wells, "max_wells")
    scorable(wells, min_wells, max_controls)
    negative_rows(map_rows(wells)[1], negatives, null == "negatives")
    aligned = aligned_in_memory(wells, align)
    scored = ScoredMagnitude.of(
        aligned, min_wells=min_wells, max_controls=max_controls, seed=seed, progress=progress
    )
    result = scored.against(
        null,
        negatives=negatives,
        max_wells=max_wells,
        draws=draws,
        nested=nested,
        seed=seed,
        p_form=p_form,
    )
    return replace(result, table=with_rates(result.table, fdr, family_p))


def scorable(wells: WellLabels, min_wells: int, max_controls: int) -> NDArray[np.bool_]:
    """Return which rows of the map (p,) have a magnitude.

    Raises
    ------
    InputError
        If a number is below 1.
    NotApplicable
        If there is no control well, or no perturbation has enough wells.
    """
    for name, value in (("min_wells", min_wells), ("max_controls", max_controls)):
        check_whole(value, name)
        if value < 1:
            raise InputError(f"{name} must be 1 or more, not {value}")
    codes, labels = map_rows(wells)
    if not wells.metadata["is_control"].to_numpy(bool).any():
        raise NotApplicable(
            "there is no control well to measure from; name the controls (control=)"
        )
    counts = labels["n_wells"].to_numpy()
    scored = (counts >= min_wells) & ~control_perturbations(wells, codes, len(labels))
    if not scored.any():
        raise NotApplicable(
            f"none of the {len(labels):,} perturbations has {min_wells} wells; lower min_wells"
        )
    return np.asarray(scored)


@dataclass(frozen=True)
class ScoredMagnitude:
    """How far each perturbation is from the controls: to be compared with one null or several."""

    wells: WellLabels
    min_wells: int
    distances: "_Distances"
    energy: Floats
    """(p,) NaN for a perturbation that is not scored"""

    @classmethod
    def of(
        cls,
        wells: AlignedWells,
        *,
        min_wells: int = 5,
        max_controls: int = 1000,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> "ScoredMagnitude":
        """Score wells that are aligned."""
        scored = scorable(wells, min_wells, max_controls)
        codes, labels = map_rows(wells)
        is_control = wells.metadata["is_control"].to_numpy(bool)
        measured = np.flatnonzero((codes >= 0) & ~is_control)
        distances = _Distances.to(
            wells, np.flatnonzero(is_control), measured, max_controls, seed, progress
        )
        of_scored = np.where((codes >= 0) & scored[codes], codes, -1)
        return cls(wells, min_wells, distances, distances.of_groups(of_scored, len(labels)))

    def against(
        self,
        null: MagnitudeNull,
        *,
        negatives: Sequence[str] = (),
        max_wells: int = 1000,
        draws: int = 1000,
        nested: bool = False,
        seed: int = 0,
        p_form: PForm = "plus-one",
        progress: Progress | None = None,
    ) -> MagnitudeResult:
        """Compare the scores with a null: see `magnitude`."""
        codes, labels = map_rows(self.wells)
        counts, energy = labels["n_wells"].to_numpy(), self.energy
        holds_controls = control_perturbations(self.wells, codes, len(labels))
        is_negative = negative_rows(labels, negatives, null == "negatives")
        scored = (counts >= self.min_wells) & ~holds_controls
        p, middle = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
        tested = scored & ~is_negative
        if null == "negatives":
            background = energy[is_negative & scored]
            if not len(background):
                raise NotApplicable(
                    f"no negative control has {self.min_wells} wells; lower min_wells"
                )
            p[tested] = empirical_p(energy[tested], background, p_form)
            middle[tested] = background.mean()
            said = f"{len(background):,} perturbations that do nothing"
        else:
            tested &= counts <= max_wells
            is_control = self.wells.metadata["is_control"].to_numpy(bool)
            pool = np.flatnonzero((codes >= 0) & ~is_control)
            strata, stratum = strata_of_null(null, self.wells, pool)
            kinds = batch_kinds(codes, stratum, tested)
            backgrounds: Iterable[tuple[Codes, Floats]]
            if nested:
                backgrounds = self.distances.of_shared_sets(strata, kinds, draws, seed, progress)
                # Distances of random sets are made in float32: equal sets tie with their score.
                margin = _ROUNDED * self.distances.spread
                compared = energy + (margin if p_form.endswith("above") else -margin)
            else:
                pieces = [(kind.batches, kind.counts) for kind in kinds]
                shared = (self.distances, strata, draws, seed)
                nulls = each(_null_of_kind, pieces, shared=shared, progress=progress)
                backgrounds = zip((kind.members for kind in kinds), nulls, strict=True)
                compared = energy
            for members, background in backgrounds:
                p[members] = empirical_p(compared[members], background, p_form)
                middle[members] = background.mean()
            said = strata.words(draws)
        reason = np.select(
            [holds_controls, counts < self.min_wells, is_negative, ~tested],
            ["controls", "too few wells", "in the null", "too many wells for a permutation null"],
            "",
        )
        table = tested_table(labels, "energy_distance", energy, p, middle, reason)
        return MagnitudeResult(table, said)


@dataclass(frozen=True)
class _Distances:
    """The mean distance of each well from the controls, and of these from each other."""

    wells: AlignedWells
    centre: Floats
    """A point amid the controls"""
    from_controls: Floats
    """(n,) NaN for wells that are not in the map, and for controls"""
    within_controls: float

    @classmethod
    def to(
        cls,
        wells: AlignedWells,
        controls: Codes,
        measured: Codes,
        most: int,
        seed: int,
        progress: Progress | None,
    ) -> "_Distances":
        """Measure wells from the controls, or from some of them where there are too many."""
        run = get_backend()
        if len(controls) > most:
            drawn = random_subsets(len(controls), most, 1, seed=seed, stream=stream_of("controls"))
            controls = controls[np.sort(drawn[0])]
        chosen = wells.take(controls)
        m = len(chosen)
        within = run.group_distances(chosen, np.zeros(m, np.int64), 1)[0] * 2 / m**2
        far = np.full(len(wells), np.nan)
        for first in range(0, len(measured), _ROWS_AT_ONCE):
            some = measured[first : first + _ROWS_AT_ONCE]
            share = part_of(progress, first / len(measured), len(some) / len(measured))
            far[some] = run.distance_sums(wells.take(some), chosen, share) / m
        return cls(wells, amid(chosen), far, float(within))

    @property
    def row_bytes(self) -> int:
        """How large a row is."""
        rows = self.wells.embeddings if isinstance(self.wells, Wells) else self.wells.file
        return self.wells.features * rows.dtype.itemsize

    @property
    def spread(self) -> float:
        """How far wells are from the controls, on average."""
        return float(np.nanmean(self.from_controls))

    def of_groups(self, codes: Codes, groups: int) -> Floats:
        """Return the energy distance (g,) of each group of wells."""
        within = np.zeros(groups)
        counts = np.bincount(codes[codes >= 0], minlength=groups)
        order = np.argsort(codes, kind="stable")[len(codes) - counts.sum() :]
        ends = np.cumsum(counts)
        begin = 0
        while begin < groups:  # some groups whose wells come together, one at least
            done = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, done + _ROWS_AT_ONCE, side="right")))
            some = order[done : ends[end - 1]]
            if len(some):
                own = codes[some] - begin
                within[begin:end] = get_backend().group_distances(
                    self.wells.take(some), own, end - begin
                )
            begin = end
        return self._energy(self.from_controls, codes, within, groups)

    def of_shared_sets(
        self,
        strata: Strata,
        kinds: Sequence[BatchKind],
        draws: int,
        seed: int,
        progress: Progress | None,
    ) -> Iterator[tuple[Codes, Floats]]:
        """Yield perturbations with the same wells per batch, and the energies of such sets."""
        held = self.wells.embeddings if isinstance(self.wells, Wells) else None
        rows = SetRows(held, self.wells.take, self.row_bytes)
        score = SetDistances(self.centre)
        for group, sums in shared_scores(score, rows, strata, kinds, draws, seed, progress):
            far = group.sums_of(self.from_controls, draws, seed)
            for kind, within, cross in zip(group.kinds, sums, far, strict=True):
                size = sum(kind.counts)
                means = cross / size, 2 * within / size**2
                energy = energy_of_means(*means, self.within_controls)
                yield kind.members, _finite(energy)

    def of_random_sets(
        self, pools: Sequence[Codes], taken: Sequence[int], draws: int, seed: int, stream: int
    ) -> Floats:
        """Return the energy distances (draws,) of random sets, so many wells of each pool."""
        check_draws(draws, 3 * 8 * sum(taken))  # places, and the wells there, by pool and joined
        drawn = get_backend().random_subsets(
            [len(pool) for pool in pools], taken, draws, seed=seed, stream=stream
        )
        parts = np.split(drawn, np.cumsum(taken)[:-1], axis=1)
        sets = np.concatenate([pool[part] for pool, part in zip(pools, parts, strict=True)], axis=1)
        size = sets.shape[1]
        step = max(1, _CHUNK_ROWS // size)
        found = []
        for first in range(0, draws, step):
            some = sets[first : first + step]
            codes = np.repeat(np.arange(len(some)), size)
            rows = self.wells.take(some.ravel())
            within = get_backend().group_distances(rows, codes, len(some))
            far = self.from_controls[some.ravel()]
            found.append(self._energy(far, codes, within, len(some)))
        return np.concatenate(found)

    def _energy(self, far: Floats, codes: Codes, within: Floats, groups: int) -> Floats:
        there = codes >= 0
        counts = np.bincount(codes[there], minlength=groups)
        with np.errstate(invalid="ignore"):  # a group that is not scored: 0 / 0
            cross = np.bincount(codes[there], far[there], groups) / counts
            energy = energy_of_means(cross, 2 * within / counts**2, self.within_controls)
        _finite(energy[counts > 0])
        return energy


def _finite(energy: Floats) -> Floats:
    """Return energies; raise unless all are finite."""
    if not np.isfinite(energy).all():
        raise InputError(
            "sums of distances are beyond the range of float64; divide the embeddings by a constant"
        )
    return energy


def _null_of_kind(
    kind: tuple[tuple[int, ...], tuple[int, ...]],
    distances: _Distances,
    strata: Strata,
    draws: int,
    seed: int,
) -> Floats:
    """Return the null of sets with so many wells of each batch."""
    batches, counts = kind
    names = [strata.names[b] for b in batches]
    # Of a pool that is one stratum, the size alone names the draws.
    stream = counts[0] if strata.whole else stratum_stream(names, counts)
    return distances.of_random_sets([strata[b] for b in batches], counts, draws, seed, stream)
