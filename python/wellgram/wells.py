"""The containers: `Wells` (an embedding per well) and `PerturbationMap` (one per perturbation).

Whatever the files called their columns, in a `Wells` they have the field's names. That translation
happens once, in `wellgram.io`; everything downstream works on these names and on integer codes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from wellgram.backends import get_backend
from wellgram.backends.checks import as_rows, unmasked
from wellgram.backends.protocol import Codes, Progress, Rows
from wellgram.errors import InputError
from wellgram.input_kinds import check_frame
from wellgram.label_rules.controls import Control, as_label, control_labels, near_misses
from wellgram.label_rules.doses import as_doses
from wellgram.label_rules.missing_labels import is_missing, without_missing
from wellgram.label_rules.named_rows import NamedRows
from wellgram.plots.html_tables import html_of

KEYS = ("perturbation_type", "perturbation", "dose")
"""The columns that together name a perturbation, where a screen has them."""

ROLES = ("well_id", *KEYS, "batch", "is_control", "in_map")
"""The columns of `Wells.metadata` that have a meaning."""


_CHUNK_WELLS = 1 << 16


@dataclass(frozen=True)
class WellChunk:
    """Some wells: rows (m, d), and which of all wells each is (m,)."""

    rows: Rows
    wells: Codes
    where: Callable[[int], str] | None = None
    """Says in what a well was read, if that is known"""

    def read_in(self, row: int) -> str:
        """Return in what a row was read, or nothing."""
        return "" if self.where is None else self.where(int(self.wells[row]))


class Fold(Protocol):
    """What a pass over wells adds up, a chunk at a time; parts of a pass are put together."""

    @property
    def complete(self) -> bool:
        """Whether all its wells were added."""

    def of(self, wells: Codes) -> Self:
        """Return the same with nothing added, for some of the wells: no larger than they need."""

    def add(self, chunk: WellChunk) -> None:
        """Add the wells of a chunk."""

    def end(self) -> None:
        """Let go of what was only needed to add: there is no chunk left."""

    def plus(self, other: Self) -> Self:
        """Return what this and another, of wells that come after, have added."""

    def adopt(self, whole: Self) -> None:
        """Take over what others have added of all its wells."""


class WellLabels(ABC):
    """Wells whose labels are at hand; their embeddings may be read in chunks.

    The columns of `metadata`, one row per well:

    ``perturbation``
        what was done: a gene or a compound. Required, never missing.
    ``is_control``
        whether the well defines "no effect". Required.
    ``in_map``
        whether the well makes up the map; the others only serve the alignment. Required.
    ``well_id``
        a name, unique. Required.
    ``batch``
        the experiment or plate that corrections are fitted per. May be absent: one batch.
    ``dose``
        concentration; NaN where there is none. May be absent.
    ``perturbation_type``
        as RxRx3 has it, ``CRISPR`` or ``COMPOUND``. May be absent.

    Any other column travels along. `origin` says where the columns came from, for messages.
    """

    metadata: pd.DataFrame
    origin: Mapping[str, str]
    feature_columns: tuple[str, ...]
    """The columns of the files that the features were read from"""

    @property
    @abstractmethod
    def features(self) -> int:
        """The number of features d."""

    @abstractmethod
    def chunks(self) -> Iterator[WellChunk]:
        """Yield every well once, in chunks; any number of times."""

    @abstractmethod
    def take(self, wells: Codes) -> Rows:
        """Return the embeddings of some wells (m, d), in their order."""

    @property
    @abstractmethod
    def in_memory(self) -> bool:
        """Whether the embeddings are in memory, so that any of them can be had at no cost."""

    @abstractmethod
    def read(self) -> "Wells":
        """Return the wells with their embeddings in memory."""

    @abstractmethod
    def fold(self, fold: Fold) -> None:
        """Add all wells to a fold."""

    @abstractmethod
    def mapped(self, of: Callable[[WellChunk], Rows], width: int) -> Self:
        """Return the wells with what a function makes of each chunk's rows: (m, width)."""

    @abstractmethod
    def reported(self, progress: Progress) -> Self:
        """Return the wells that tell, as they are read, the share that has been."""

    @abstractmethod
    def watched_by(self, fold: Fold) -> Self:
        """Return the wells whose next pass also adds to a fold, where a pass costs anything."""

    def __len__(self) -> int:
        return len(self.metadata)

    def __repr__(self) -> str:
        labels = self.metadata["perturbation"].nunique()
        controls = int(self.metadata["is_control"].sum())
        return (
            f"{type(self).__name__}({len(self):,} wells x {self.features} features, {labels:,} "
            f"perturbations, {len(self.batches()[1]):,} batches, {controls:,} controls)"
        )

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.metadata)

    def batches(self) -> tuple[Codes, list[str]]:
        """Return each well's batch code (n,) and the names of the batches, sorted."""
        if "batch" not in self.metadata:
            return np.zeros(len(self), np.int64), ["all wells"]
        return batch_codes(self.metadata["batch"])

    def extra_columns(self) -> list[str]:
        """Return the columns that have no role of their own."""
        return [str(c) for c in self.metadata.columns if c not in ROLES]

    def _check_labels(self) -> None:
        for column in ("well_id", "perturbation", "is_control", "in_map"):
            if column not in self.metadata:
                raise InputError(f"the metadata of wells needs a column {column!r}")
        for column in ("perturbation", "batch"):
            if column in self.metadata and (missing := is_missing(self.metadata[column])).any():
                first = self.metadata["well_id"][missing].iloc[0]
                raise InputError(
                    f"{int(missing.sum())} wells have no {column} (first: {first!r}); "
                    "label them or leave them out"
                )


