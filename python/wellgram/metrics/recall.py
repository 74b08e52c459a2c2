"""Recall of known relationships: the share of known pairs in the tails of all cosines."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends import takes_backend
from wellgram.backends.consumers import Ranked
from wellgram.backends.number_checks import check_whole, checked_numbers
from wellgram.backends.protocol import Codes, Floats, Progress
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError, LabelsWarning, NotApplicable
from wellgram.estimators.call_sites import level_outside
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.io.relationships import named_sources
from wellgram.label_rules.label_spelling import KnownLabels, near_text
from wellgram.metrics.bootstrap import gene_bootstrap
from wellgram.metrics.rows_of_pairs import SameRule, Sources, near_ends, pair_rows, same_rows
from wellgram.pairs import PairDtype, UnitRows, order_statistics, pair_count
from wellgram.wells import LabelledMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Null = Literal["genes", "all"]
Same = SameRule | Sequence[SameRule]
TAILS = ((0.05, 0.95), (0.1, 0.9))
_COLUMNS = (
    *("source", "null", "n_null_pairs", "n_known_pairs", "tail_low", "tail_high"),
    *("cosine_low", "cosine_high", "n_recalled", "recall", "chance"),
)
_ROWS = {"genes": "gene rows", "all": "all rows"}


@dataclass(frozen=True, repr=False)
class RecallResult:
    """Recall of known pairs, one row per source and pair of tails.

    Columns of `table`: ``source``; ``null`` (the rows whose pairs are the null) and
    ``n_null_pairs`` (how many); ``n_known_pairs`` (used, both ends in the map); ``tail_low`` and
    ``tail_high``; ``cosine_low`` and ``cosine_high`` (a known pair is recalled below the first
    or above the second); ``n_recalled`` (how many were); ``recall`` (their share) and ``chance``
    (what a map without signal scores, low + 1 - high). Where genes were resampled, ``ci_low`` and
    ``ci_high``: the recall's 95 % confidence interval.
    """

    table: pd.DataFrame
    known: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """Per source its known pairs: ``i`` and ``j``, rows of the map, and ``cosine``. Where
    percentiles were asked for, ``left_rank``, the share of the null below it, and ``right_rank``,
    the share up to it; both exact"""
    null_histogram: NDArray[np.int64] | None = None
    """Counts of the null's cosines in equal bins of [-1, 1], of a run of all benchmarks"""

    def __repr__(self) -> str:
        shown = self.table[["source", "n_known_pairs", "tail_low", "tail_high", "recall", "chance"]]
        return f"Recall against {self.null}\n{shown.to_string(index=False)}"

    @property
    def null(self) -> str:
        """The null in words: how many pairs of which rows."""
        first = self.table.iloc[0]
        return f"{first['n_null_pairs']:,} pairs of {_ROWS[first['null']]}"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw recall per source beside chance; return the matplotlib axes."""
        from wellgram.plots import plot_recall

        return plot_recall(self.table, ax)

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_client
@takes_backend
def relationship_recall(
    map_: LabelledMap,
    /,
    sources: Sources | None = None,
    *,
    same: Same = (),
    separator: str | None = None,
    tails: Iterable[tuple[float, float]] = TAILS,
    null: Null | None = None,
    percentiles: bool = False,
    resamples: int = 0,
    seed: int = 0,
    dtype: PairDtype | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> RecallResult:
    """Return the share of known pairs in the tails of the all-pairs cosine distribution.

    The null is the cosines of all pairs i < j of the map's rows (or of its gene rows). For a known
    pair with cosine q, its right rank is the share of the null <= q and its left rank the share
    < q. It is recalled at (low, high) if its right rank <= low or its left rank >= high. This is
    ``known_relationship_benchmark`` of efaar_benchmarking, by one pass over the pairs for all
    sources instead of sorted copies of the null.

    Parameters
    ----------
    map_
        The map (p, d).
    sources
        Known pairs by source, in tables of pandas, polars or pyarrow; one table is a source named
        ``pairs``. Columns ``entity1`` and ``entity2`` hold labels of perturbations. Order within a
        pair, repeats, and pairs of one with itself do not count; pairs with an end outside of the
        null's rows are left out.
    same
        Label columns of the map: each makes a source of every two rows that share a value, missing
        ones aside. ``{"any": ["moa", "target"]}`` makes one source of those that share a value in
        any of these columns, ``{"all": [...]}`` one of those that do in each. Where one
        perturbation has several rows (doses), a second source leaves the pairs of a perturbation
        with itself out, which are similar for another reason.
    separator
        What parts values in the texts of these columns, such as ``"|"``: two rows that share any
        value are a known pair. Lists are several values in any case.
    tails
        Pairs (low, high) of shares of the null.
    null
        ``"genes"``: the CRISPR rows, the default where the map has such; ``"all"``: every row.
    percentiles
        Whether to rank every known pair among the null too: ``left_rank`` and ``right_rank`` of
        `RecallResult.known`. Recall itself asks only on which side of a threshold a pair lies,
        which takes less than half of the time.
    resamples, seed
        How often to resample the genes for confidence intervals, and the seed of the draws; none
        by default. The null stays as it is: see `wellgram.metrics.gene_bootstrap`.
    dtype, backend, progress, client
        As for `wellgram.pairs.scan_pairs`.

    Raises
    ------
    InputError
        If no source has a known pair in the map, a label is ambiguous, a column is missing, tails
        are no shares, or the null has no rows.

    Warns
    -----
    LabelsWarning
        If labels of known pairs are those of the map but for case or blanks, or values of a column
        look like several, such as ``"a|b"`` beside ``"a"``.
    """
    check_map(map_)
    tails = checked_tails(tails)
    check_whole(resamples, "resamples")
    rows, null, known = known_pairs(map_.labels, sources, same=same, separator=separator, null=null)
    chosen = None if len(rows) == len(map_.labels) else rows
    unit = UnitRows(map_, dtype, chosen)
    i, j = (np.concatenate(ends) for ends in zip(*known.values(), strict=True))
    cosines = unit.cosines(i, j).astype(np.float64)
    cuts, ranked = _thresholds(unit, tails, cosines if percentiles else None, progress)
    # Cosines for people lie in [-1, 1]; what is recalled is asked of those that were met.
    every = pd.DataFrame({"i": rows[i], "j": rows[j], "cosine": cosines.clip(-1, 1)})
    pairs = pair_count(unit.n)
    if ranked is not None:
        every["left_rank"], every["right_rank"] = ranked.below / pairs, ranked.up_to / pairs
    hits = np.array([(cosines < low) | (cosines > high) for low, high in cuts])
    hits = hits.reshape(len(cuts), len(cosines))
    records, parts, end = [], {}, 0
    for name, (first, _) in known.items():
        start, end = end, end + len(first)
        parts[name] = every[start:end].reset_index(drop=True)
        found = _records(name, parts[name], hits[:, start:end], tails, cuts, resamples, seed)
        records += [record | {"null": null, "n_null_pairs": pairs} for record in found]
    table = pd.DataFrame(records)
    table = table[[*_COLUMNS, *(column for column in table if column not in _COLUMNS)]]
    # Rounding carries the cosines of equal rows past 1; an infinite threshold is none.
    for column in ("cosine_low", "cosine_high"):
        table[column] = table[column].where(np.isinf(table[column]), table[column].clip(-1, 1))
    return RecallResult(table, parts)


def known_pairs(
    labels: pd.DataFrame,
    sources: Sources | None = None,
    *,
    same: Same = (),
    separator: str | None = None,
    null: Null | None = None,
) -> tuple[Codes, Null, dict[str, tuple[Codes, Codes]]]:
    """Return the null's rows, its name, and per source the known pairs among those rows.

    What `relationship_recall` can find out from the labels of a map alone; the parameters and
    errors are its own. The pairs (i, j) index into the null's rows.
    """
    rows, null = null_rows(labels, null)
    labels = labels.iloc[rows].reset_index(drop=True)
    tables = named_sources(sources)
    known = {name: pair_rows(name, pairs, labels["perturbation"]) for name, pairs in tables.items()}
    rules = [same] if isinstance(same, str | Mapping) else same
    for rule in rules:
        known |= same_rows(rule, labels, separator)
    near = _near_ends(tables, labels["perturbation"])
    if not any(len(i) for i, _ in known.values()):
        raise InputError("; ".join([_no_pairs(known, labels, null), *near]))
    for text in near:
        warnings.warn(
            f"pairs are left out, since the map writes their ends otherwise: {text}",
            LabelsWarning,
            stacklevel=level_outside(),
        )
    return rows, null, known


def checked_tails(tails: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the tails of a recall: pairs of shares.

    Raises
    ------
    InputError
        If they are none.
    """
    if isinstance(tails, str) or not isinstance(tails, Iterable):
        raise InputError(f"tails must be pairs of shares, not {tails!r}")
    return [_checked_tail(pair) for pair in tails]


