"""Measures of replicates by average precision, as the field names them, within batches and across.

Phenotypic activity ranks a perturbation's replicates before the controls of their batch (plate);
distinctiveness ranks them before other perturbations of it. Published figures take replicates of
any batch: then negatives of the same batch may be nearer than replicates of others for the batch
alone. So both are measured within a batch too, and activity across batches, where neither kind of
partner is of the same batch. Names and rules: MorphMap (Chandrasekaran et al. 2025) and copairs
(Kalinin et al. 2025).
"""

from dataclasses import dataclass

import numpy as np

from wellgram.backends.protocol import Codes
from wellgram.metrics.pairing import Columns, Rules
from wellgram.nulls import random_subsets, stream_of
from wellgram.suite.contract import Task
from wellgram.wells import KEYS

ACTIVITY = "phenotypic activity"
DISTINCTIVENESS = "distinctiveness"

_MOST_CONTROLS = 1000
"""Of other batches to rank a well among: all of them would be many times the work"""


@dataclass(frozen=True)
class PrecisionMeasure:
    """A measure: which wells are positives of each other, and which negatives."""

    name: str
    pos_sameby: tuple[str, ...]
    pos_diffby: tuple[str, ...]
    neg_sameby: tuple[str, ...]
    neg_diffby: tuple[str, ...]
    mixes_batches: bool = False
    """Whether positives may be of other batches than negatives"""
    few_controls: bool = False
    """Whether a sample of the controls is enough"""
    within: str | None = None
    """The measure of the same negatives whose positives these are some of"""

    @property
    def rules(self) -> Rules:
        """The same, as pairs are found by."""
        return Rules(
            Columns.of(self.pos_sameby),
            Columns.of(self.pos_diffby),
            Columns.of(self.neg_sameby),
            Columns.of(self.neg_diffby),
        )


def perturbation_keys(task: Task) -> list[str]:
    """Return the columns that name a perturbation of the screen."""
    return [key for key in KEYS if key in task.wells.metadata]


def measures_of(task: Task) -> list[PrecisionMeasure]:
    """Return the measures of a screen; the first is the published phenotypic activity."""
    keys = tuple(perturbation_keys(task))
    control, others = ("is_control",), ("perturbation",)
    if "batch" not in task.wells.metadata:
        return [
            PrecisionMeasure(ACTIVITY, keys, (), (), control),
            PrecisionMeasure(DISTINCTIVENESS, keys, (), control, others),
        ]
    batch = ("batch",)
    several = len(task.wells.batches()[1]) > 1
    measures = [
        PrecisionMeasure(ACTIVITY, keys, (), batch, control, several),
        PrecisionMeasure(DISTINCTIVENESS, keys, (), batch + control, others, several),
    ]
    if not several:
        return measures
    activity, distinctiveness = measures
    return [
        activity,
        PrecisionMeasure(
            f"{ACTIVITY} within a batch", keys + batch, (), batch, control, within=ACTIVITY
        ),
        PrecisionMeasure(
            f"{ACTIVITY} across batches", keys, batch, (), control + batch, few_controls=True
        ),
        distinctiveness,
        PrecisionMeasure(
            f"{DISTINCTIVENESS} within a batch",
            keys + batch,
            (),
            batch + control,
            others,
            within=DISTINCTIVENESS,
        ),
    ]


def measured_wells(task: Task, measure: PrecisionMeasure) -> Codes:
    """Return the wells that a measure compares: all, or a sample of the controls only."""
    metadata = task.aligned.metadata
    controls = np.flatnonzero(metadata["is_control"].to_numpy(bool))
    if not measure.few_controls or len(controls) <= _MOST_CONTROLS:
        return np.arange(len(metadata))
    drawn = random_subsets(
        len(controls), _MOST_CONTROLS, 1, seed=task.seed, stream=stream_of("controls")
    )[0]
    kept = np.ones(len(metadata), bool)
    kept[controls] = False
    kept[controls[drawn]] = True
    return np.flatnonzero(kept)