@dataclass(frozen=True, repr=False)
class Wells(WellLabels):
    """Embeddings of wells (n, d) and what was done to them: see `WellLabels`.

    Raises
    ------
    InputError
        If embeddings and metadata differ in length, a column is missing, or an embedding holds a
        NaN or an Inf or is all zero; the message names the first such well.
    """

    embeddings: Rows
    metadata: pd.DataFrame
    origin: Mapping[str, str] = field(default_factory=dict)
    checked: bool = field(default=False, repr=False)
    """Whether embeddings are known to be finite and not zero, or need not be"""
    feature_columns: tuple[str, ...] = field(default=(), repr=False)
    """The columns of the files that the features were read from"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "embeddings", as_rows(self.embeddings, "embeddings"))
        check_frame(self.metadata, "the metadata of wells")
        if len(self.embeddings) != len(self.metadata):
            raise InputError(
                f"{len(self.embeddings)} embeddings but {len(self.metadata)} rows of metadata"
            )
        self._check_labels()
        if not self.checked:
            check_embeddings(self.embeddings, self.metadata["well_id"])

    @classmethod
    def from_arrays(
        cls,
        embeddings: ArrayLike,
        perturbation: Sequence[Any] | NDArray[Any],
        *,
        control: Control | None = None,
        batch: Sequence[Any] | NDArray[Any] | None = None,
        dose: Sequence[Any] | NDArray[Any] | None = None,
        controls_in_map: bool = False,
    ) -> "Wells":
        """Make wells of arrays.

        Parameters
        ----------
        embeddings
            (n, d), float32 or float64.
        perturbation
            (n,) labels.
        control
            The label or labels of the control wells; None where there are no controls.
        batch
            (n,) labels, where there are batches.
        dose
            (n,) numbers, or texts as `read_wells` takes them.
        controls_in_map
            Whether the map has rows for the controls.

        Raises
        ------
        InputError
            If lengths differ, a well has no perturbation or batch, a control's label is nowhere, or
            doses cannot be ordered.

        Examples
        --------
        >>> import numpy as np, wellgram as wg
        >>> wg.Wells.from_arrays(np.eye(3), ["a", "b", "DMSO"], control="DMSO")
        Wells(3 wells x 3 features, 3 perturbations, 1 batches, 1 controls)
        """
        rows = as_rows(embeddings, "embeddings")
        count = len(rows)
        labels = _labels_of(perturbation, count, "perturbation")
        named = control_labels(control)
        is_control = labels.isin(named)
        absent = [label for label in named if not (labels == label).any()]
        if absent:
            near = [repr(label) for label in near_misses(labels, absent).index]
            meant = f"; {' and '.join(near)} differs in case or blanks alone" if near else ""
            raise InputError(
                f"no well is a control {absent[0]!r}{meant}; name labels that wells have "
                "(control=), or None where there are no controls"
            )
        well_id = pd.Series([f"well {i}" for i in range(len(labels))])
        columns: dict[str, Any] = {
            "well_id": well_id,
            "perturbation": labels,
            "is_control": is_control,
            "in_map": ~is_control | controls_in_map,
        }
        if batch is not None:
            columns["batch"] = _labels_of(batch, count, "batch")
        if dose is not None:
            columns["dose"] = as_doses(_values_of(dose, count, "dose"), well_id)[0]
        told = f"label {control!r}" if named else "none named"
        origin = {"control": told, "batch": "the batch labels"}
        return cls(rows, pd.DataFrame(columns), origin)

    @property
    def features(self) -> int:
        """The number of features d."""
        return int(self.embeddings.shape[1])

    def chunks(self) -> Iterator[WellChunk]:
        """Yield every well once, in chunks."""
        for first in range(0, len(self), _CHUNK_WELLS):
            rows = self.embeddings[first : first + _CHUNK_WELLS]
            yield WellChunk(rows, np.arange(first, first + len(rows)))

    def take(self, wells: Codes) -> Rows:
        """Return the embeddings of some wells (m, d), in their order."""
        rows: Rows = self.embeddings[wells]
        return rows

    def with_embeddings(self, embeddings: ArrayLike) -> "Wells":
        """Return the same wells with other embeddings, (n, k), for example corrected ones.

        They may hold what embeddings of a screen must not: a well at the centre of its controls is
        all zero after a correction that centres.

        Parameters
        ----------
        embeddings
            (n, k), float32 or float64: one per well, in the order of the wells.

        Raises
        ------
        InputError
            If there are not as many as wells.

        Examples
        --------
        >>> import numpy as np, wellgram as wg
        >>> wells = wg.Wells.from_arrays(np.eye(3), ["a", "b", "DMSO"], control="DMSO")
        >>> wells.with_embeddings(2 * wells.embeddings)
        Wells(3 wells x 3 features, 3 perturbations, 1 batches, 1 controls)
        """
        rows = as_rows(embeddings, "embeddings")
        return replace(self, embeddings=rows, checked=True, feature_columns=())

    @property
    def in_memory(self) -> bool:
        """Whether the embeddings are in memory: they are."""
        return True

    def read(self) -> "Wells":
        """Return the wells with their embeddings in memory: themselves."""
        return self

    def fold(self, fold: Fold) -> None:
        """Add all wells to a fold."""
        for chunk in self.chunks():
            fold.add(chunk)
        fold.end()

    def mapped(self, of: Callable[[WellChunk], Rows], width: int) -> "Wells":
        """Return the wells with what a function makes of all their rows: (n, width)."""
        return self.with_embeddings(of(WellChunk(self.embeddings, np.arange(len(self)))))

    def reported(self, progress: Progress) -> "Wells":
        """Return the wells: nothing is read that could be told of."""
        return self

    def watched_by(self, fold: Fold) -> "Wells":
        """Return the wells: a pass of the fold's own costs no more."""
        return self


