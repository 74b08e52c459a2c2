"""One perturbation of a map: found by its name, and what is near and far of it."""

from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Codes
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.label_rules.named_rows import answer_neighbors
from wellgram.label_rules.spellings import near_spellings
from wellgram.pairs.row_labels import label_columns
from wellgram.pairs.unit_rows import Map, PairDtype, UnitRows
from wellgram.plots.html_tables import ShownTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False, eq=False)
class PerturbationNeighbors(ShownTable):
    """The nearest and the farthest partners of one row of a map.

    Columns of `table`, the nearest first, then the farthest: ``side`` (``nearest`` or
    ``farthest``); ``rank`` from 1, within the side; the labels of the partner and its ``row``;
    ``cosine``; and ``percentile``, how many percent of the row's partners have no larger cosine.
    """

    name: str
    """Of the perturbation, with its type and dose where the map has them"""
    row: int
    table: pd.DataFrame
    cosines: NDArray[np.floating[Any]]
    """(n,): with every row of the map; NaN with itself"""

    def __repr__(self) -> str:
        shown = self.table.drop(columns="row").to_string(index=False, max_rows=20)
        return f"Neighbors of {self.name}, row {self.row} of {len(self.cosines):,}\n{shown}"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the cosines with all others, these marked; return the matplotlib axes."""
        from wellgram.plots import plot_neighbors_of

        near, far = (
            self.table["cosine"][self.table["side"] == side].to_numpy()
            for side in ("nearest", "farthest")
        )
        return plot_neighbors_of(self.cosines, near, far, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


class MapLookup:
    """A map in which perturbations are looked up, one at a time.

    Each question takes the cosines of one row with all rows, so a map of the whole genome is
    answered from without its matrix; a map of less than half a gigabyte is held in memory, a larger
    one is read through for every question.

    Parameters
    ----------
    map_
        A map, or one that stays on disk, such as `open_map` returns.
    dtype, backend
        As for `wellgram.pairs.scan_pairs`.

    Raises
    ------
    InputError
        If the map has no labels, fewer than two rows, or as `wellgram.pairs.scan_pairs` has it.
    """

    @takes_backend
    def __init__(
        self, map_: Map, *, dtype: PairDtype | None = None, backend: str | None = None
    ) -> None:
        self.rows = UnitRows(map_, dtype)
        """The rows of the map, scaled to length 1"""
        labels = self.rows.labels
        if labels is None or "perturbation" not in labels:
            raise InputError("nothing can be looked up in a map whose rows have no names")
        self.labels: pd.DataFrame = labels
        """One row per perturbation"""
        if len(labels) < 2:
            raise InputError(f"the map has {len(labels)} rows: nothing is near or far")
        self._names = labels["perturbation"].astype("str").to_numpy()
        self._folded = pd.Series(self._names).str.casefold()
        self._doses, self._types = (
            labels[key].to_numpy(object) if key in labels else np.full(len(labels), None)
            for key in ("dose", "perturbation_type")
        )
        self._type_codes, types = pd.factorize(self._types)
        self.types = [str(kind) for kind in types]
        """The types of perturbations that the map has, as they come"""

    def __len__(self) -> int:
        return len(self._names)

    def name(self, row: int) -> str:
        """Return what a row is in words: the perturbation, its dose and its type.

        A dose may be a number or a text. A row without a name is called ``(no name)``.
        """
        self._check(row)
        named = self._names[row]
        parts = [named if isinstance(named, str) and named else "(no name)"]
        dose, kind = (values[row] for values in (self._doses, self._types))
        if pd.notna(dose):
            parts.append(f"{dose:g}" if isinstance(dose, Real) else str(dose))
        if pd.notna(kind):
            parts.append(str(kind))
        return ", ".join(parts)

    def suggest(self, text: str, most: int = 12) -> pd.DataFrame:
        """Return rows whose name begins with a text, then those that hold it: ``row``, ``name``.

        Case does not matter; shorter names come first, then the order of the alphabet.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return pd.DataFrame({"row": np.empty(0, np.int64), "name": np.empty(0, object)})
        place = self._folded.str.find(wanted).to_numpy()
        found = np.flatnonzero(place >= 0)
        order = np.lexsort(
            (found, self._names[found], self._folded.str.len().to_numpy()[found], place[found] > 0)
        )
        rows = found[order][:most]
        return pd.DataFrame({"row": rows, "name": [self.name(int(row)) for row in rows]})

    def row(self, perturbation: str) -> int:
        """Return the row of a perturbation.

        Raises
        ------
        InputError
            If there is none of that name, or several.
        """
        rows = np.flatnonzero(self._names == perturbation)
        if len(rows) == 1:
            return int(rows[0])
        if not len(rows):
            raise InputError(
                f"the map has no perturbation {perturbation!r}; it has "
                f"{'; '.join(self._alike(perturbation))}"
            )
        shown = ", ".join(f"{row} ({self.name(int(row))})" for row in rows[:4])
        raise InputError(
            f"the map has {len(rows)} rows of {perturbation!r}: give a row instead, such as {shown}"
        )

    def neighbors_of(
        self,
        perturbation: str | int,
        k: int = 25,
        *,
        farthest: int | None = None,
        perturbation_type: str | None = None,
    ) -> PerturbationNeighbors:
        """Return the nearest and the farthest of one perturbation: see `neighbors_of`.

        With `perturbation_type`, its partners are the rows of that type alone; ranks and
        percentiles are then among these.
        """
        if isinstance(perturbation, str):
            row = self.row(perturbation)
        else:
            check_whole(perturbation, "perturbation, where it is no name,")
            row = int(perturbation)
        self._check(row)
        check_whole(k, "k")
        check_whole(k if farthest is None else farthest, "farthest")
        far = k if farthest is None else farthest
        if min(k, far) < 0 or max(k, far) == 0:
            raise InputError(f"ask for one neighbor at least, not k={k} and farthest={far}")
        partners = self.partners(row, perturbation_type)
        cosines = self._cosines(row)
        among = cosines[partners]
        near, near_below = _lowest(-among, k)
        away, away_below = _lowest(among, far)
        sides = {
            "nearest": (near, len(partners) - near_below[:, 0]),
            "farthest": (away, away_below[:, 1]),
        }
        parts = []
        for side, (places, up_to) in sides.items():
            chosen = partners[places]
            ranked = pd.DataFrame({"side": side, "rank": np.arange(1, len(chosen) + 1)})
            labels = label_columns(self.rows, chosen)
            percentile = 100 * up_to / len(partners)
            parts.append(
                pd.concat([ranked, labels], axis=1).assign(
                    cosine=cosines[chosen], percentile=percentile
                )
            )
        table = pd.concat(parts, ignore_index=True)
        return PerturbationNeighbors(self.name(row), row, table, cosines)

    def partners(self, row: int, perturbation_type: str | None = None) -> Codes:
        """Return the other rows, or those of one type.

        Raises
        ------
        InputError
            If there is none.
        """
        chosen = np.ones(len(self), np.bool_)
        if perturbation_type is not None:
            chosen = np.isin(
                self._type_codes,
                [code for code, kind in enumerate(self.types) if kind == perturbation_type],
            )
        chosen[row] = False
        if not chosen.any():
            types = ", ".join(map(repr, self.types)) or "no types"
            raise InputError(
                f"no other perturbation of the map is of type {perturbation_type!r}; it has {types}"
            )
        return np.flatnonzero(chosen)

    def _alike(self, name: str) -> list[str]:
        """Return names of the map that one may be meant by: but for case or blanks, if any."""
        wanted = name.strip().casefold()
        same = np.flatnonzero(self._folded == wanted)[:3]
        if len(same):
            return [self.name(int(row)) for row in same]
        spelled = near_spellings(wanted, self._folded.fillna("").tolist(), 3)
        begun = self.suggest(name[:3], 3)["row"].tolist()
        return [self.name(row) for row in dict.fromkeys([*spelled, *begun])][:3] or [self.name(0)]

    def _cosines(self, row: int) -> NDArray[np.floating[Any]]:
        """Return the cosines of a row with every row, as a pass meets them."""
        cosines = self.rows.cosines(np.full(len(self), row), np.arange(len(self)))
        cosines = np.clip(cosines, -1, 1)  # rounding carries those of equal rows past 1
        cosines[row] = np.nan
        return cosines

    def _check(self, row: int) -> None:
        if not 0 <= row < len(self):
            raise InputError(f"the map has no row {row}: its rows are 0 to {len(self) - 1}")