def _checked_tail(pair: tuple[float, float]) -> tuple[float, float]:
    ends = tuple(checked_numbers(pair, "tails"))
    if len(ends) != 2 or not 0 <= ends[0] < ends[1] <= 1:
        raise InputError(f"tails must be shares with 0 <= low < high <= 1, not {ends}")
    return ends[0], ends[1]


def null_rows(labels: pd.DataFrame, null: Null | None) -> tuple[Codes, Null]:
    """Return the rows of a map that are its null, and which null that is.

    Raises
    ------
    InputError
        If the null is unknown, or has fewer than two rows.
    """
    genes = np.empty(0, np.int64)
    if "perturbation_type" in labels:
        genes = np.flatnonzero(labels["perturbation_type"] == "CRISPR")
    if null is None:
        null = "genes" if len(genes) else "all"
    if null not in ("genes", "all"):
        raise InputError(f"unknown null {null!r}; choose 'genes' or 'all'")
    if null == "genes" and not len(genes):
        raise InputError("the map has no gene (CRISPR) rows; choose null='all'")
    rows = genes if null == "genes" else np.arange(len(labels))
    if len(rows) < 2:
        raise NotApplicable(
            f"the null needs two rows at least, but the map has {len(rows)} ({_ROWS[null]})"
        )
    return rows, null


