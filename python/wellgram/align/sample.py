"""What an alignment is fitted on or applied to: rows, their batches, and which are controls."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends import get_backend
from wellgram.backends.checks import unmasked
from wellgram.backends.moments import beyond, exponents, gathered
from wellgram.backends.protocol import Codes, Floats, GroupMoments, Moments, Rows, Spread
from wellgram.errors import InputError
from wellgram.estimators import as_features
from wellgram.estimators.feature_names import names_of
from wellgram.folds import Span
from wellgram.wells import Fold, WellChunk, WellLabels, Wells, batch_codes

_COLLECTED_BYTES = 1 << 26
"""Of the rows of a stream that moments are taken of at a time"""

RANGE_BITS = 200
"""Fourth powers of features within 2^-200 and 2^200, added up, are within the range of float64"""

Labels = Sequence[Any] | NDArray[Any] | pd.Series


@dataclass(frozen=True)
class Sample(ABC):
    """Rows (n, d) with the code of each one's batch, and whether it is a control."""

    codes: Codes
    names: list[str] | None
    """The batches, sorted; None where there are none: one map for all"""
    is_control: NDArray[np.bool_]
    said: str
    """Where batches and controls come from, for messages"""
    given: Any = field(default=None, kw_only=True)
    """The array or DataFrame that rows were given as; None of wells"""
    features: tuple[str, ...] | None = field(default=None, kw_only=True)
    """The names of the features (d,), where they have any"""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of features d."""

    def moments(self, codes: Codes, spread: Spread) -> GroupMoments:
        """Return the moments of the rows of each batch, by their codes; -1 for rows left out.

        Features whose squares would leave the range of float64 are divided by a power of two first,
        which rounds nothing: see `GroupMoments`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            moments = self.raw_moments(codes, spread)
            sizes = moments.sizes()
        extreme = beyond(sizes, RANGE_BITS)
        if not extreme.any():
            return moments
        exponent = np.where(extreme, exponents(self.largest(codes)), 0)
        with np.errstate(over="ignore"):  # of rows that are left out

            def scaled(rows: Rows, codes: Codes) -> Rows:
                return np.asarray(np.ldexp(rows, -exponent))

            moments = self.mapped(scaled, codes, self.width).raw_moments(codes, spread)
        return replace(moments, unit=np.ldexp(1.0, exponent))

    @abstractmethod
    def raw_moments(self, codes: Codes, spread: Spread) -> GroupMoments:
        """Return the moments of the rows as they are: see `moments`."""

    @abstractmethod
    def largest(self, codes: Codes) -> Floats:
        """Return the largest size (d,) of a feature in the rows that have a code."""

    @abstractmethod
    def chosen(self, rows: NDArray[np.bool_]) -> "RowSample":
        """Return some of the rows, in memory."""

    @abstractmethod
    def mapped(self, of: Callable[[Rows, Codes], Rows], codes: Codes, width: int) -> Self:
        """Return the sample with what a function makes of rows and their codes: (m, width)."""

    @property
    @abstractmethod
    def content(self) -> Any:
        """The rows, or the stream that they are read from."""

    @property
    def as_given(self) -> Any:
        """What the sample was made of, as it is now: rows, wells or a stream."""
        return self.content

    @property
    @abstractmethod
    def in_memory(self) -> bool:
        """Whether all rows are at hand."""

    @property
    def metadata(self) -> pd.DataFrame | None:
        """What is known of each row: see `WellLabels`; None of rows that are no wells."""
        return None

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return 1 if self.names is None else len(self.names)


