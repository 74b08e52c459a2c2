"""Several alignments in turn, as one."""

from collections.abc import Iterable

from wellgram.align.affine import AnySample, BatchAffine
from wellgram.align.estimator import AffineAlignment, Alignment
from wellgram.align.from_moments import MomentAlignment
from wellgram.align.sample import Sample
from wellgram.backends.protocol import GroupMoments, Spread
from wellgram.errors import InputError


class Chain(Alignment):
    """Alignments in turn, each fitted on what the one before made of the wells.

    Where all of them follow from moments, wells are read once and only moments go from one to the
    next; where all are affine, so is the chain, and `affine_` is their composition.

    Parameters
    ----------
    steps
        The alignments.
    """

    affine_: BatchAffine

    def __init__(self, steps: Iterable[Alignment]) -> None:
        self.steps = list(steps)
        self.check_params()

    @property
    def name(self) -> str:  # type: ignore[override]
        """The names of its steps, joined by +."""
        return "+".join(step.name for step in self.steps)

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if not self.steps:
            raise InputError("a chain needs one alignment or more")
        for step in self.steps:
            if not isinstance(step, Alignment):
                raise InputError(f"a chain is made of alignments, not {type(step).__name__}")
            step.check_params()

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
        for step in self.steps:
            if isinstance(step, MomentAlignment):
                codes = step.fitting(sample)
                if step.fits_on not in raw:
                    spread = self._spread(step.fits_on)
                    raw[step.fits_on] = sample.moments(codes, spread)
                moments = raw[step.fits_on]
                step.fit_moments(affine.moments(moments) if affine else moments, sample.names)
            elif isinstance(step, AffineAlignment):
                step.fit_sample(_aligned(sample, affine))
            else:
                now = _aligned(sample, affine)
                step.fit_sample(now)
                parts += [affine, step] if affine else [step]
                sample = step.transform_sample(now)
                affine, raw = None, {}
                continue
            affine = affine.then(step.affine_) if affine else step.affine_
        if affine:
            parts.append(affine)
        self.parts_ = parts
        if len(parts) == 1 and isinstance(parts[0], BatchAffine):
            self.affine_ = parts[0]

    def _needs_only_controls(self) -> bool:
        """Whether rows of controls, beyond their moments, are all that it is fitted on."""
        affine = [step for step in self.steps if isinstance(step, AffineAlignment)]
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

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.steps))})"


def chain(*steps: Alignment) -> Chain:
    """Return alignments in turn, as one: see `Chain`."""
    return Chain(steps)


def _aligned(sample: Sample, affine: BatchAffine | None) -> Sample:
    return sample if affine is None else affine.apply_sample(sample)
