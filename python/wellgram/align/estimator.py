"""What all alignments share: how wells and rows go in, and how they come out."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self, overload

from numpy.typing import ArrayLike

from wellgram.align.affine import AnySample, AnyWells
from wellgram.align.sample import Labels, Sample, as_sample
from wellgram.backends import takes_backend
from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.estimators import UNCHANGED, ContainerOutput, Estimator, Request
from wellgram.estimators.feature_names import Names, chosen_names, numbered
from wellgram.stream import WellStream
from wellgram.wells import WellLabels, Wells


class Alignment(Estimator, ContainerOutput, ABC):
    """An alignment, by scikit-learn's conventions: ``fit``, ``transform``, ``get_params``.

    It is fitted on and applied to `Wells`, which know their batches and controls, or to rows
    (n, d), whatever scikit-learn takes for such: an array, nested lists, a DataFrame. With rows go
    `batch`, the label of each row's batch, and `control`, a mask of the rows that define "no
    effect" (all, where it is not given). So it serves in a ``Pipeline``, in ``GridSearchCV`` and
    with ``clone``.

    Attributes
    ----------
    n_features_in_
        How many features d it was fitted on.
    feature_names_in_
        Their names (d,), where it was fitted to a DataFrame whose columns are named by text.
    """

    name: ClassVar[str]
    takes = {"fit": ("batch", "control"), "transform": ("batch",)}  # noqa: RUF012 - never changed
    takes_missing: ClassVar[bool] = False
    """Whether rows may have missing values"""

    @takes_backend
    def fit(
        self,
        X: WellLabels | ArrayLike,
        y: Any = None,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Self:
        """Fit to wells, in memory or as a stream, or to rows with labels.

        Parameters
        ----------
        X
            `Wells`, a `WellStream`, or rows (n, d). float32 and float64 stay what they are, other
            numbers become float64.
        y
            Not used: there for pipelines, which hand it to every step.
        batch
            The label of each row's batch (n,); None: there are no batches. Wells know theirs.
        control
            Which rows are controls, a mask (n,); None: all are. Wells know theirs.
        backend
            See `wellgram.set_backend`.

        Raises
        ------
        InputError
            If a batch has too few controls, or the rows and labels cannot be used.

        Examples
        --------
        >>> import numpy as np, wellgram as wg
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 0.0], [30.0, 8.0]])
        >>> wg.CenterScale().fit(x, batch=["a", "a", "b", "b"]).transform(x, batch=list("aabb"))
        array([[-1., -1.],
               [ 1.,  1.],
               [-1., -1.],
               [ 1.,  1.]])
        """
        self.check_params()
        self._fit(as_sample(X, batch, control, missing=self.takes_missing))
        return self

    @overload
    def transform(
        self, X: WellStream, *, batch: None = None, backend: str | None = None
    ) -> WellStream: ...
    @overload
    def transform(
        self, X: Wells | ArrayLike, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows: ...
    @takes_backend
    def transform(
        self, X: Any, *, batch: Labels | None = None, backend: str | None = None
    ) -> Rows | WellStream:
        """Return the embeddings aligned: (n, k), in the type they have.

        Of a stream, the stream of aligned wells, which are made as they are read. Of rows, a
        DataFrame where `set_output` or scikit-learn's configuration asks for one.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If a batch was not there at fit, or the features are not those of the fit.
        """
        sample = self._known(X, batch)
        aligned: Rows | WellStream = self._out(self.transform_sample(sample).content, sample)
        return aligned

    @overload
    def fit_transform(
        self,
        X: WellStream,
        y: Any = None,
        *,
        batch: None = None,
        control: None = None,
        backend: str | None = None,
    ) -> WellStream: ...
    @overload
    def fit_transform(
        self,
        X: Wells | ArrayLike,
        y: Any = None,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows: ...
    @takes_backend
    def fit_transform(
        self,
        X: Any,
        y: Any = None,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows | WellStream:
        """Fit, then transform the same rows."""
        self.check_params()
        sample = as_sample(X, batch, control, missing=self.takes_missing)
        self._fit(sample)
        aligned: Rows | WellStream = self._out(self.transform_sample(sample).content, sample)
        return aligned

    @overload
    def aligned(
        self,
        X: AnyWells,
        *,
        batch: None = None,
        control: None = None,
        backend: str | None = None,
    ) -> AnyWells: ...
    @overload
    def aligned(
        self,
        X: ArrayLike,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Rows: ...
    @takes_backend
    def aligned(
        self,
        X: Any,
        *,
        batch: Labels | None = None,
        control: ArrayLike | None = None,
        backend: str | None = None,
    ) -> Any:
        """Return what is given aligned, as the kind it is: rows, wells, or a stream of wells.

        It is fitted to them first unless it has been fitted before.

        Parameters
        ----------
        X
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
        if self.is_fitted:
            sample = self._known(X, batch)
        else:
            self.check_params()
            sample = as_sample(X, batch, control, missing=self.takes_missing)
            self._fit(sample)
        return self._out(self.transform_sample(sample).as_given, sample)

    def _fit(self, sample: Sample) -> None:
        """Fit to a sample, and note its features."""
        self._check_streams(sample)
        least = self.least_rows
        if sample.given is not None and len(sample.codes) < least:
            shape = (len(sample.codes), sample.width)
            raise InputError(
                f"X has {shape[0]} sample(s) (shape={shape}) while a minimum of {least} is "
                f"required by {type(self).__name__}; give more rows"
            )
        self.check_columns(sample)
        self.fit_sample(sample)
        self.learn_features(sample.width, sample.given)

    def _known(self, X: Any, batch: Labels | None) -> Sample:
        """Return a sample of the features that it was fitted on."""
        self.check_fitted()
        sample = as_sample(X, batch, None, self.check_names, missing=self.takes_missing)
        self._check_streams(sample)
        self.check_count(sample.width)
        return sample

    def _out(self, aligned: Any, sample: Sample) -> Any:
        """Return what was aligned; rows in the container that was chosen."""
        return aligned if sample.given is None else self.contained(aligned, sample.given)

    def _check_streams(self, sample: Sample) -> None:
        if not (sample.in_memory or self.streams):
            raise InputError(
                f"{self.name} takes all wells at once and cannot be fitted or applied to a stream; "
                "read them into memory (stream.read())"
            )

    @property
    def streams(self) -> bool:
        """Whether it can be fitted and applied to wells that are read in chunks."""
        return True

    @property
    def least_rows(self) -> int:
        """How many rows it is fitted on at the least."""
        return 0

    @abstractmethod
    def fit_sample(self, sample: Sample) -> None:
        """Fit to a sample."""

    @abstractmethod
    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have the columns that it needs, before anything is computed."""

    @property
    def needs_controls(self) -> bool:
        """Whether it is fitted on controls."""
        return False

    @property
    def keeps_features(self) -> bool:
        """Whether each feature that comes out is the one that went in at its place, corrected."""
        return True

    @property
    def n_features_out(self) -> int:
        """How many features k come out, once it is fitted."""
        return self.n_features_in_

    def get_feature_names_out(self, input_features: Any = None) -> Names:
        """Return the names (k,) of the features that come out.

        Those that went in, where each is corrected at its place; else the name of the alignment and
        a number: ``tvn0``, ``tvn1`` and so on.

        Parameters
        ----------
        input_features
            The names (d,) of those that go in; None: those of the fit, or ``x0``, ``x1`` and so on.

        Raises
        ------
        NotFitted
            If it has not been fitted.
        InputError
            If names are given that are not those of the fit, or not as many.

        Examples
        --------
        >>> import pandas as pd, wellgram as wg
        >>> table = pd.DataFrame({"red": [1.0, 2.0, 4.0], "green": [2.0, 6.0, 5.0]})
        >>> wg.RobustMAD().fit(table).get_feature_names_out()
        array(['red', 'green'], dtype=object)
        >>> wg.PCAWhiten().fit(table).get_feature_names_out()
        array(['pcawhiten0', 'pcawhiten1'], dtype=object)
        """
        self.check_fitted()
        fitted = getattr(self, "feature_names_in_", None)
        names = chosen_names(input_features, fitted, self.n_features_in_)
        if self.keeps_features:
            return names
        return numbered(type(self).__name__.lower(), self.n_features_out)

    def set_fit_request(self, *, batch: Request = UNCHANGED, control: Request = UNCHANGED) -> Self:
        """Ask scikit-learn's pipelines and searches for the labels that ``fit`` takes.

        Parameters
        ----------
        batch, control
            True: to be handed on; False: not; a name: that under which they are given.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled (``sklearn.set_config``).
        """
        return self.ask_for("fit", batch=batch, control=control)

    def set_transform_request(self, *, batch: Request = UNCHANGED) -> Self:
        """Ask scikit-learn's pipelines and searches for the labels that ``transform`` takes.

        Parameters
        ----------
        batch
            True: to be handed on; False: not; a name: that under which they are given.

        Raises
        ------
        RuntimeError
            If metadata routing is not enabled (``sklearn.set_config``).
        """
        return self.ask_for("transform", batch=batch)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(allow_nan=self.takes_missing),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
        )