def _lowest(values: NDArray[np.floating[Any]], k: int) -> tuple[Codes, Codes]:
    """Return the places of the k lowest values, the lowest first, equal ones in their order.

    And how many of all values are below each, and how many are no larger: (k, 2).
    """
    k = min(k, len(values))
    limit = np.partition(values, k - 1)[k - 1] if k else -np.inf
    candidates = np.flatnonzero(values <= limit)
    order = candidates[np.argsort(values[candidates], kind="stable")]
    ascending, chosen = values[order], order[:k]
    sides = [np.searchsorted(ascending, values[chosen], side=side) for side in ("left", "right")]
    return chosen, np.stack(sides, axis=1)


@takes_backend
def neighbors_of(
    map_: Map,
    /,
    perturbation: str | int,
    k: int = 25,
    *,
    farthest: int | None = None,
    dtype: PairDtype | None = None,
    backend: str | None = None,
) -> PerturbationNeighbors:
    """Return the nearest and the farthest of one perturbation, by cosine.

    For many perturbations at once, see `neighbors`; for one after the other, `MapLookup`.

    Parameters
    ----------
    map_
        A map (p, d), or one that stays on disk, such as `open_map` returns.
    perturbation
        Its name, or the number of its row where several have one name (doses of a compound).
    k
        How many of the nearest; all of them, if there are fewer.
    farthest
        How many of the farthest, if not k as well.
    dtype, backend
        As for `wellgram.pairs.scan_pairs`.

    Raises
    ------
    InputError
        If there is no such perturbation or several, or as `MapLookup` has it.
    """
    lookup = MapLookup(map_, dtype=dtype)
    return lookup.neighbors_of(perturbation, k, farthest=farthest)


answer_neighbors(neighbors_of)
