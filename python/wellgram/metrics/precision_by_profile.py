"""Average precision of profiles: whether each finds its own kind before all others."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import get_backend, takes_backend
from wellgram.backends.moments import amid, beyond, exponents
from wellgram.backends.protocol import Backend, Codes, Progress, Rows
from wellgram.errors import InputError, NotApplicable, TiesWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.files import save_csv
from wellgram.input_kinds import check_map
from wellgram.metrics.identical_rows import warn_of_identical_rows
from wellgram.metrics.pairing import ColumnRule, Columns, Pairs, Rules, find_pairs
from wellgram.metrics.profile_ranks import Compared, ComparedProfiles, Ties, rank_entries
from wellgram.metrics.profile_rows import unit_profiles
from wellgram.metrics.ranking import chance_precision
from wellgram.metrics.replicates import aligned_rows
from wellgram.stream import WellStream
from wellgram.wells import LabelledMap, WellLabels, Wells

_RANGE_BITS = 200
"""Squares of values within 2^-200 and 2^200, added up, are within the range of float64"""

_MANY_TIES = 0.01

Similarity = Literal["cosine", "abs_cosine", "correlation", "euclidean"]


@dataclass(frozen=True, repr=False)
class AveragePrecisionResult:
    """The average precision of each profile.

    `table` has the metadata of the profiles, in their order, and ``n_pos_pairs``;
    ``n_total_pairs``, positives and negatives; ``average_precision``;
    ``normalized_average_precision``, ``(AP - chance) / (1 - chance)``, chance being the expectation
    of a random ranking; and ``reason``, why a profile has none. Where positives share one of
    several labels, a profile has a row for each.
    """

    table: pd.DataFrame
    rules: Rules
    similarity: Similarity
    tied_share: float = 0.0
    """How many pairs of a positive and a negative are equally similar, of all such pairs"""
    compared: ComparedProfiles | None = field(default=None, repr=False, compare=False)
    """The profiles as they were compared: what permuting labels needs"""

    def __repr__(self) -> str:
        scored = self.table["average_precision"].dropna()
        return (
            f"Average precision of {len(scored):,} of {len(self.table):,} profiles, mean "
            f"{scored.mean():.4f}, by {self.similarity}: {self.rules}"
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def average_precision(
    profiles: Wells | WellStream | LabelledMap,
    align: Alignment | BatchAffine | None = None,
    *,
    pos_sameby: ColumnRule = (),
    pos_diffby: ColumnRule = (),
    neg_sameby: ColumnRule = (),
    neg_diffby: ColumnRule = (),
    multilabel: str | None = None,
    separator: str | None = None,
    similarity: Similarity = "cosine",
    ties: Ties = "expected",
    scored: NDArray[np.bool_] | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> AveragePrecisionResult:
    """Rank the partners of each profile by similarity, and return the average precision of that.

    It is the mean, over its positives t = 1, 2, ..., the most similar first, of
    ``t / (t + negatives more similar)``: the precision down to each. As
    ``copairs.map.average_precision`` has it (Kalinin et al. 2025), but pairs are never stored:
    negatives are counted as they are compared.

    Parameters
    ----------
    profiles
        Wells, all of them, or the rows of a map, with their metadata. A stream is read.
    align
        An alignment of wells, fitted to them unless it has been before; None: as they are.
    pos_sameby, pos_diffby
        Columns: a positive pair is equal in all of the first and different in all of the second.
        ``{"any": ["moa", "target"]}``: in one of these at least; ``{"all": [...]}`` is a list of
        columns. A profile must have a value in each column, those of an ``any`` in which pairs are
        equal aside: without a value it is equal to none there.
    neg_sameby, neg_diffby
        The same of negative pairs. Replicates of a perturbation against the controls of their
        batch: ``pos_sameby="perturbation", neg_sameby="batch", neg_diffby="is_control"``.
    multilabel
        A column whose values are lists of labels, such as the targets of a compound. In
        `pos_sameby`, positives share a label, and each label has a ranking of its own; in
        `neg_diffby`, negatives share none. Profiles without a label share none with any.
    separator
        What parts labels in the texts of `multilabel`, such as ``"|"``; None: its values are lists.
    similarity
        ``"cosine"``, its absolute value, the ``"correlation"`` of two profiles, or ``"euclidean"``:
        the nearer, the more similar.
    ties
        What is done where a positive and a negative are equally similar. ``"expected"``: the
        expectation of average precision over random orders of them (McSherry and Najork 2008).
        ``"first"``: positives come first, as in copairs, which rounds similarities to float32
        before; profiles that are all equal then have an average precision of 1.
    scored
        (n,) which profiles are ranked for; the others are partners only. All by default.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the profiles that is done.

    Raises
    ------
    InputError
        If a column is absent or lacks values, a profile has no direction to compare, or no pair is
        positive or none negative.

    Warns
    -----
    LabelsWarning
        If values of a column look like several, such as ``"a|b"`` beside ``"a"``.
    TiesWarning
        If more than 1 % of the pairs of a positive and a negative are equally similar.
    IdenticalRowsWarning
        If profiles have the same embedding as another.
    """
    if ties not in get_args(Ties):
        raise InputError(f"unknown ties {ties!r}; choose {' or '.join(get_args(Ties))}")
    if similarity not in get_args(Similarity):
        raise InputError(
            f"unknown similarity {similarity!r}; choose {', '.join(get_args(Similarity))}"
        )
    rules = Rules(
        Columns.of(pos_sameby),
        Columns.of(pos_diffby),
        Columns.of(neg_sameby),
        Columns.of(neg_diffby),
        multilabel,
        separator,
    )
    if not isinstance(profiles, WellLabels):
        check_map(profiles)
    metadata = profiles.metadata if isinstance(profiles, WellLabels) else profiles.labels
    paired = PairedProfiles.of(metadata, rules, scored)
    run = get_backend()
    rows = (
        aligned_rows(profiles, align) if isinstance(profiles, WellLabels) else profiles.embeddings
    )
    named = "well_id" if "well_id" in metadata else "perturbation"
    warn_of_identical_rows(rows, metadata[named].array)
    return paired.ranked(_compared(rows, similarity, run), similarity, ties=ties, progress=progress)


@dataclass(frozen=True)
class PairedProfiles:
    """Profiles, and which of them are positive and negative pairs."""

    metadata: pd.DataFrame
    rules: Rules
    pairs: Pairs
    wanted: NDArray[np.bool_]
    """(e,) for which entries of the pairs partners are ranked"""

    @classmethod
    def of(
        cls, metadata: pd.DataFrame, rules: Rules, scored: NDArray[np.bool_] | None
    ) -> "PairedProfiles":
        """Pair profiles; `scored` (n,) are those that are ranked for.

        Raises
        ------
        InputError
            If a column is absent or lacks values.
        NotApplicable
            If no pair is positive, or none negative.
        """
        pairs = find_pairs(metadata, rules)
        wanted = _wanted(scored, len(metadata))[pairs.owner]
        paired = cls(metadata, rules, pairs, wanted)
        for count, kind in ((paired.positives, "positive"), (paired.negatives, "negative")):
            if not count.any():
                raise NotApplicable(f"no pair of {len(metadata):,} profiles is {kind} ({rules})")
        return paired

    @property
    def positives(self) -> Codes:
        """How many positives each entry has (e,)."""
        return self.pairs.positives.partners

    @property
    def negatives(self) -> Codes:
        """How many negatives each entry has (e,), those included that share a label with it."""
        return self.pairs.negatives.partners[self.pairs.owner]

    def ranked(
        self,
        compared: ComparedProfiles,
        similarity: Similarity,
        *,
        ties: Ties = "expected",
        known: AveragePrecisionResult | None = None,
        progress: Progress | None = None,
    ) -> AveragePrecisionResult:
        """Rank the partners of each profile.

        `known` has the same profiles ranked among the same negatives, for positives that these are
        among. Profiles with as many there have the same ranking, which is not made again.
        """
        n_pos, n_neg = self.positives.copy(), self.negatives.copy()
        precision = np.full(len(n_pos), np.nan)
        to_rank = self.wanted & (n_pos > 0) & (n_neg > 0)
        tied, ranked = 0, np.flatnonzero(to_rank)
        if known is not None:
            same = to_rank & (known.table["n_pos_pairs"].to_numpy() == n_pos)
            precision[same] = known.table["average_precision"].to_numpy()[same]
            ranked = np.flatnonzero(to_rank & ~same)
        for part in rank_entries(compared, self.pairs, ranked, progress, ties=ties):
            precision[part.entries], n_neg[part.entries] = part.precision, part.negatives
            tied += part.tied
        precision[n_neg == 0] = np.nan
        table = self.metadata.iloc[self.pairs.owner].reset_index(drop=True)
        if self.pairs.labels is not None:
            table[str(self.rules.multilabel)] = self.pairs.labels
        chance = chance_precision(np.maximum(n_pos, 1), np.maximum(n_pos + n_neg, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            normalized = (precision - chance) / (1 - chance)
        table = table.assign(
            n_pos_pairs=n_pos,
            n_total_pairs=n_pos + n_neg,
            average_precision=precision,
            normalized_average_precision=normalized,
            reason=np.select(
                [~self.wanted, n_pos == 0, n_neg == 0],
                ["not scored", "no positives", "no negatives"],
                "",
            ),
        )
        tied_share = tied / max(1.0, float(n_pos[ranked].astype(np.float64) @ n_neg[ranked]))
        if tied_share > _MANY_TIES:
            warnings.warn(
                f"{tied_share:.0%} of the pairs of a positive and a negative are equally similar: "
                "average precision is its expectation over their order; look for identical "
                "profiles, or features of few values",
                TiesWarning,
                stacklevel=level_outside(),
            )
        return AveragePrecisionResult(table, self.rules, similarity, tied_share, compared)


def _wanted(scored: NDArray[np.bool_] | None, profiles: int) -> NDArray[np.bool_]:
    wanted = np.ones(profiles, bool) if scored is None else np.asarray(scored, bool)
    if wanted.shape != (profiles,):
        raise InputError(
            f"scored has shape {wanted.shape}; expected one per profile: ({profiles},)"
        )
    return wanted


def _compared(rows: Rows, similarity: Similarity, run: Backend) -> Compared:
    """Return rows whose products order profiles by their similarity."""
    if similarity == "euclidean":
        # x y - |y|^2 / 2 = (|x|^2 - |x - y|^2) / 2, about a centre, where little cancels.
        wide = rows.astype(np.float64)
        size = np.abs(wide).max(initial=0)
        if beyond(size, _RANGE_BITS):  # one power of two for all, which rounds and orders nothing
            wide = np.ldexp(wide, -exponents(size))
        centred = wide - amid(wide)
        halves = np.square(centred).sum(axis=1, keepdims=True) / 2
        lost = centred.any(axis=1) & (halves[:, 0] < 2.0 ** -(2 * _RANGE_BITS))
        if lost.any():
            raise InputError(
                f"profiles differ in size by more than float64 can compare: row {lost.argmax()} "
                f"lies near the others, row {halves.argmax()} far away; leave that out, or "
                "standardise the features"
            )
        one = np.ones((len(rows), 1))
        return Compared(run, np.hstack([centred, one]), np.hstack([centred, -halves]))
    unit = unit_profiles(rows, similarity)
    return Compared(run, unit, unit, similarity == "abs_cosine")
