"""Whether the nearest profile of another compound has the same mechanism: BBBC021's question."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from wellgram.align import Alignment
from wellgram.backends import takes_backend
from wellgram.backends.protocol import Codes, Progress
from wellgram.errors import InputError
from wellgram.files import save_csv
from wellgram.metrics.blinding import aligned_blind
from wellgram.metrics.bootstrap import wilson_interval
from wellgram.metrics.matched_profiles import MatchedProfiles, Matching
from wellgram.metrics.profile_rows import unit_profiles
from wellgram.pairs import nearest_outside
from wellgram.stream import WellStream
from wellgram.wells import LabelledMap, WellLabels, Wells

NeighborSimilarity = Literal["cosine", "correlation"]


@dataclass(frozen=True, repr=False)
class MechanismResult:
    """How many profiles have the label of the nearest profile that they are matched with.

    `table` has a row per profile, in their order, with their metadata and ``neighbor_row``, the
    nearest profile, a row of this table (-1: none); ``predicted``, its label; ``similarity``;
    ``is_right``; and ``reason``, why a profile is not tested, empty for those that are.

    `confusion` has a row per label and a column per predicted label, sorted, and counts profiles.
    """

    table: pd.DataFrame
    confusion: pd.DataFrame
    label: str
    matching: Matching
    similarity: NeighborSimilarity
    chance: float
    """The accuracy that is expected of a random partner in place of the nearest"""

    @cached_property
    def n_tested(self) -> int:
        """How many profiles are tested."""
        return int((self.table["reason"] == "").sum())

    @cached_property
    def n_right(self) -> int:
        """How many of them have the label of their nearest profile."""
        return int(self.table["is_right"].sum())

    @property
    def accuracy(self) -> float:
        """The share of tested profiles that have it."""
        return self.n_right / self.n_tested

    @cached_property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval of the accuracy, 95 %.

        It takes profiles for independent; doses of one compound are not quite.
        """
        return wilson_interval(self.n_right, self.n_tested)

    @cached_property
    def left_out(self) -> pd.DataFrame:
        """One row per reason and label: ``reason``, ``label`` and ``n_profiles`` left out."""
        table = self.table[self.table["reason"] != ""]
        groups = table.assign(label=table[self.label].astype("str")).groupby(["reason", "label"])
        return groups.size().rename("n_profiles").reset_index()

    def __repr__(self) -> str:
        low, high = self.interval
        out = len(self.table) - self.n_tested
        counts = self.left_out.groupby("reason")["n_profiles"].sum().items()
        why = "; ".join(f"{count:,}: {reason}" for reason, count in counts)
        return (
            f"{self.label} of the nearest profile, {self.matching}, by {self.similarity}: "
            f"{self.n_right:,} of {self.n_tested:,} right ({self.accuracy:.3f}, 95 % "
            f"{low:.3f}-{high:.3f}; chance {self.chance:.3f})"
            + (f", {out:,} left out ({why})" if out else "")
        )

    def save(self, path: str | Path) -> None:
        """Write the table as CSV."""
        save_csv(self.table, path)


