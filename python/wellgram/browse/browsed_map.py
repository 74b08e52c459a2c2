"""What the page of a map is made of, and how it names rows."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.browse.feature_differences import WellsOfRows
from wellgram.browse.known_partners import KnownPartners
from wellgram.browse.map_points import MapPoints
from wellgram.browse.perturbation_search import Match, PerturbationSearch
from wellgram.pairs import MapLookup
from wellgram.wells import Wells

_LONGEST_NAME = 200
"""How many characters of a name are shown; the table to download has all of them"""
_LONGEST_FILE = 60
"""How many characters of a name are in the name of a file"""
_EXAMPLES = 3


class BrowsedMap:
    """A map with its search, its known pairs and its wells."""

    def __init__(
        self,
        lookup: MapLookup,
        sources: Mapping[str, pd.DataFrame],
        wells: Wells | None,
        plate: str | None,
    ) -> None:
        self.lookup = lookup
        self.search = PerturbationSearch(lookup)
        self.known = KnownPartners(sources, lookup.labels["perturbation"])
        self.wells = None if wells is None else WellsOfRows(wells, lookup.labels, plate)
        self.points = MapPoints(lookup.rows, self._types())

    def _types(self) -> Codes:
        labels = self.lookup.labels
        if "perturbation_type" not in labels:
            return np.full(len(labels), -1)
        return pd.factorize(labels["perturbation_type"].to_numpy(object))[0]

    def named(self, row: int) -> dict[str, Any]:
        """Return a row as the page names it: in words, by its number, and by its address."""
        address = self.search.address(row)
        if address is not None and shown(address) != address:
            address = None  # too long, or no UTF-8
        return {"row": row, "name": shown(self.search.words(row)), "address": address}

    def match(self, match: Match) -> dict[str, Any]:
        """Return a match as the page shows it; rows of one name are counted."""
        if len(match.rows) == 1:
            return {**self.named(int(match.rows[0])), "rows": 1}
        name = shown(match.perturbation)
        address = match.perturbation if name == match.perturbation else None
        return {
            "row": int(match.rows[0]),
            "name": name,
            "address": address,
            "rows": len(match.rows),
        }

    def examples(self) -> list[dict[str, Any]]:
        """Return a few rows to begin with: of known pairs where there are, and of each type."""
        spread = np.unique(np.linspace(0, len(self.lookup) - 1, 200).astype(np.int64))
        known = [row for row in spread if len(self.known.of(row))]
        first_of_type = np.unique(self._types(), return_index=True)[1]
        labelled = self.lookup.labels["perturbation"].notna().to_numpy()
        rows = dict.fromkeys([*known[:2], *first_of_type, *spread])
        return [self.named(int(row)) for row in rows if labelled[row]][:_EXAMPLES]

    def file_name(self, what: str, *rows: int) -> str:
        """Return the name of a table to download: what it has, and of which rows."""
        words = []
        for row in rows:
            name = self.search.address(row) or self.search.words(row)
            word = re.sub(r"[^A-Za-z0-9.]+", "-", name[:_LONGEST_FILE]).strip("-.")
            words.append(word or f"row-{row}")
        return "-".join([what, *words]) + ".csv"


def shown(text: str) -> str:
    """Return a text as the page shows it: not too long, and as UTF-8 can have it."""
    cut = text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}\N{HORIZONTAL ELLIPSIS}"
    return cut.encode("utf-8", "replace").decode()
