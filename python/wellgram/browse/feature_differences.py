"""In which features the wells of a perturbation differ from controls of the same plates."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from wellgram.backends.protocol import Codes, Floats
from wellgram.errors import InputError
from wellgram.nulls import benjamini_hochberg
from wellgram.wells import KEYS, Wells

_ROUNDING = 1e-12
"""Of the largest value of a feature: what differs by less does not differ"""


@dataclass(frozen=True)
class FeatureDifferences:
    """Features of a perturbation, those that differ most first.

    Columns of `table`: ``feature``; ``difference`` of the means, within plates; ``t``;
    ``cohens_d``; ``p_value``, two-sided; ``q_value``, Benjamini-Hochberg over the features.
    """

    table: pd.DataFrame
    wells: int
    controls: int
    plates: int


class WellsOfRows:
    """The wells that the rows of a map are made of, and the controls of their plates.

    Parameters
    ----------
    wells
        The wells of the map, as they were measured.
    labels
        The labels of the map's rows.
    plate
        The column of the plate, which is told apart within batches; None: batches are plates.

    Raises
    ------
    InputError
        If no row of the map has wells, or no well is a control.
    """

    def __init__(self, wells: Wells, labels: pd.DataFrame, plate: str | None = None) -> None:
        metadata = wells.metadata
        keys = [key for key in KEYS if key in metadata and key in labels]
        rows = labels[keys].assign(row=np.arange(len(labels)))
        wanted = metadata[keys].assign(well=np.arange(len(metadata)))[metadata["in_map"]]
        met = wanted.astype(_texts(wanted)).merge(rows.astype(_texts(rows)), on=keys)
        if met.empty:
            raise InputError(
                "no perturbation of the map has wells among those given; give the wells that the "
                "map was made of"
            )
        if not metadata["is_control"].any():
            raise InputError("no well is a control: name their label (--control)")
        self._wells, self._met = wells, met.sort_values(["row", "well"])
        self._plates = _plates(wells, plate)
        self._control = metadata["is_control"].to_numpy(bool)
        self._features = list(wells.feature_columns) or [
            f"feature {k}" for k in range(wells.features)
        ]

    def differences(self, row: int) -> FeatureDifferences:
        """Return the features in which a row's wells differ from controls of the same plates.

        Each feature is fitted by a mean per plate and one effect of the perturbation; t is that of
        the effect, and Cohen's d the effect over the standard deviation of the residuals. With one
        plate these are Student's t and Cohen's d of two samples.

        Raises
        ------
        InputError
            If no well of the row lies on a plate with controls, or there are too few wells.
        """
        place = self._met["row"].searchsorted([row, row + 1])
        mine = self._met["well"].to_numpy()[place[0] : place[1]]
        mine = mine[~self._control[mine]]
        plates = np.intersect1d(self._plates[mine], self._plates[self._control])
        mine = mine[np.isin(self._plates[mine], plates)]
        controls = np.flatnonzero(self._control & np.isin(self._plates, plates))
        spare = len(mine) + len(controls) - len(plates) - 1
        if not len(mine):
            raise InputError("none of its wells lies on a plate with controls")
        if spare < 1:
            raise InputError(
                f"{len(mine)} wells and {len(controls)} controls on {len(plates)} plates are too "
                "few for a t-test"
            )
        both = np.concatenate([mine, controls])
        x = self._wells.embeddings[both].astype(np.float64)
        effect, t, d = _fitted(x, np.arange(len(both)) < len(mine), self._plates[both], spare)
        p = 2 * stdtr(spare, -np.abs(t))
        table = pd.DataFrame(
            {
                "feature": self._features, "difference": effect, "t": t, "cohens_d": d,
                "p_value": p, "q_value": benjamini_hochberg(p),
            }
        )  # fmt: skip
        order = np.argsort(-np.abs(t), kind="stable")
        table = table.iloc[order].reset_index(drop=True)
        return FeatureDifferences(table, len(mine), len(controls), len(plates))


def _fitted(
    x: Floats, treated: "np.typing.NDArray[np.bool_]", plates: Codes, spare: int
) -> tuple[Floats, Floats, Floats]:
    """Return the effect of treatment, its t, and Cohen's d of each feature: (d,) each.

    By least squares with a mean per plate: both sides of the regression are centred by plate.
    """
    _, code = np.unique(plates, return_inverse=True)
    counts = np.bincount(code)
    is_treated = treated.astype(np.float64)
    is_treated -= (np.bincount(code, is_treated) / counts)[code]
    means = np.zeros((len(counts), x.shape[1]))
    np.add.at(means, code, x)
    centred = x - (means / counts[:, None])[code]
    size = is_treated @ is_treated
    effect = is_treated @ centred / size
    left = centred - is_treated[:, None] * effect
    sd = np.sqrt(np.einsum("ij,ij->j", left, left) / spare)
    rounding = _ROUNDING * np.abs(x).max(axis=0)
    effect, sd = (np.where(np.abs(value) <= rounding, 0.0, value) for value in (effect, sd))
    with np.errstate(divide="ignore", invalid="ignore"):
        d = np.where(effect == 0, 0.0, effect / sd)
    return effect, d * np.sqrt(size), d


def _plates(wells: Wells, plate: str | None) -> Codes:
    """Return the plate of each well, by batch and by a column if one is named."""
    batches = wells.batches()[0]
    if plate is None:
        return batches
    if plate not in wells.metadata:
        have = ", ".join(map(repr, wells.metadata.columns))
        raise InputError(f"the wells have no column {plate!r} of the plate; there are: {have}")
    codes, names = pd.factorize(wells.metadata[plate])
    return batches * (len(names) + 1) + codes


def _texts(table: pd.DataFrame) -> dict[str, str]:
    """Return the types that let keys of wells and of a map be compared."""
    return {key: "str" for key in ("perturbation", "perturbation_type") if key in table}