def _values_of(given: Any, count: int, what: str) -> "pd.Series[Any]":
    """Return values (n,) as a column; raise if there are not as many as embeddings."""
    if isinstance(given, pd.DataFrame):
        if given.shape[1] != 1:
            raise InputError(f"{what}= takes one column, not a table of {given.shape[1]}")
        given = given.iloc[:, 0]
    try:
        values = pd.Series(unmasked(given, what), name=what).reset_index(drop=True)
    except UnicodeEncodeError as problem:  # half of a pair, which no file can hold
        raise InputError(
            f"a value of {what}= is no valid text: {problem.object!r}; decode its bytes again"
        ) from None
    if len(values) != count:
        raise InputError(f"{count} embeddings but {len(values)} values of {what}=; give one each")
    return values


def _labels_of(given: Any, count: int, what: str) -> "pd.Series[Any]":
    """Return labels (n,) as text, missing where they have no value."""
    values = without_missing(_values_of(given, count, what))
    codes, names = pd.factorize(values)
    texts = pd.array([*map(as_label, names), None], dtype="str")
    return pd.Series(texts.take(codes), name=what)


def batch_codes(labels: "pd.Series[Any]") -> tuple[Codes, list[str]]:
    """Return the code (n,) of each label and the labels there are, sorted as strings."""
    codes, names = pd.factorize(labels.astype("str"), sort=True)
    return codes.astype(np.int64), [str(name) for name in names]


