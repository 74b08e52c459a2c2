"""The labels that name controls, in whatever form they are given; and labels nearly like them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from wellgram.errors import InputError
from wellgram.label_rules.label_spelling import near_labels

Label: TypeAlias = str | bytes | float
Control: TypeAlias = Label | Sequence[Label]
"""One label or several, as the labels of wells are: text, bytes or numbers"""


def control_labels(control: Control | None) -> list[str]:
    """Return labels of controls as text; none for None.

    Raises
    ------
    InputError
        If it is no label: a mask of wells, say, or a table.
    """
    if control is None:
        return []
    given: Any = control
    alone = isinstance(given, str | bytes) or not isinstance(given, Iterable)
    labels = [given] if alone else list(given)
    if isinstance(given, Mapping) or any(map(_is_no_label, labels)):
        raise InputError(
            f"control= takes the label or labels of control wells, such as 'DMSO', not a "
            f"{type(control).__name__}{_hint(labels)}"
        )
    return [as_label(label) for label in labels]


def as_label(label: Any) -> str:
    """Return a label as text: bytes decoded, 1138.0 as 1138."""
    if isinstance(label, bytes):
        return label.decode(errors="replace")
    if isinstance(label, float | np.floating) and float(label).is_integer():
        return str(int(label))
    return str(label)


def near_misses(labels: "pd.Series[Any]", wanted: Sequence[str]) -> "pd.Series[int]":
    """Return how many wells have each label that is nearly a wanted one, and is not one."""
    counts: pd.Series[int] = labels.value_counts()
    return counts[list(near_labels(map(str, counts.index), wanted))]


def _is_no_label(label: Any) -> bool:
    return isinstance(label, bool | np.bool_) or not (
        isinstance(label, bytes) or np.isscalar(label)
    )


def _hint(labels: list[Any]) -> str:
    mask = any(isinstance(label, bool | np.bool_) for label in labels)
    return "; of a mask of wells, give the labels of those wells" if mask else ""