@dataclass(frozen=True)
class RowSample(Sample):
    """A sample in memory."""

    rows: Rows

    @property
    def width(self) -> int:
        """The number of features d."""
        return int(self.rows.shape[1])

    def raw_moments(self, codes: Codes, spread: Spread) -> GroupMoments:
        """Return the moments of the rows as they are."""
        chosen = codes >= 0
        rows = self.rows if chosen.all() else self.rows[chosen]
        return get_backend().group_moments(rows, codes[chosen], self.batches, spread)

    def largest(self, codes: Codes) -> Floats:
        """Return the largest size (d,) of a feature in the rows that have a code."""
        return _largest(self.rows[codes >= 0])

    def chosen(self, rows: NDArray[np.bool_]) -> "RowSample":
        """Return some of the rows."""
        return RowSample(
            self.codes[rows], self.names, self.is_control[rows], self.said, self.rows[rows]
        )

    def mapped(self, of: Callable[[Rows, Codes], Rows], codes: Codes, width: int) -> Self:
        """Return the sample with what a function makes of rows and their codes: (m, width)."""
        return replace(self, rows=of(self.rows, codes))

    @property
    def content(self) -> Rows:
        """The rows."""
        return self.rows

    @property
    def in_memory(self) -> bool:
        """Whether all rows are at hand: they are."""
        return True


@dataclass(frozen=True)
class WellSample(RowSample):
    """A sample of wells in memory."""

    wells: Wells
    """Those that it was made of"""

    @property
    def as_given(self) -> Wells:
        """The wells, with the rows as they are now."""
        return self.wells.with_embeddings(self.rows)

    @property
    def metadata(self) -> pd.DataFrame:
        """What is known of each well."""
        return self.wells.metadata


@dataclass(frozen=True)
class StreamSample(Sample):
    """A sample that is read in chunks."""

    stream: WellLabels

    @property
    def width(self) -> int:
        """The number of features d."""
        return self.stream.features

    def raw_moments(self, codes: Codes, spread: Spread) -> GroupMoments:
        """Return the moments of the rows as they are: one pass."""
        sums = _MomentSums(Span(0, codes), spread)
        self.stream.fold(sums)
        return gathered(sums.found, self.batches, self.width, spread)

    def largest(self, codes: Codes) -> Floats:
        """Return the largest size (d,) of a feature in the rows that have a code: one pass."""
        sizes = np.zeros(self.width)
        for chunk in self.stream.chunks():
            np.maximum(sizes, _largest(chunk.rows[codes[chunk.wells] >= 0]), out=sizes)
        return sizes

    def chosen(self, rows: NDArray[np.bool_]) -> RowSample:
        """Return some of the rows, in memory: one pass."""
        read = self.stream.take(np.flatnonzero(rows))
        return RowSample(self.codes[rows], self.names, self.is_control[rows], self.said, read)

    def mapped(self, of: Callable[[Rows, Codes], Rows], codes: Codes, width: int) -> Self:
        """Return the sample with what a function makes of rows and their codes: (m, width)."""
        stream = self.stream.mapped(lambda chunk: of(chunk.rows, codes[chunk.wells]), width)
        return replace(self, stream=stream)

    @property
    def content(self) -> WellLabels:
        """What the rows are read from."""
        return self.stream

    @property
    def metadata(self) -> pd.DataFrame:
        """What is known of each well."""
        return self.stream.metadata

    @property
    def in_memory(self) -> bool:
        """Whether all rows are at hand: they are not."""
        return False


class _MomentSums(Fold):
    """The moments of the wells of each batch."""

    def __init__(self, codes: Span, spread: Spread) -> None:
        self._codes, self._spread = codes, spread
        self._rows: list[Rows] = []
        self._own: list[Codes] = []
        """Rows that are still to be added, many at a time: putting moments together costs d^2"""
        self.found: dict[int, Moments] = {}

    @property
    def complete(self) -> bool:
        """Whether all wells were added: it is made for one pass."""
        return False

    def of(self, wells: Codes) -> "_MomentSums":
        """Return the same with nothing added, for some of the wells."""
        return _MomentSums(self._codes.of(wells), self._spread)

    def add(self, chunk: WellChunk) -> None:
        """Add the rows of a chunk that have a code."""
        own = self._codes.at(chunk.wells)
        chosen = own >= 0
        self._rows.append(chunk.rows[chosen])
        self._own.append(own[chosen])
        if sum(rows.nbytes for rows in self._rows) > _COLLECTED_BYTES:
            self.end()

    def end(self) -> None:
        """Make moments of the rows that were kept."""
        own = _joined(self._own)
        if not len(own):
            self._rows.clear()
            return
        present, place = np.unique(own, return_inverse=True)
        rows = _joined(self._rows)
        part = get_backend().group_moments(rows, place, len(present), self._spread)
        self._put({g: part[k] for k, g in enumerate(present.tolist())})

    def plus(self, other: "_MomentSums") -> "_MomentSums":
        """Return the moments of the wells of both."""
        both = _MomentSums(self._codes.of(np.empty(0, np.int64)), self._spread)
        both._put(self.found)
        both._put(other.found)
        return both

    def adopt(self, whole: "_MomentSums") -> None:
        """Take over what others have added."""
        self.found = whole.found

    def _put(self, more: dict[int, Moments]) -> None:
        for g, part in more.items():
            self.found[g] = self.found[g].plus(part, self._spread) if g in self.found else part