def check_embeddings(
    embeddings: Rows,
    well_id: "pd.Series[Any]",
    wells: Codes | None = None,
    where: Callable[[int], str] | None = None,
) -> None:
    """Raise unless every embedding is finite and not all zero.

    `wells` says which of those that have names each row is, and `where` in what a row was read.
    """
    faults = zip(get_backend().row_faults(embeddings), _FAULTS, strict=True)
    for bad, what in faults:
        if bad.any():
            rows = np.flatnonzero(bad)
            first = well_id.iloc[int(rows[0] if wells is None else wells[rows[0]])]
            places = ["" if where is None else where(row) for row in rows.tolist()]
            count, of = places.count(places[0]), f" of {places[0]}" if places[0] else ""
            raise InputError(
                f"the embeddings of {count:,} wells{of} hold {what} (first: {first!r}); "
                "drop those wells (missing='drop-wells') or, for NaN in a few features, those "
                "features (missing='drop-features')"
            )


_FAULTS = ("a NaN or an Inf", "nothing but zeros")


class LabelledMap(Protocol):
    """A map: in memory (`PerturbationMap`), or on disk (what `wellgram.open_map` returns)."""

    @property
    def labels(self) -> pd.DataFrame:
        """One row per perturbation."""

    @property
    def embeddings(self) -> Rows:
        """The embeddings (p, d): of a map on disk, all of them are read."""


@dataclass(frozen=True, repr=False)
class PerturbationMap(NamedRows):
    """One embedding per perturbation: (p, d), with its labels.

    `labels` has one row per perturbation: ``perturbation``, where the screen has them
    ``perturbation_type`` and ``dose``, ``n_wells`` (how many wells were aggregated), and the
    metadata that all wells of a perturbation share. `provenance` records how the map was made.

    Examples
    --------
    >>> import numpy as np, pandas as pd, wellgram as wg
    >>> labels = pd.DataFrame({"perturbation": ["TP53", "MDM2", "PLK1"]})
    >>> map_ = wg.PerturbationMap(np.eye(3), labels)
    >>> map_["MDM2"]
    array([0., 1., 0.])
    >>> "PLK1" in map_
    True
    >>> map_.to_frame().shape
    (3, 3)
    >>> map_.neighbors("TP53", k=1).table["perturbation"].tolist()
    ['MDM2', 'MDM2']
    """

    embeddings: Rows
    labels: pd.DataFrame
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "embeddings", as_rows(self.embeddings, "embeddings"))
        check_frame(self.labels, "what labels the rows of a map")
        if len(self.embeddings) != len(self.labels):
            raise InputError(f"{len(self.embeddings)} embeddings but {len(self.labels)} labels")
        check_names(self.labels)

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, perturbation: str | int) -> Rows:
        """Return the embedding (d,) of a perturbation, by its name or the number of its row."""
        embedding: Rows = self.embeddings[self.row(perturbation)]
        return embedding

    __iter__ = None
    """A map is no sequence: it is neither of names nor of rows"""

    def __repr__(self) -> str:
        p, d = self.embeddings.shape
        made = self.provenance.get("align", "unknown")
        return f"PerturbationMap({p:,} perturbations x {d} features, align={made!r})"


def check_names(labels: pd.DataFrame) -> None:
    """Raise unless the labels of a map name its perturbations."""
    if "perturbation" not in labels:
        have = ", ".join(map(repr, labels.columns)) or "none"
        raise InputError(f"the labels of a map need a column 'perturbation'; there are: {have}")
