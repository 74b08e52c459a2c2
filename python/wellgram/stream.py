"""Wells whose embeddings stay where they are and are read in chunks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from wellgram.backends import named_backend, using_backend
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.distributed import team
from wellgram.folds import ChosenRows, Span
from wellgram.wells import Fold, WellChunk, WellLabels, Wells, check_embeddings

_PART_BYTES = 1 << 27
"""Of the embeddings that a worker of a cluster reads at a time"""


@runtime_checkable
class PartedSource(Protocol):
    """A source that can be cut, so that each part can be read elsewhere."""

    def __call__(self) -> Iterator[WellChunk]:
        """Read its wells once, in chunks."""

    def parts(self, size: int) -> "Sequence[PartedSource]":
        """Cut it into sources of about so many bytes, none of which shares a well with another."""

    @property
    def present(self) -> Codes:
        """The wells that are in it, each once or more."""


@dataclass(frozen=True, repr=False)
class WellStream(WellLabels):
    """Wells on disk: labels at hand, embeddings read in chunks, each time they are needed.

    What `wellgram.open_wells` returns. It goes wherever `Wells` go: alignments are fitted to it and
    maps are made of it without its embeddings ever being in memory together. `read` loads it.
    """

    metadata: pd.DataFrame
    width: int
    """The number of features d"""
    dtype: np.dtype[Any]
    """float32 or float64"""
    source: Callable[[], Iterator[WellChunk]] = field(repr=False)
    """Reads every well once, in chunks; called anew for each pass"""
    origin: Mapping[str, str] = field(default_factory=dict)
    checked: bool = False
    """Whether what the source yields is known to be finite and not zero, or need not be"""
    progress: Progress | None = None
    """Told, as chunks are read, the share of the wells that was"""
    along: Sequence[Fold] = ()
    """What the next pass that adds wells up adds them to as well"""
    feature_columns: tuple[str, ...] = ()
    """The columns of the files that the features were read from"""

    def __post_init__(self) -> None:
        self._check_labels()

    @property
    def features(self) -> int:
        """The number of features d."""
        return self.width

    def chunks(self) -> Iterator[WellChunk]:
        """Yield every well once, in chunks.

        Raises
        ------
        InputError
            If an embedding holds a NaN or an Inf or is all zero; the message names the well and the
            file and row group it was read from.
        """
        along = [one for one in self.along if not one.complete]
        read = 0
        for chunk in _checked(self.source(), self._names):
            for one in along:
                one.add(chunk)
            yield chunk
            read += len(chunk.wells)
            if self.progress is not None:
                self.progress(read / len(self))
        for one in along:
            one.end()

    def fold(self, fold: Fold) -> None:
        """Add all wells to a fold, and to those along: here, or by the workers of a cluster."""
        workers = team()
        parts: Sequence[PartedSource] = ()
        if workers is not None and isinstance(self.source, PartedSource):
            parts = self.source.parts(_PART_BYTES)
        if workers is None or len(parts) < 2:
            for chunk in self.chunks():
                fold.add(chunk)
            fold.end()
            return
        folds = [fold, *(one for one in self.along if not one.complete)]
        pieces = [_Piece.of(part, self._names, folds) for part in parts]
        found = workers.fold(_Piece.folded, pieces, _plus, progress=self.progress)
        for one, whole in zip(folds, found, strict=True):
            one.adopt(whole)

    @property
    def _names(self) -> Span | None:
        """The names of the wells, if embeddings are to be checked."""
        return None if self.checked else Span(0, self.metadata["well_id"].array)

    def take(self, wells: Codes) -> Rows:
        """Return the embeddings of some wells (m, d), in their order: a pass over all."""
        place = np.full(len(self), -1, np.int64)
        place[wells] = np.arange(len(wells))
        chosen = ChosenRows.start(place, len(wells), self.features, self.dtype)
        self.fold(chosen)
        rows: Rows = chosen.rows
        return rows

    def unchecked(self) -> Rows:
        """Return the embeddings of all wells (n, d), whatever they hold."""
        rows = np.empty((len(self), self.features), self.dtype)
        for chunk in self.source():
            rows[chunk.wells] = chunk.rows
        return rows

    @property
    def in_memory(self) -> bool:
        """Whether the embeddings are in memory: they are read."""
        return False

    def read(self) -> Wells:
        """Return the wells with their embeddings in memory."""
        rows = self.unchecked()
        return Wells(rows, self.metadata, self.origin, self.checked, self.feature_columns)

    def reported(self, progress: Progress) -> "WellStream":
        """Return the stream that tells, as it is read, the share of the wells it has come to."""
        return replace(self, progress=progress)

    def watched_by(self, fold: Fold) -> "WellStream":
        """Return the stream whose next pass that adds wells up also adds them to one more fold."""
        return replace(self, along=(*self.along, fold))

    def mapped(self, of: Callable[[WellChunk], Rows], width: int) -> "WellStream":
        """Return the stream of what a function makes of each chunk's rows: (m, width).

        The function runs when the stream is read, on the backend that is named now.
        """
        backend = named_backend()

        def source() -> Iterator[WellChunk]:
            for chunk in self.chunks():
                with using_backend(backend):  # not while the reader has the chunk
                    rows = of(chunk)
                yield replace(chunk, rows=rows)

        return replace(
            self, source=source, width=width, checked=True, progress=None, along=(),
            feature_columns=(),
        )  # fmt: skip


@dataclass(frozen=True)
class _Piece:
    """A part of a pass, complete in itself: what a worker reads, and what it adds up."""

    source: PartedSource
    names: Span | None
    folds: Sequence[Fold]

    @classmethod
    def of(cls, source: PartedSource, names: Span | None, folds: Sequence[Fold]) -> "_Piece":
        """Return a part of the pass that adds to these folds."""
        present = source.present
        kept = None if names is None else names.of(present)
        return cls(source, kept, [one.of(present) for one in folds])

    def folded(self) -> list[Fold]:
        """Return what was added of the part; the piece stays as it is, to be done again."""
        present = self.source.present
        folds = [one.of(present) for one in self.folds]
        for chunk in _checked(self.source(), self.names):
            for one in folds:
                one.add(chunk)
        for one in folds:
            one.end()
        return folds


def _plus(a: Sequence[Fold], b: Sequence[Fold]) -> list[Fold]:
    return [one.plus(other) for one, other in zip(a, b, strict=True)]


def _checked(chunks: Iterator[WellChunk], names: Span | None) -> Iterator[WellChunk]:
    """Yield the chunks, of wells that have these names; no names: they need no check."""
    for chunk in chunks:
        if names is not None:
            place = chunk.wells - names.first
            check_embeddings(chunk.rows, pd.Series(names.values), place, chunk.read_in)
        yield chunk