def _near_ends(sources: Mapping[str, pd.DataFrame], labels: pd.Series) -> list[str]:
    """Return in words which sources name perturbations of the map in other case or blanks."""
    texts = []
    known = KnownLabels(labels.astype("str").tolist())
    for name, pairs in sources.items():
        near = near_ends(pairs, known)
        if near:
            texts.append(f"of the labels of {name}, {near_text(near)}; write them alike")
    return texts


def _no_pairs(known: Mapping[str, tuple[Codes, Codes]], labels: pd.DataFrame, null: Null) -> str:
    if not known:
        return "there is nothing to recall: give sources of known pairs or a label column (same=)"
    some = ", ".join(repr(label) for label in labels["perturbation"].unique()[:3])
    return (
        f"no known pair of {', '.join(known)} has both ends in the map ({len(labels)} of its rows "
        f"are looked at: {_ROWS[null]}); its perturbations are labelled like {some}"
    )


def _thresholds(
    unit: UnitRows,
    tails: Sequence[tuple[float, float]],
    known: Floats | None,
    progress: Progress | None,
) -> tuple[list[tuple[float, float]], Ranked | None]:
    """Return per tail the cosines (a, b) such that a known pair is recalled iff q < a or q > b.

    Also the ranks of the known cosines, where those are given.

    With v sorted ascending and N = len(v): share(v <= q) <= low iff #(v <= q) <= c, where c is
    the largest count with c / N <= low, iff q < v[c]. Likewise share(v < q) >= high iff
    q > v[c - 1], where c is the smallest count with c / N >= high.
    """
    n = pair_count(unit.n)
    lows = [largest_count(n, low) for low, _ in tails]
    highs = [smallest_count(n, high) for _, high in tails]
    wanted = sorted({c for c in lows if c < n} | {c - 1 for c in highs if c > 0})
    found = order_statistics(unit, wanted, values=known, progress=progress)
    cosine = dict(zip(wanted, found.cosines, strict=True))
    cuts = [
        (cosine.get(a, np.inf), cosine.get(b - 1, -np.inf))
        for a, b in zip(lows, highs, strict=True)
    ]
    return cuts, found.ranked


def largest_count(n: int, share: float) -> int:
    """Return the largest c in [0, n] with c / n <= share, the division rounded as float64."""
    c = min(n, int(share * n) + 1)
    while c / n > share:
        c -= 1
    return c


def smallest_count(n: int, share: float) -> int:
    """Return the smallest c in [0, n] with c / n >= share, the division rounded as float64."""
    c = max(0, int(share * n) - 1)
    while c / n < share:
        c += 1
    return c


def _records(
    source: str,
    known: pd.DataFrame,
    hits: NDArray[np.bool_],
    tails: Sequence[tuple[float, float]],
    cuts: Sequence[tuple[float, float]],
    resamples: int,
    seed: int,
) -> list[dict[str, object]]:
    """Return one row of the result's table per pair of tails."""
    records: list[dict[str, object]] = [
        {
            "source": source,
            "n_known_pairs": len(known),
            "tail_low": low,
            "tail_high": high,
            "cosine_low": cut[0],
            "cosine_high": cut[1],
            "n_recalled": int(hit.sum()),
            "recall": hit.mean() if len(known) else np.nan,
            "chance": low + 1 - high,
        }
        for (low, high), cut, hit in zip(tails, cuts, hits, strict=True)
    ]
    if resamples:
        i, j = known["i"].to_numpy(), known["j"].to_numpy()
        intervals = gene_bootstrap(hits, i, j, resamples=resamples, seed=seed).tolist()
        for record, (low, high) in zip(records, intervals, strict=True):
            record |= {"ci_low": low, "ci_high": high}
    return records
