"""Two nulls of one score: random sets of the same batches, and sets whatever their batches."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.maps.build import map_rows
from wellgram.metrics.batch_strata import SetNull
from wellgram.suite.contract import Task
from wellgram.wells import KEYS

_WORDS: dict[SetNull, str] = {
    "batches": "random sets with as many wells of each batch",
    "permutation": "random sets of as many wells, whatever their batches",
}
OTHER: dict[SetNull, SetNull] = {"batches": "permutation", "permutation": "batches"}


def has_several_batches(task: Task) -> bool:
    """Return whether the two nulls can differ."""
    return len(task.wells.batches()[1]) > 1


def comparison_words(
    task: Task, table: pd.DataFrame, chosen: SetNull, count: int, other: int, what: str
) -> str:
    """Say what either null would have counted, which is right, and why; nothing if both agree.

    Parameters
    ----------
    task, table
        The screen, and the scores of its perturbations.
    chosen
        The null of `count`; `other` is the count by the other null.
    what
        What was counted, such as ``"found"``.
    """
    if count == other:
        return ""
    tested = table["p_value"].notna().to_numpy()
    size = int(tested.sum())
    alone = int((tested & _in_one_batch(task, table)).sum())
    which = "That is the right figure" if chosen == "permutation" else "The former is right"
    return (
        f"Against {_WORDS[chosen]}, {count:,} of {size:,} ({count / size:.1%}) are {what}; against "
        f"{_WORDS[OTHER[chosen]]}, {other:,} of {size:,} ({other / size:.1%}). {which}: wells of "
        "one batch share what alignment left of batch effects, and only sets of the same batches "
        f"share it with them. {alone:,} of the {size:,} lie in one batch."
    )


def _in_one_batch(task: Task, table: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which perturbations of a table (p,) have all wells in one batch."""
    codes, labels = map_rows(task.wells)
    batches, _ = task.wells.batches()
    cells = pd.DataFrame({"code": codes, "batch": batches})[codes >= 0]
    many = cells.groupby("code")["batch"].nunique().reindex(range(len(labels)), fill_value=0)
    keys = [key for key in KEYS if key in labels]
    place = pd.MultiIndex.from_frame(labels[keys]).get_indexer(
        pd.MultiIndex.from_frame(table[keys])
    )
    return np.asarray(many == 1)[place]
