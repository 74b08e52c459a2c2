"""What the scores of replicates share: their result, aligned wells, known negatives."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Aligner, aligned_in_memory
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes, Floats, Rows
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.nulls import benjamini_hochberg
from wellgram.wells import WellLabels

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class ReplicateResult:
    """A score of each perturbation's wells, one row per perturbation of a map, and its p-value."""

    name: ClassVar[str]
    table: pd.DataFrame
    null: str
    """What the scores were compared with, in words"""

    def __repr__(self) -> str:
        tested = self.table["q_value"].notna()
        found = int((self.table["q_value"] <= 0.05).sum())
        return (
            f"{self.name}: {found:,} of {int(tested.sum()):,} perturbations at a false discovery "
            f"rate of 5 %, against {self.null}"
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the histogram of p-values; return the matplotlib axes."""
        from wellgram.plots import plot_p_values

        return plot_p_values(self.table["p_value"].to_numpy(), ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


def tested_table(
    labels: pd.DataFrame,
    score: str,
    scores: Floats,
    p: Floats,
    null_mean: Floats,
    reason: NDArray[np.str_],
) -> pd.DataFrame:
    """Return the labels of a map with scores, p-values and false discovery rates beside them."""
    keys = [key for key in labels.columns if key != "n_wells"]
    return labels[keys].assign(
        n_wells=labels["n_wells"],
        **{score: scores},
        p_value=p,
        q_value=benjamini_hochberg(p),
        null_mean=null_mean,
        reason=reason,
    )


def control_perturbations(wells: WellLabels, codes: Codes, groups: int) -> NDArray[np.bool_]:
    """Return which perturbations (groups,) of a map hold controls; codes (n,), -1 for none."""
    is_control = wells.metadata["is_control"].to_numpy(bool)
    return np.bincount(codes[(codes >= 0) & is_control], minlength=groups) > 0


def aligned_rows(wells: WellLabels, align: Aligner) -> Rows:
    """Return the wells' embeddings, aligned if asked; an alignment is fitted if it was not."""
    return aligned_in_memory(wells, align).embeddings


def check_null(null: str, known: Sequence[str], negatives: Sequence[str], draws: int) -> None:
    """Raise unless the null is one that is known, and what goes with it goes with it."""
    if null not in known:
        raise InputError(f"unknown null {null!r}; choose {', '.join(known)}")
    if null != "negatives" and len(negatives):
        raise InputError("negatives= go with null='negatives'")
    check_whole(draws, "draws")
    if draws < 1:
        raise InputError(f"draws must be 1 or more, not {draws}")


def negative_rows(
    labels: pd.DataFrame, negatives: Sequence[str], wanted: bool
) -> NDArray[np.bool_]:
    """Return which rows of a map are perturbations that do nothing; none unless wanted.

    Raises
    ------
    InputError
        If they are wanted and none is in the map.
    """
    if not wanted:
        return np.zeros(len(labels), bool)
    found: NDArray[np.bool_] = labels["perturbation"].isin(list(negatives)).to_numpy(bool)
    if not found.any():
        first = f" (first: {negatives[0]!r})" if len(negatives) else ""
        raise InputError(
            f"no perturbation of the map is a negative control{first}; name some (negatives=), or "
            "take random sets of wells (null='permutation')"
        )
    return found
