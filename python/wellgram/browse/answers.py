"""What the page is answered, as records of JSON and as tables to download."""

from typing import Any

import numpy as np
import pandas as pd

from wellgram.browse.browsed_map import BrowsedMap, shown
from wellgram.browse.feature_differences import FeatureDifferences
from wellgram.browse.two_perturbations import Comparison
from wellgram.pairs import PerturbationNeighbors

_SUGGESTED = 12
_LISTED = 100
"""How many rows of one name are listed"""
_FEATURES = 20
"""How many features are shown; the table to download has all"""


def suggestions(browsed: BrowsedMap, text: str, perturbation_type: str | None) -> dict[str, Any]:
    """Answer a text that is being typed: some matches, and how many there are."""
    matches = browsed.search.matches(text, perturbation_type, _SUGGESTED)
    return {"total": matches.total, "matches": [*map(browsed.match, matches.shown)]}


def meaning(browsed: BrowsedMap, text: str, perturbation_type: str | None) -> dict[str, Any]:
    """Answer a whole text: the rows it names, matches to choose from, or names spelled alike."""
    answer = browsed.search.answer(text, perturbation_type)
    return {
        "rows": [browsed.named(int(row)) for row in answer.rows[:_LISTED]],
        "named": len(answer.rows),
        "total": answer.matches.total,
        "matches": [*map(browsed.match, answer.matches.shown)],
        "alike": [*map(browsed.match, answer.alike)],
    }


def neighbors_answer(
    browsed: BrowsedMap, near: PerturbationNeighbors, partners: int
) -> dict[str, Any]:
    """Answer what is near and far of a row."""
    known = browsed.known.sources_of(near.row, near.table["row"].to_numpy())
    records = near.table.astype({"cosine": float}).to_dict("records")
    return {
        **browsed.named(near.row),
        "partners": partners,
        "same": [browsed.named(row) for row in browsed.search.of_one_name(near.row, _SUGGESTED)],
        "neighbors": [
            {
                **browsed.named(record["row"]),
                **{key: record[key] for key in ("side", "rank", "cosine", "percentile")},
                "known": sources,
            }
            for record, sources in zip(records, known, strict=True)
        ],
    }


def neighbors_table(browsed: BrowsedMap, near: PerturbationNeighbors) -> pd.DataFrame:
    """Return what is near and far of a row as a table, with known pairs where there are any."""
    return _with_known(browsed, near.row, near.table)


def comparison_answer(browsed: BrowsedMap, comparison: Comparison) -> dict[str, Any]:
    """Answer how two rows are alike."""
    both = (comparison.first, comparison.second)
    shared = comparison.shared
    known = [browsed.known.sources_of(near.row, shared["row"].to_numpy()) for near in both]
    partner = np.array([both[1].row])
    return {
        "perturbations": [browsed.named(near.row) for near in both],
        "cosine": comparison.cosine,
        "percentiles": list(comparison.percentiles),
        "known": browsed.known.sources_of(both[0].row, partner)[0],
        "edges": list(comparison.edges),
        "counts": [counts.tolist() for counts in comparison.counts],
        "known_cosines": [_known_cosines(browsed, near) for near in both],
        "expected": comparison.expected,
        "shared": [
            {
                **browsed.named(record["row"]),
                "ranks": [record["rank"], record["other_rank"]],
                "cosines": [float(record["cosine"]), float(record["other_cosine"])],
                "known": list(sources),
            }
            for record, *sources in zip(shared.to_dict("records"), *known, strict=True)
        ],
    }


def comparison_table(browsed: BrowsedMap, comparison: Comparison) -> pd.DataFrame:
    """Return the shared neighbors of two rows as a table."""
    shared = comparison.shared
    names = browsed.lookup.labels["perturbation"].iloc[shared["row"]].to_numpy()
    return shared.assign(perturbation=names)[["perturbation", *shared.columns]]


def features_answer(
    browsed: BrowsedMap, row: int, differences: FeatureDifferences
) -> dict[str, Any]:
    """Answer in which features a row differs from controls; what is infinite is null."""
    table = differences.table.head(_FEATURES)
    numbers = table.drop(columns="feature").to_numpy()
    return {
        **browsed.named(row),
        "wells": differences.wells,
        "controls": differences.controls,
        "plates": differences.plates,
        "features": len(differences.table),
        "significant": int((differences.table["q_value"] <= 0.05).sum()),
        "differences": [
            {"feature": shown(str(name))}
            | {
                key: float(value) if np.isfinite(value) else None
                for key, value in zip(table.columns[1:], values, strict=True)
            }
            for name, values in zip(table["feature"], numbers, strict=True)
        ],
    }


def _known_cosines(browsed: BrowsedMap, near: PerturbationNeighbors) -> list[float]:
    """Return the cosines of a row with its known partners, but itself."""
    rows = browsed.known.of(near.row)
    return [float(cosine) for cosine in near.cosines[rows] if not np.isnan(cosine)]


def _with_known(browsed: BrowsedMap, row: int, table: pd.DataFrame) -> pd.DataFrame:
    if not browsed.known.sources:
        return table
    known = browsed.known.sources_of(row, table["row"].to_numpy())
    return table.assign(known=["; ".join(sources) for sources in known])
