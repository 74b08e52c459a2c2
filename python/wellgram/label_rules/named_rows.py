"""A map by the names of its rows: its vectors, its neighbors, its table."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.errors import InputError
from wellgram.label_rules.spellings import near_spellings
from wellgram.plots.html_tables import html_of

_SHOWN = 4
"""How many rows, or names spelled alike, a message names"""
_ANSWERS: list[Callable[..., Any]] = []
"""What looks neighbors up; the pass over pairs is a floor above, and hands it in"""


def answer_neighbors(look_up: Callable[..., Any]) -> None:
    """Take the function that `NamedRows.neighbors` asks."""
    _ANSWERS[:] = [look_up]


class NamedRows:
    """A map whose rows are found by the names of perturbations."""

    labels: pd.DataFrame

    def row(self, perturbation: str | int) -> int:
        """Return the row of a perturbation, by its name or its number.

        Raises
        ------
        InputError
            If there is none, or several rows have the name (doses of a compound).
        """
        count = len(self.labels)
        if isinstance(perturbation, int | np.integer) and not isinstance(perturbation, bool):
            if not -count <= perturbation < count:
                raise InputError(
                    f"the map has no row {perturbation}: its rows are 0 to {count - 1}"
                )
            return int(perturbation) % count
        if not isinstance(perturbation, str):
            raise InputError(
                f"a row is asked for by a name or a number, not by {type(perturbation).__name__}"
            )
        rows = self._rows_of(perturbation)
        if len(rows) == 1:
            return int(rows[0])
        if len(rows):
            given = ", ".join(map(str, rows[:_SHOWN]))
            raise InputError(
                f"the map has {len(rows)} rows of {perturbation!r}: give the number of one "
                f"instead, such as {given}"
            )
        names = self.labels["perturbation"].astype("str").dropna().drop_duplicates().tolist()
        folded = [name.casefold() for name in names]
        alike = [names[k] for k in near_spellings(perturbation.strip().casefold(), folded, _SHOWN)]
        meant = f"; it has {', '.join(map(repr, alike))}" if alike else ""
        raise InputError(f"the map has no perturbation {perturbation!r}{meant}")

    def __contains__(self, perturbation: object) -> bool:
        return isinstance(perturbation, str) and len(self._rows_of(perturbation)) > 0

    def neighbors(
        self, perturbation: str | int, k: int = 25, *, farthest: int | None = None
    ) -> Any:
        """Return the nearest and the farthest of one perturbation: see `wellgram.neighbors_of`.

        Parameters
        ----------
        perturbation
            Its name, or the number of its row where several have one name (doses of a compound).
        k
            How many of the nearest; all of them, if there are fewer.
        farthest
            How many of the farthest, if not k as well.

        Returns
        -------
        wellgram.pairs.PerturbationNeighbors
            With a `table`, a `plot` and a `save`.
        """
        (look_up,) = _ANSWERS
        return look_up(self, self.row(perturbation), k, farthest=farthest)

    def to_frame(self) -> pd.DataFrame:
        """Return the embeddings as a table, with the labels of the map as its index.

        Columns are ``feature_0`` and so on. The index is the perturbation; where the map has types
        or doses, it is these as well.
        """
        keys = [key for key in ("perturbation", "dose", "perturbation_type") if key in self.labels]
        labels = self.labels[keys]
        index = pd.Index(labels[keys[0]]) if len(keys) == 1 else pd.MultiIndex.from_frame(labels)
        rows = np.asarray(getattr(self, "embeddings"))  # noqa: B009 - a field, or read from a file
        return pd.DataFrame(rows, index, [f"feature_{k}" for k in range(rows.shape[1])])

    def _rows_of(self, perturbation: str) -> "np.typing.NDArray[np.int64]":
        return np.flatnonzero(self.labels["perturbation"].astype("str") == perturbation)

    def _repr_html_(self) -> str:
        return html_of(repr(self), self.labels)
