"""What all alignments share: scikit-learn's conventions, and checks."""

import inspect
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike

from wellgram.align.affine import AnySample, AnyWells, BatchAffine
from wellgram.align.sample import Labels, Sample, as_sample
from wellgram.backends import takes_backend
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.stream import WellStream
from wellgram.wells import WellLabels, Wells

Unseen = Literal["raise", "pooled"]
"""What to do with wells of a batch that was not there at fit"""


class Alignment(ABC):
    """An alignment, by scikit-learn's conventions: ``fit``, ``transform``, ``get_params``.

    It is fitted on and applied to `Wells`, which know their batches and controls, or to rows
    (n, d) with `batch`, the label of each row's batch, and `control`, a mask of the rows that
    define "no effect" (all, where it is not given).
    """

    name: ClassVar[str]

    @takes_backend
    def fit(
        self,
        x: WellLabels | ArrayLike,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Self:
        """Fit to wells, in memory or as a stream, or to rows with labels.

        Raises
        ------
        InputError
            If a batch has too few controls, or the rows and labels cannot be used.
        """
        self.check_params()
        self.fit_sample(self._sample(x, batch, control))
        return self

    @overload
    def transform(
        self, x: WellStream, *, batch: None = None, backend: str | None = None
    ) -> WellStream: ...
    @overload
    def transform(
        self, x: Wells | ArrayLike, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows: ...
    @takes_backend
    def transform(
        self, x: Any, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows | WellStream:
        """Return the embeddings aligned: (n, k), in the type they have.

        Of a stream, the stream of aligned wells, which are made as they are read.

        Raises
        ------
        InputError
            If a batch was not there at fit, or the features are not those of the fit.
        """
        sample = self._sample(x, batch, None)
        aligned: Rows | WellStream = self.transform_sample(sample).content
        return aligned

    @overload
    def fit_transform(
        self,
        x: WellStream,
        *,
        batch: None = None,
        control: None = None,
        backend: str | None = None,
    ) -> WellStream: ...
    @overload
    def fit_transform(
        self,
        x: Wells | ArrayLike,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows: ...
    @takes_backend
    def fit_transform(
        self,
        x: Any,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows | WellStream:
        """Fit, then transform the same rows."""
        self.check_params()
        sample = self._sample(x, batch, control)
        self.fit_sample(sample)
        aligned: Rows | WellStream = self.transform_sample(sample).content
        return aligned

    @overload
    def aligned(
        self,
        x: AnyWells,
        *,
        batch: None = None,
        control: None = None,
        backend: str | None = None,
    ) -> AnyWells: ...
    @overload
    def aligned(
        self,
        x: ArrayLike,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows: ...
    @takes_backend
    def aligned(
        self,
        x: Any,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Any:
        """Return what is given aligned, as the kind it is: rows, wells, or a stream of wells.

        It is fitted to them first unless it has been fitted before.

        Parameters
        ----------
        x
            Rows (n, d), `Wells` or a `WellStream`.
        batch, control
            Of rows, as for `fit`; the controls serve the fit alone.
        backend
            See `wellgram.set_backend`.

        Returns
        -------
        array, Wells or WellStream
            Of rows, rows (n, k) in the type they have; of wells, the same wells with embeddings
            (n, k); of a stream, a stream of aligned wells, which are made as they are read.

        Raises
        ------
        InputError
            As `fit` and `transform` have it.

        Examples
        --------
        >>> import numpy as np, wellgram as wg
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]])
        >>> wells = wg.Wells.from_arrays(x, ["DMSO", "DMSO", "drug"], control="DMSO")
        >>> aligned = wg.CenterScale().aligned(wells)
        >>> aligned
        Wells(3 wells x 2 features, 2 perturbations, 1 batches, 2 controls)
        >>> aligned.embeddings[2]
        array([3., 6.])
        """
        sample = self._sample(x, batch, control)
        if not self.is_fitted:
            self.check_params()
            self.fit_sample(sample)
        return self.transform_sample(sample).as_given

    def _sample(
        self, x: WellLabels | ArrayLike, batch: Labels | None, control: ArrayLike | None
    ) -> Sample:
        sample = as_sample(x, batch, control)
        if not (sample.in_memory or self.streams):
            raise InputError(
                f"{self.name} takes all wells at once and cannot be fitted or applied to a stream; "
                "read them into memory (stream.read())"
            )
        return sample

    @property
    def streams(self) -> bool:
        """Whether it can be fitted and applied to wells that are read in chunks."""
        return True

    @abstractmethod
    def fit_sample(self, sample: Sample) -> None:
        """Fit to a sample."""

    @abstractmethod
    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""

    def check_params(self) -> None:  # noqa: B027 - to be overridden by those that have any
        """Raise unless the parameters can be used."""

    @property
    def needs_controls(self) -> bool:
        """Whether it is fitted on controls."""
        return False

    @property
    def is_fitted(self) -> bool:
        """Whether it has been fitted."""
        return any(name.endswith("_") for name in vars(self))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, as scikit-learn has it."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name.

        Raises
        ------
        InputError
            If there is no parameter of a name.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise InputError(f"{type(self).__name__} has no parameter {name!r}; {list(known)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = ", ".join(
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default
        )
        return f"{type(self).__name__}({changed})"


class AffineAlignment(Alignment):
    """An alignment that is an affine map for each batch; `affine_` has it once fitted.

    `min_controls` is the least number of wells that a batch may be fitted on; `unseen` says
    whether wells of a batch that was not there at fit are refused or get the map of all batches
    taken together.
    """

    affine_: BatchAffine
    fits_on: ClassVar[Literal["controls", "all"]] = "controls"
    per_batch: ClassVar[bool] = True
    """Whether batches have maps of their own"""

    def __init__(self, *, min_controls: int = 2, unseen: Unseen = "raise") -> None:
        self.min_controls = min_controls
        self.unseen = unseen
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if self.min_controls < 1:
            raise InputError(f"min_controls must be 1 or more, not {self.min_controls}")
        if self.unseen not in ("raise", "pooled"):
            raise InputError(f"unseen must be 'raise' or 'pooled', not {self.unseen!r}")

    @property
    def needs_controls(self) -> bool:
        """Whether it is fitted on controls."""
        return self.fits_on == "controls"

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""
        return self.affine_.apply_sample(sample)

    def fitting(self, sample: Sample) -> Codes:
        """Return the batch of each row that it is fitted on, -1 for the others.

        Raises
        ------
        InputError
            If a batch has too few of them.
        """
        codes = sample.codes
        if self.fits_on == "controls":
            codes = np.where(sample.is_control, codes, -1)
        if not self.per_batch:
            sample = replace(sample, codes=np.zeros_like(codes), names=None)
        counts = np.bincount(sample.codes[codes >= 0], minlength=sample.batches)
        few = np.flatnonzero(counts < self.min_controls)
        if len(few):
            raise InputError(self._too_few(sample, counts, few))
        return codes

    def _too_few(self, sample: Sample, counts: Codes, few: Codes) -> str:
        g = int(few[0])
        kind = "control well" if self.fits_on == "controls" else "well"
        found = {0: f"no {kind}", 1: f"only one {kind}"}.get(
            int(counts[g]), f"only {counts[g]} {kind}s"
        )
        needs = {1: "one", 2: "two"}.get(self.min_controls, str(self.min_controls))
        if sample.names is None:
            return (
                f"there is {found} ({sample.said}); an alignment needs {needs}: name other "
                "controls, or do without an alignment (align='none')"
            )
        more = f" and in {len(few) - 1} other batches" if len(few) > 1 else ""
        size = int((sample.codes == g).sum())
        return (
            f"{found} in batch {sample.names[g]!r}{more} ({sample.said}); an alignment needs "
            f"{needs}: leave out its {size} wells, name other controls, or align without batches "
            "(batch='none')"
        )

    def __repr__(self) -> str:
        said = super().__repr__()
        return f"{said}, fitted: {self.affine_!r}" if self.is_fitted else said