def _largest(rows: Rows) -> Floats:
    return np.asarray(np.abs(rows).max(axis=0, initial=0), np.float64)


def check_width(width: int, fitted: int) -> None:
    """Raise unless rows have as many features as an alignment was fitted on."""
    if width != fitted:
        raise InputError(f"the alignment was fitted on {fitted} features; these rows have {width}")


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the parts as one array, and let go of them."""
    whole = np.concatenate(parts) if parts else np.empty(0)
    parts.clear()
    return whole


def as_sample(
    x: WellLabels | ArrayLike,
    batch: Labels | None,
    control: ArrayLike | None,
    check_names: Callable[[Any], None] | None = None,
    *,
    missing: bool = False,
) -> Sample:
    """Return wells, or rows with labels, as a sample; of rows, their columns' names may be checked.

    `missing` says whether rows may have missing values.

    Raises
    ------
    InputError
        If labels are given along with wells, or do not fit the rows.
    """
    if isinstance(x, WellLabels):
        if batch is not None or control is not None:
            raise InputError("wells have batches and controls of their own; give rows, or no more")
        coded, found = x.batches()
        names = found if "batch" in x.metadata else None
        is_control = x.metadata["is_control"].to_numpy(bool)
        controls = f"controls: {x.origin.get('control', 'column is_control')}"
        said = (
            controls if names is None else f"column {x.origin.get('batch', 'batch')!r}; {controls}"
        )
        if not x.in_memory:
            return StreamSample(coded, names, is_control, said, x, features=_named(x))
        wells = x.read()
        rows = wells.embeddings
        return WellSample(coded, names, is_control, said, rows, wells, features=_named(wells))
    if check_names is not None:
        check_names(x)
    rows = as_features(x, missing=missing)
    batches: list[str] | None = None
    codes = np.zeros(len(rows), np.int64)
    if batch is not None:
        labels = pd.Series(np.asarray(unmasked(batch, "batch")))
        _check_length(labels, rows, "batch")
        if labels.isna().any():
            first = int(np.flatnonzero(labels.isna())[0])
            raise InputError(f"row {first} has no batch; label it or leave it out")
        codes, batches = batch_codes(labels)
    is_control = np.ones(len(rows), bool)
    if control is not None:
        is_control = np.asarray(unmasked(control, "control"))
        _check_length(is_control, rows, "control")
        if is_control.dtype != bool:
            raise InputError(f"control must be a mask of rows, not {is_control.dtype}")
    whose = "those of control=" if control is not None else "all rows"
    said = f"batch=; controls: {whose}"
    columns = names_of(x)
    features = None if columns is None else tuple(columns)
    return RowSample(codes, batches, is_control, said, rows, given=x, features=features)


def _named(wells: WellLabels) -> tuple[str, ...] | None:
    """Return the names of the features; None where they were read from a column of vectors."""
    names = wells.feature_columns
    return names if len(names) == wells.features else None


def _check_length(labels: Any, rows: Rows, name: str) -> None:
    if labels.shape != (len(rows),):
        raise InputError(f"{name} has shape {labels.shape}; expected one per row: ({len(rows)},)")
