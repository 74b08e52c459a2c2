"""Two embeddings on the same known pairs, or the same compounds: their difference, how surely."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Floats
from wellgram.errors import InputError, NotApplicable
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.metrics.bootstrap import gene_resamples, interval, item_resamples
from wellgram.metrics.recall import TAILS, Null, Same, relationship_recall
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.metrics.shared import shared_rows
from wellgram.metrics.target_ranking import DrugTargetsResult
from wellgram.pairs import PairDtype
from wellgram.wells import LabelledMap, PerturbationMap


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """The scores of two embeddings, ``first`` and ``second``, on the same items.

    Columns of `table`: what was scored; ``first``, ``second`` and their ``difference``, second less
    first; ``ci_low`` and ``ci_high``, 95 % of it over resamples; and ``p_value``, twice
    the share of resamples in which the difference is nil or of the other sign.
    """

    table: pd.DataFrame
    items: str
    """What was resampled"""

    def __repr__(self) -> str:
        return f"Second less first, {self.items} resampled\n{self.table.to_string(index=False)}"

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def compare_recall(
    first: LabelledMap,
    second: LabelledMap,
    sources: Sources | None = None,
    *,
    same: Same = (),
    separator: str | None = None,
    tails: Iterable[tuple[float, float]] = TAILS,
    null: Null | None = None,
    resamples: int = 1000,
    seed: int = 0,
    dtype: PairDtype | None = None,
    backend: str | None = None,
) -> ComparisonResult:
    """Return by how much the recall of known pairs differs between two maps, and how surely.

    Both are reduced to the perturbations they share, so the pairs and the size of the null are the
    same. Genes are resampled, as for `relationship_recall`, and in each resample both maps are
    scored: what a gene does to both at once cancels.

    Parameters
    ----------
    first, second
        Two maps; of how many features does not matter.
    sources, same, separator, tails, null, dtype, backend
        As for `relationship_recall`.
    resamples, seed
        How often genes are resampled, and the seed of the draws.

    Raises
    ------
    InputError
        If the maps share fewer than two perturbations, one has a perturbation twice, or as
        `relationship_recall` has it.
    """
    check_map(first)
    check_map(second)
    tails = list(tails)
    # In an order that does not depend on which is the first, so that the draws do not.
    rows = shared_rows(first, second)
    rows = rows.sort_values([str(name) for name in rows.columns.drop(["row_first", "row_second"])])
    shared = [
        PerturbationMap(map_.embeddings[of], map_.labels.iloc[of].reset_index(drop=True))
        for map_, of in ((first, rows["row_first"]), (second, rows["row_second"]))
    ]
    recalls = [
        relationship_recall(
            map_,
            sources,
            same=same,
            separator=separator,
            tails=tails,
            null=null,
            percentiles=True,
            dtype=dtype,
        )
        for map_ in shared
    ]
    records = []
    for source, known in recalls[0].known.items():
        hits = np.array(
            [
                (pairs["right_rank"] <= low) | (pairs["left_rank"] >= high)
                for pairs in (recall.known[source] for recall in recalls)
                for low, high in tails
            ]
        )
        i, j = known["i"].to_numpy(), known["j"].to_numpy()
        drawn = gene_resamples(hits, i, j, resamples=resamples, seed=seed)
        for (low, high), one, other, drawn_one, drawn_other in zip(
            tails, *np.split(hits.mean(axis=1), 2), *np.split(drawn, 2), strict=True
        ):
            what = {
                "source": source,
                "n_known_pairs": len(known),
                "tail_low": low,
                "tail_high": high,
            }
            records.append(what | _compared(one, other, drawn_other - drawn_one))
    return ComparisonResult(pd.DataFrame(records), "genes")


@takes_backend
def compare_drug_targets(
    first: DrugTargetsResult,
    second: DrugTargetsResult,
    *,
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
) -> ComparisonResult:
    """Return by how much average precision differs between two drug-target benchmarks.

    Items (compounds, or genes) that both scored at a dose are paired, and resampled.

    Parameters
    ----------
    first, second
        Of `drug_targets`, from the same targets and in the same way round.
    resamples, seed, backend
        As for `compare_recall`.

    Raises
    ------
    InputError
        If one is by compound and the other by gene, or they share no item.
    """
    for result in (first, second):
        if not isinstance(result, DrugTargetsResult):
            raise InputError(
                f"give what drug_targets returns, not an object of type {type(result).__name__}"
            )
    check_whole(resamples, "resamples")
    if first.by != second.by:
        raise InputError(f"the first is by {first.by} and the second by {second.by}")
    keys = [first.by, "concentration"]
    both = first.items.merge(second.items, on=keys, suffixes=("_first", "_second"))
    if both.empty:
        raise NotApplicable(f"the two benchmarks have no {first.by} in common")
    records = []
    for dose, rows in both.groupby("concentration", sort=False):
        one, other = (
            rows[f"average_precision_{which}"].to_numpy() for which in ("first", "second")
        )
        drawn = item_resamples(other - one, resamples=resamples, seed=seed)
        what = {"concentration": dose, "n_items": len(rows)}
        records.append(what | _compared(one.mean(), other.mean(), drawn))
    return ComparisonResult(pd.DataFrame(records), f"{first.by}s")


def _compared(first: float, second: float, resampled: Floats) -> dict[str, float]:
    low, high = interval(resampled).tolist()
    return {
        "first": first,
        "second": second,
        "difference": second - first,
        "ci_low": low,
        "ci_high": high,
        "p_value": _two_sided(resampled),
    }


def _two_sided(resampled: Floats) -> float:
    """Return twice the share of resampled differences on the rarer side of zero, that included."""
    if not len(resampled):
        return float("nan")
    sides = (np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    return min(1.0, 2 * (1 + min(sides)) / (1 + len(resampled)))
