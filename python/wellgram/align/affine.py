"""Affine maps of batches: what all linear alignments are once they are fitted.

Maps are applied in turn, composed on paper where that makes them no larger, and stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from wellgram.align.sample import Labels, Sample, as_sample, check_width
from wellgram.align.storage import load_maps, save_maps
from wellgram.backends import get_backend, named_backend, takes_backend
from wellgram.backends.checks import as_out
from wellgram.backends.long_calls import interruptible
from wellgram.backends.protocol import AffineMaps, Codes, Floats, GroupMoments, Moments, Rows
from wellgram.errors import InputError
from wellgram.stream import WellStream
from wellgram.wells import WellLabels, Wells

AnySample = TypeVar("AnySample", bound=Sample)
AnyWells = TypeVar("AnyWells", bound=WellLabels)

_CHUNK_ROWS = 1 << 12
"""How many rows go through several maps at a time: what they become then stays in cache"""

_TINY = 2.0**-100
"""Of factors that float32 holds in full, with some room"""

_CANCELLED = 2.0**-8
"""What at least is left along a direction, so that float32 keeps 16 of its 24 bits"""


@dataclass(frozen=True, repr=False)
class BatchAffine:
    """An affine map for each batch: the identity and a correction of low rank, or dense.

    Each of `maps` has the form of `AffineMaps`, and they are applied in turn. Where `pooled`, the
    last map of each is fitted on all batches, for the batches that were not there at fit.
    """

    batches: tuple[str, ...] | None
    """The names; None for one map for all rows, of whatever batch"""
    maps: tuple[AffineMaps, ...]
    fitted_on: Codes
    """The number of wells it was fitted on, per batch"""
    pooled: bool = False
    pooled_for: tuple[str, ...] = ()
    """The batches that have the pooled map, for they had too few wells to be fitted on"""

    @property
    def is_fitted(self) -> bool:
        """Whether it has been fitted, as an alignment has it: always."""
        return True

    @property
    def inputs(self) -> int:
        """How many features d it takes."""
        return len(self.maps[0].shift)

    @property
    def features(self) -> int:
        """How many features k it returns."""
        return self.maps[-1].features

    def codes(self, wells: WellLabels) -> Codes:
        """Return the map of each well, an index.

        Raises
        ------
        InputError
            If a batch was not there at fit, and no pooled map is; or the features are not those of
            the fit.
        """
        check_width(wells.features, self.inputs)
        codes, names = wells.batches()
        return self.codes_of(codes, names)

    def codes_of(self, codes: Codes, names: Sequence[str] | None) -> Codes:
        """Return the map of each row, given its batch's place among names."""
        if self.batches is None:
            return np.zeros(len(codes), np.int64)
        place = {name: b for b, name in enumerate(self.batches)}
        unseen = [name for name in names or ["all wells"] if name not in place]
        if unseen and not self.pooled:
            raise InputError(
                f"{len(unseen)} batches were not there when the alignment was fitted "
                f"(first: {unseen[0]!r}); fit it on wells that include them, or with "
                "unseen='pooled'"
            )
        return np.array([place.get(n, len(place)) for n in names or ["all wells"]], np.int64)[codes]

    @takes_backend
    def apply(
        self, x: Rows, codes: Codes, *, out: Rows | None = None, backend: str | None = None
    ) -> Rows:
        """Return rows x (n, d) by the maps `codes` (n,): (n, k) in the type of x.

        Parameters
        ----------
        x, codes
            The rows, and the map of each as `codes` returns it; -1 makes a row of NaN.
        out
            Where they go; x itself where k is d.
        backend
            See `wellgram.set_backend`.
        """
        run = get_backend()
        in_float64 = self._needs_float64 and x.dtype != np.float64
        if len(self.maps) == 1 and not in_float64:
            y = run.apply_affine(x, codes, self.maps[0], out)
        else:
            y = as_out(out, x, self.maps[-1])
            for first in range(0, len(x), _CHUNK_ROWS):
                rows = slice(first, first + _CHUNK_ROWS)
                chunk = x[rows].astype(np.float64) if in_float64 else x[rows]
                self._put(chunk, codes[rows], y[rows])
        faulty = np.flatnonzero(run.row_faults(y)[0] & (codes >= 0))
        if len(faulty):
            self._mend(x, codes, y, faulty)
        return y

    def _put(self, chunk: Rows, codes: Codes, y: Rows) -> None:
        """Put rows by the maps into y."""
        for step in self.maps:
            chunk = get_backend().apply_affine(chunk, codes, step)
        with np.errstate(over="ignore"):
            y[...] = chunk

    def _mend(self, x: Rows, codes: Codes, y: Rows, faulty: Codes) -> None:
        """Make rows of y that are not finite anew in float64; raise if they cannot be represented.

        Rows that were not finite before stay as they are.
        """
        if not np.may_share_memory(x, y):
            faulty = faulty[np.isfinite(x[faulty]).all(axis=1)]
            mended = np.empty_like(y[faulty])
            self._put(x[faulty].astype(np.float64), codes[faulty], mended)
            y[faulty] = mended
        wrong = ~np.isfinite(y[faulty])
        if wrong.any():
            raise InputError(
                f"feature {wrong.any(axis=0).argmax()} of aligned rows cannot be represented in "
                f"{y.dtype}: it is beyond {np.finfo(y.dtype).max:.2g} in "
                f"{int(wrong.any(axis=1).sum())} rows; divide the features by a constant, or "
                "look for one that hardly varies among the controls"
            )

    @cached_property
    def _needs_float64(self) -> bool:
        """Whether float32 cannot hold the maps, or most digits would cancel in it."""
        return any(_is_tiny(step) or _cancels(step) for step in self.maps)

    def of_units(self, unit: Floats | float, keeps_units: bool) -> "BatchAffine":
        """Return the map of rows that are divided by a unit first; and multiplied by it, if kept.

        Units are powers of two, so this rounds nothing.
        """
        batches, d = len(self.maps[0].offset), self.inputs
        nothing, units = np.zeros((batches, d)), np.broadcast_to(unit, (batches, d))
        before = diagonal_maps(np.zeros(d), nothing, 1 / units)
        after = (diagonal_maps(np.zeros(d), nothing, units.copy()),) if keeps_units else ()
        return replace(self, maps=(before, *self.maps, *after))

    @overload
    def transform(
        self, x: WellStream, *, batch: None = None, backend: str | None = None
    ) -> WellStream: ...
    @overload
    def transform(
        self, x: Wells | Rows, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows: ...
    @takes_backend
    def transform(
        self, x: Any, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows | WellStream:
        """Return the embeddings of wells, or rows with the labels of their batches, aligned.

        Of a stream, the stream of aligned wells, which are made as they are read.
        """
        aligned: Rows | WellStream = self.apply_sample(as_sample(x, batch, None)).content
        return aligned

    @overload
    def aligned(
        self, x: AnyWells, *, batch: None = None, backend: str | None = None
    ) -> AnyWells: ...
    @overload
    def aligned(
        self, x: ArrayLike, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows: ...
    @takes_backend
    def aligned(self, x: Any, *, batch: Labels | None = None, backend: str | None = None) -> Any:
        """Return what is given aligned, as the kind it is: see `Alignment.aligned`."""
        return self.apply_sample(as_sample(x, batch, None)).as_given

    def apply_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned.

        A stream is aligned when it is read, after this call: its chunks then run on the backend
        that is named now.
        """
        check_width(sample.width, self.inputs)
        codes = self.codes_of(sample.codes, sample.names)
        backend = named_backend()
        return sample.mapped(
            lambda rows, codes: self.apply(rows, codes, backend=backend), codes, self.features
        )

    def matrix(self, b: int) -> tuple[Floats, Floats]:
        """Return the map of batch b as A (d, k) and c (k,): a row x becomes x A + c."""
        a, c = np.eye(self.inputs), np.zeros(self.inputs)
        for step in self.maps:
            a, c = _apply(a, step, b), _apply(c - step.shift, step, b, step.offset[b])
        return a, c

    def condition(self) -> Floats:
        """Return for each map (b,) how much more it stretches one direction than another, at most.

        The product of the condition numbers of its parts: a bound on that of the whole, which says
        how many digits of an embedding may be lost.
        """
        found = np.ones(len(self.maps[0].offset))
        for step in self.maps:
            if step.basis is not None:
                found *= interruptible(self.inputs, np.linalg.cond, step.basis)
            found *= [_own_condition(step, b) for b in range(len(found))]
        return found

    def moments(self, raw: GroupMoments) -> GroupMoments:
        """Return the moments of rows aligned, from those of the raw rows of each batch."""
        groups = []
        for b in range(len(raw.counts)):
            group = raw[b]
            for step in self.maps:
                group = _pushed(group, step, 0 if self.batches is None else b)
            if group.is_rows and raw.kept == "smaller" and group.count >= self.features:
                group = Moments(group.count, group.mean, group.scatter(), False)
            groups.append(group)
        means = np.array([group.mean for group in groups])
        return GroupMoments(raw.counts, means, [group.spread for group in groups], raw.kept)

    def then(self, after: "BatchAffine") -> "BatchAffine":
        """Return the map that applies this one, then the other, of the same batches or of none.

        Raises
        ------
        InputError
            If both have batches and those differ.
        """
        first, second = self, after
        if first.batches is None:
            first = first._repeated(second)
        elif second.batches is None:
            second = second._repeated(first)
        if (first.batches, first.pooled) != (second.batches, second.pooled):
            raise InputError(
                "alignments that follow each other must be fitted on the same batches, and treat "
                "unseen ones (unseen=) alike"
            )
        maps = list(first.maps)
        for step in second.maps:
            merged = _merged(maps[-1], step)
            maps[-1:] = [merged] if merged is not None else [maps[-1], step]
        either = {*first.pooled_for, *second.pooled_for}
        pooled_for = tuple(name for name in second.batches or () if name in either)
        return BatchAffine(second.batches, tuple(maps), second.fitted_on, second.pooled, pooled_for)

    def _repeated(self, like: "BatchAffine") -> "BatchAffine":
        """Return one map for all as one for each of another's batches."""
        count = len(like.maps[0].offset)
        maps = (
            AffineMaps(
                step.shift,
                step.basis,
                np.repeat(step.offset, count, axis=0),
                np.repeat(step.scale, count, axis=0),
                step.factors * count,
                step.gains * count,
            )
            for step in self.maps
        )
        return BatchAffine(like.batches, tuple(maps), like.fitted_on, like.pooled)

    def save(self, path: str | Path) -> None:
        """Write the maps as a NumPy archive (.npz), with a checksum of all that is in it."""
        about = {
            "batches": None if self.batches is None else list(self.batches),
            "pooled": self.pooled,
            "pooled_for": list(self.pooled_for),
        }
        save_maps(path, self.maps, {"fitted_on": self.fitted_on}, about)

    @classmethod
    def load(cls, path: str | Path) -> "BatchAffine":
        """Read what `save` wrote.

        Raises
        ------
        InputError
            If the file is something else, of another version, or damaged.
        """
        maps, arrays, about = load_maps(path)
        batches = None if about["batches"] is None else tuple(about["batches"])
        pooled_for = tuple(about["pooled_for"])
        return cls(batches, maps, arrays["fitted_on"], about["pooled"], pooled_for)

    def __repr__(self) -> str:
        few, d = np.isin(self.batches or ("",), self.pooled_for), self.inputs
        least = int(self.fitted_on.sum() if few.all() else self.fitted_on[~few].min())
        batches = "no batches" if self.batches is None else f"{len(self.batches):,} batches"
        batches += f", {int(few.sum()):,} of them by the pooled map" if few.any() else ""
        return (
            f"BatchAffine({batches}, {d} -> {self.features} features, fitted on {least:,} wells in "
            f"the smallest batch, {least / d:.2g} per feature, condition up to "
            f"{self.condition().max():.2g})"
        )


def _pushed(group: Moments, step: AffineMaps, b: int) -> Moments:
    """Return the moments of rows by a map, of those before."""
    mean = _apply(group.mean - step.shift, step, b, step.offset[b])
    if group.spread.ndim == 1:
        if step.basis is not None or step.factors[b].shape[1]:
            raise ValueError("variances alone do not tell those of mixed features")
        return Moments(group.count, mean, group.spread * np.square(step.scale[b]), False)
    return group.mapped(mean, lambda rows: _apply(rows, step, b))


def _apply(rows: Floats, step: AffineMaps, b: int, offset: Floats | float = 0.0) -> Floats:
    """Return shifted rows by a map in float64; its linear part alone for an offset of 0."""
    z = (rows if step.basis is None else rows @ step.basis) - offset
    factor = step.factors[b]
    moved: Floats = z * step.scale[b] + ((z @ factor) * step.gains[b]) @ factor.T
    return moved


def _is_tiny(step: AffineMaps) -> bool:
    """Whether float32 would round what a map multiplies by to few digits, or to zero."""
    sizes = np.abs(step.scale)
    basis = 1.0 if step.basis is None else np.abs(step.basis).max(initial=0)
    return bool(((sizes > 0) & (sizes < _TINY)).any() or 0 < basis < _TINY)


def _cancels(step: AffineMaps) -> bool:
    """Whether a map takes along some direction nearly all off again that its scale puts there."""
    return any(
        bool((gains < (_CANCELLED - 1) * scale.max()).any())
        for scale, gains in zip(step.scale, step.gains, strict=True)
        if len(gains)
    )


def _own_condition(step: AffineMaps, b: int) -> float:
    """Return the condition number of diag(scale) + factor diag(gain) factor' of a batch."""
    scale, factor, gain = step.scale[b], step.factors[b], step.gains[b]
    k, rank = factor.shape
    if rank == 0:
        values = scale
    elif (scale == scale[0]).all() and _looks_orthonormal(factor):
        values = np.concatenate([scale[0] + gain, scale[: k > rank]])
    else:
        values = np.linalg.eigvalsh(np.diag(scale) + (factor * gain) @ factor.T)
    sizes = np.abs(values)
    with np.errstate(divide="ignore"):  # a map that flattens a direction
        return float(sizes.max() / sizes.min())


def _looks_orthonormal(factor: Floats) -> bool:
    """Whether columns have length 1 and one mix of them has the length it then must have."""
    mix = np.cos(np.arange(factor.shape[1]))  # of no structure that columns are likely to share
    lengths = np.square(factor).sum(axis=0)
    return bool(
        np.allclose(lengths, 1) and np.allclose(factor.T @ (factor @ mix), mix, rtol=0, atol=1e-8)
    )


def _merged(first: AffineMaps, second: AffineMaps) -> AffineMaps | None:
    """Return the two as one where that is no larger than they are, else None."""
    if any(factor.shape[1] for factor in first.factors):
        return None
    mixes = any(factor.shape[1] for factor in second.factors)
    if second.basis is None and (first.scale != 0).all() and (_is_even(first) or not mixes):
        # (z - o) s then (. - t - p) S  is  (z - o - (t + p) / s) s S, and S may mix features if s
        # is one number per batch.
        offset = first.offset + (second.shift + second.offset) / first.scale
        gains = tuple(g * s[0] for g, s in zip(second.gains, first.scale, strict=True))
        scale = first.scale * second.scale
        return AffineMaps(first.shift, first.basis, offset, scale, second.factors, gains)
    if _is_shared(first) and not (first.basis is None and second.basis is None):
        scale, offset = first.scale[0], first.offset[0]
        mixed = np.diag(scale) if second.basis is None else scale[:, None] * second.basis
        basis = mixed if first.basis is None else first.basis @ mixed
        inner = second.shift + offset * scale
        moved = inner if second.basis is None else inner @ second.basis
        return AffineMaps(
            first.shift, basis, second.offset + moved, second.scale, second.factors, second.gains
        )
    return None


def _is_even(step: AffineMaps) -> bool:
    """Whether each batch has one scale for all features."""
    return bool((step.scale == step.scale[:, :1]).all())


def _is_shared(step: AffineMaps) -> bool:
    """Whether a map without factors is the same for all batches."""
    return bool((step.scale == step.scale[:1]).all() and (step.offset == step.offset[:1]).all())


def diagonal_maps(shift: Floats, offset: Floats, scale: Floats) -> AffineMaps:
    """Return maps that move and scale each feature."""
    batches, k = offset.shape
    none = (np.empty((k, 0)),) * batches
    return AffineMaps(shift, None, offset, scale, none, (np.empty(0),) * batches)


def shared_maps(
    batches: int, shift: Floats, basis: Floats, offset: Floats | None = None
) -> AffineMaps:
    """Return the map (x - shift) basis - offset for each of so many batches."""
    k = basis.shape[1]
    moved = np.zeros((batches, k)) if offset is None else np.tile(offset, (batches, 1))
    none = (np.empty((k, 0)),) * batches
    return AffineMaps(shift, basis, moved, np.ones((batches, k)), none, (np.empty(0),) * batches)
