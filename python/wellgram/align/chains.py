"""Several alignments in turn, as one."""

from collections import Counter
from dataclasses import replace
from typing import Any, Self

from wellgram.align.affine import AnySample, BatchAffine
from wellgram.align.affine_alignment import AffineAlignment
from wellgram.align.estimator import Alignment
from wellgram.align.from_moments import MomentAlignment
from wellgram.align.sample import Sample
from wellgram.backends.protocol import GroupMoments, Spread
from wellgram.errors import InputError
from wellgram.estimators.feature_names import Names, chosen_names


class Chain(Alignment):
    """Alignments in turn, each fitted on what the one before made of the wells.

    Where all of them follow from moments, wells are read once and only moments go from one to the
    next; where all are affine, so is the chain, and `affine_` is their composition.

    Parameters
    ----------
    steps
        The alignments, a list or a tuple.
    """

    affine_: BatchAffine

    def __init__(self, steps: list[Alignment] | tuple[Alignment, ...]) -> None:
        self.steps = steps
        self.check_params()

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of its steps, joined by +."""
        return "+".join(step.name for step in self.steps)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if not isinstance(self.steps, list | tuple):
            raise InputError(f"steps must be a list of alignments, not {type(self.steps).__name__}")
        if not self.steps:
            raise InputError("a chain needs one alignment or more")
        for step in self.steps:
            if not isinstance(step, Alignment):
                raise InputError(f"a chain is made of alignments, not {type(step).__name__}")
            step.check_params()

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have the columns that its steps need."""
        for step in self.steps:
            step.check_columns(sample)

    @property
    def named_steps(self) -> dict[str, Alignment]:
        """The steps by name, as ``make_pipeline`` names them: the class, and which of several."""
        classes = [type(step).__name__.lower() for step in self.steps]
        seen: Counter[str] = Counter()
        names = []
        for name in classes:
            seen[name] += 1
            names.append(name if classes.count(name) == 1 else f"{name}-{seen[name]}")
        return dict(zip(names, self.steps, strict=True))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the steps and, if `deep`, each by its name and its parameters by ``name__``.

        Examples
        --------
        >>> import wellgram as wg
        >>> wg.chain(wg.RobustMAD(), wg.Sphering()).get_params()["sphering__epsilon"]
        1e-06
        """
        params = super().get_params(deep)
        if deep:
            for name, step in self.named_steps.items():
                params[name] = step
                params |= {f"{name}__{key}": value for key, value in step.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set the steps, a step by its name, or its parameters by ``name__``.

        Raises
        ------
        InputError
            If there is no step or parameter of a name.

        Examples
        --------
        >>> import wellgram as wg
        >>> wg.chain(wg.RobustMAD(), wg.Sphering()).set_params(sphering__epsilon=0.1)
        chain(RobustMAD(), Sphering(epsilon=0.1))
        """
        if "steps" in params:
            self.steps = params.pop("steps")
        whole = {name: value for name, value in params.items() if "__" not in name}
        for name, value in whole.items():
            steps = self.named_steps
            self._check_step(name, steps)
            changed = [value if key == name else step for key, step in steps.items()]
            self.steps = changed if isinstance(self.steps, list) else tuple(changed)
        for name, value in params.items():
            step, parted, key = name.partition("__")
            if parted:
                self._check_step(step, self.named_steps)
                self.named_steps[step].set_params(**{key: value})
        return self

    def _check_step(self, name: str, steps: dict[str, Alignment]) -> None:
        if name not in steps:
            known = ["steps", *steps]
            raise InputError(f"{type(self).__name__} has no parameter {name!r}; {known}")

    @property
    def needs_controls(self) -> bool:
        """Whether one of its steps is fitted on controls."""
        return any(step.needs_controls for step in self.steps)

    def fit_sample(self, sample: Sample) -> None:
        """Fit to a sample."""
        if not sample.in_memory and self._needs_only_controls():
            sample = sample.chosen(
                sample.is_control
            )  # one pass, where each step would take its own
        raw: dict[str, GroupMoments] = {}
        affine: BatchAffine | None = None
        parts: list[Alignment | BatchAffine] = []
        features = sample.features
        for step in self.steps:
            width = affine.features if affine else sample.width
            if isinstance(step, MomentAlignment):
                codes = step.fitting(sample)
                if step.fits_on not in raw:
                    spread = self._spread(step.fits_on)
                    raw[step.fits_on] = sample.moments(codes, spread)
                moments = raw[step.fits_on]
                if affine and any(part.is_scaled for part in raw.values()):
                    step.fit_sample(_aligned(sample, affine))  # whose features have other units
                else:
                    step.fit_moments(affine.moments(moments) if affine else moments, sample.names)
            elif isinstance(step, AffineAlignment):
                step.fit_sample(_aligned(sample, affine))
            else:
                now = replace(_aligned(sample, affine), features=features)
                step.fit_sample(now)
                parts += [affine, step] if affine else [step]
                sample = step.transform_sample(now)
                affine, raw = None, {}
            if isinstance(step, AffineAlignment):
                affine = affine.then(step.affine_) if affine else step.affine_
            step.learn_features(width, None)
            if features is not None:
                features = tuple(step.get_feature_names_out(features))
        if affine:
            parts.append(affine)
        self.parts_ = parts
        vars(self).pop("affine_", None)  # of steps that were there at an earlier fit
        if len(parts) == 1 and isinstance(parts[0], BatchAffine):
            self.affine_ = parts[0]

    def _needs_only_controls(self) -> bool:
        """Whether rows of controls, beyond their moments, are all that it is fitted on."""
        affine = [step for step in self.steps if isinstance(step, AffineAlignment)]
        if len(affine) < len(self.steps):
            return False  # the others take all wells
        only_moments = all(isinstance(step, MomentAlignment) for step in affine)
        return not only_moments and all(step.fits_on == "controls" for step in affine)

    def _spread(self, fits_on: str) -> Spread:
        """Return what to keep of the spread of those wells, so that it serves all steps.

        Variances are enough only where no step of the chain mixes features.
        """
        steps = [step for step in self.steps if isinstance(step, MomentAlignment)]
        if any(step.wanted_spread() == "rows" for step in steps if step.fits_on == fits_on):
            return "rows"
        only_variances = all(step.wanted_spread() == "variances" for step in steps)
        return "variances" if only_variances else "smaller"

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample, aligned."""
        for part in self.parts_:
            sample = (
                part.apply_sample(sample)
                if isinstance(part, BatchAffine)
                else part.transform_sample(sample)
            )
        return sample

    @property
    def streams(self) -> bool:
        """Whether all of its steps can be fitted and applied to wells that are read in chunks."""
        return all(step.streams for step in self.steps)

    @property
    def least_rows(self) -> int:
        """How many rows it is fitted on at the least."""
        return max(step.least_rows for step in self.steps)

    def get_feature_names_out(self, input_features: Any = None) -> Names:
        """Return the names (k,) of the features that come out: of the last step.

        See `Alignment.get_feature_names_out`.
        """
        self.check_fitted()
        fitted = getattr(self, "feature_names_in_", None)
        names = chosen_names(input_features, fitted, self.n_features_in_)
        for step in self.steps:
            names = step.get_feature_names_out(names)
        return names

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.steps))})"


def chain(*steps: Alignment) -> Chain:
    """Return alignments in turn, as one: see `Chain`."""
    return Chain(steps)


def _aligned(sample: Sample, affine: BatchAffine | None) -> Sample:
    return sample if affine is None else affine.apply_sample(sample)