@takes_backend
def mechanism_accuracy(
    profiles: Wells | WellStream | LabelledMap,
    align: Alignment | None = None,
    *,
    label: str,
    matching: Matching = "not-same-compound",
    compound: str = "perturbation",
    batch: str = "batch",
    similarity: NeighborSimilarity = "cosine",
    backend: str | None = None,
    progress: Progress | None = None,
) -> MechanismResult:
    """Return how often the nearest profile of another compound has the same mechanism.

    The nearest profile is looked for among those that a matching allows:

    - ``"not-same-compound"`` (NSC; Ljosa et al. 2013): those of other compounds. Doses of one
      compound would find each other.
    - ``"not-same-compound-and-batch"`` (NSCB; Ando et al. 2017, bioRxiv 161422): those of other
      compounds in other batches. What batches have in common is then of no help.

    Nothing is fitted to the labels. Left out are profiles that no allowed profile has the label of,
    such as those of a mechanism with one compound only or, for NSCB, in one batch only: they cannot
    be right. Where all profiles of a label are left out, they are not looked among either.

    Parameters
    ----------
    profiles
        Wells, of which those in the map are used, or the rows of a map, with their metadata. A
        stream is read.
    align
        An alignment of wells that has not been fitted. It is fitted to all wells, with the labels
        of those in the map hidden; None: as they are. A map is aligned as it is made.
    label
        The column of the mechanism, or of another label that compounds share.
    matching
        Which profiles are looked among: see above.
    compound, batch
        The columns of the compound and, for NSCB, of the batch. A map has a column where all wells
        of each row share its value.
    similarity
        ``"cosine"``, or the ``"correlation"`` (Pearson's) of two profiles over features.
    backend, progress
        See `wellgram.set_backend`; called now and then with the share of the profiles that is done.

    Returns
    -------
    MechanismResult
        Among equally similar profiles the first is the nearest.

    Raises
    ------
    InputError
        If a column is absent, no profile can be tested, a profile has no direction to compare, a
        map is to be aligned, or the alignment was fitted before.

    Examples
    --------
    >>> import numpy as np, pandas as pd, wellgram as wg
    >>> labels = pd.DataFrame(
    ...     {"perturbation": ["taxol", "epothilone", "MG-132", "ALLN", "PP-2"],
    ...      "moa": ["tubulin", "tubulin", "proteasome", "proteasome", "kinase"]}
    ... )
    >>> rows = np.array([[1.0, 0.1], [0.9, 0.2], [0.1, 1.0], [0.3, 0.9], [0.5, 0.6]])
    >>> result = wg.mechanism_accuracy(wg.PerturbationMap(rows, labels), label="moa")
    >>> result.n_right, result.n_tested
    (4, 4)
    >>> result.left_out["reason"].tolist()
    ['its label has one compound only']
    """
    if similarity not in get_args(NeighborSimilarity):
        known = " or ".join(map(repr, get_args(NeighborSimilarity)))
        raise InputError(f"unknown similarity {similarity!r}; choose {known}")
    if isinstance(profiles, WellLabels):
        in_map = profiles.metadata["in_map"].to_numpy(bool)
        metadata = profiles.metadata[in_map]
    elif align is not None:
        raise InputError("the rows of a map are aligned as it is made: give align= to build_map")
    else:
        metadata = profiles.labels
    metadata = metadata.reset_index(drop=True)
    matched = MatchedProfiles.of(metadata, label, matching, compound, batch)
    rows = (
        aligned_blind(profiles.read(), align, in_map)[in_map]
        if isinstance(profiles, WellLabels)
        else profiles.embeddings
    )
    among = np.flatnonzero(matched.sought_among)
    groupings = [codes[among].astype(np.int64) for codes in matched.differ]
    nearest, values = nearest_outside(
        unit_profiles(rows[among], similarity), groupings, progress=progress
    )
    tested = matched.tested
    neighbor = np.full(len(metadata), -1, np.int64)
    neighbor[among] = among[nearest]
    neighbor[~tested] = -1
    found = np.full(len(metadata), np.nan)
    found[among] = values
    found[~tested] = np.nan
    predicted = np.where(tested, matched.codes[neighbor], -1)
    names = np.array([*matched.names, None], object)
    table = metadata.assign(
        neighbor_row=neighbor,
        predicted=names[predicted],
        similarity=found,
        is_right=tested & (predicted == matched.codes),
        reason=matched.reason,
    )
    confusion = _confusion(matched, predicted)
    chance = float(matched.chance().mean())
    return MechanismResult(table, confusion, label, matching, similarity, chance)


def _confusion(matched: MatchedProfiles, predicted: Codes) -> pd.DataFrame:
    """Return how many tested profiles of each label were predicted to be of each."""
    tested, n = matched.tested, len(matched.names)
    cells = np.bincount(matched.codes[tested] * n + predicted[tested], minlength=n * n)
    labels = np.unique(matched.codes[matched.sought_among])
    names = [matched.names[k] for k in labels]
    counts = cells.reshape(n, n)[np.ix_(labels, labels)]
    return pd.DataFrame(counts, pd.Index(names, name="label"), pd.Index(names, name="predicted"))
