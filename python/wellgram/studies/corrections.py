"""Which correction of batch effects carries over to unseen experiments: RxRx1's question."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from wellgram.align import Alignment, alignment, alignment_names
from wellgram.backends import takes_backend
from wellgram.backends.protocol import Floats, Rows
from wellgram.errors import InputError
from wellgram.files import output_folder, save_csv
from wellgram.input_kinds import check_wells
from wellgram.io.relationships import named_sources
from wellgram.maps.build import build_map
from wellgram.metrics.batch_measures import batch_accuracy, mixing, similarities, some_wells
from wellgram.metrics.blinding import aligned_blind, check_unfitted
from wellgram.metrics.bootstrap import interval
from wellgram.metrics.labelled import LabelledWells
from wellgram.metrics.penalties import Method
from wellgram.metrics.precision_by_profile import average_precision
from wellgram.metrics.probe_results import ProbeResult
from wellgram.metrics.probe_scores import linear_probe, neighbor_accuracy
from wellgram.metrics.recall import relationship_recall
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.plots.html_tables import ShownTable
from wellgram.probes.splits import split_words, splits_by
from wellgram.stream import WellStream
from wellgram.suite.contract import Step
from wellgram.wells import Wells

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CORRECTIONS = (
    "none",
    "center-scale",
    "standardize",
    "robust-mad",
    "pca-center-scale",
    "pca-whiten",
    "sphering",
    "coral",
    "tvn",
    "combat",
    "harmony",
)
"""What is compared unless others are named"""


@dataclass(frozen=True, repr=False)
class BatchStudyResult(ShownTable):
    """Corrections of batch effects, ranked by how well perturbations are told in unseen batches.

    Columns of `table`, the best correction first:

    ``rank``, ``correction``
        Rank 1 has the most biology.
    ``biology``
        The mean of ``nearest`` and ``probe``.
    ``biology_ci_low``, ``biology_ci_high``; ``gain``, ``gain_ci_low``, ``gain_ci_high``
        95 % over resampled batches; and how much more that is than the first correction named has,
        in the same resamples.
    ``batch_removed``
        The mean of 1 - ``batch_accuracy``, ``kbet``, ``ilisi`` and ``silhouette_batch``.
    ``nearest``, ``probe``, ``nearest_top_5``, ``probe_top_5``, ``nearest_balanced``,
    ``probe_balanced``
        Accuracies in held-out batches: top-1, top-5, and the mean of classes.
    ``batch_accuracy``, ``batch_chance``
        How often a well's batch is told from its embedding, and by chance.
    ``same_perturbation``, ``same_batch``
        Mean cosines of wells of the same perturbation in different batches, and of different
        perturbations in the same batch.
    ``kbet``, ``ilisi``, ``silhouette_batch``, ``clisi``, ``silhouette_label``
        See `wellgram.metrics.batch_measures.mixing`.
    ``mean_average_precision``
        Of tested wells finding the wells of their perturbation in other tested batches.
    ``recall``
        Of known pairs in the map at tails of 5 %, the mean of sources, where any are given.
    """

    table: pd.DataFrame
    by_kind: pd.DataFrame
    """One row per correction and value of the kind's column (such as the cell type)"""
    skipped: Mapping[str, str]
    """Corrections that could not be fitted, and why"""
    untrained: Sequence[str]
    """Classes that were to be tested but never trained: left out"""
    said: str
    """How wells were parted, in words"""

    @property
    def best(self) -> str:
        """The correction with the most biology."""
        return str(self.table["correction"].iloc[0])

    def __repr__(self) -> str:
        shown = self.table[["rank", "correction", "biology", "batch_removed", "nearest", "probe"]]
        lines = [f"Corrections, {self.said}", shown.round(4).to_string(index=False)]
        lines += [f"{name}: skipped, {reason}" for name, reason in self.skipped.items()]
        return "\n".join(lines)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw biology kept against batch removed; return the matplotlib axes."""
        from wellgram.plots import plot_study

        return plot_study(self.table, ax)

    def save(self, folder: str | Path) -> None:
        """Write ``corrections.csv``, ``kinds.csv``, ``skipped.csv`` and ``study.png``."""
        from wellgram.plots import save_png

        with output_folder(folder) as out:
            save_csv(self.table, out / "corrections.csv")
            save_csv(self.by_kind, out / "kinds.csv")
            reasons = {"correction": list(self.skipped), "reason": list(self.skipped.values())}
            save_csv(pd.DataFrame(reasons), out / "skipped.csv")
            save_png(self.plot(), out / "study.png")


@takes_backend
def batch_study(
    wells: Wells | WellStream,
    corrections: Sequence[str] | Mapping[str, Alignment | None] = CORRECTIONS,
    *,
    split: str = "batch",
    method: Method = "lda",
    penalty: float | Sequence[float] | None = None,
    kind: str | None = None,
    sources: Sources | None = None,
    sample: int = 10_000,
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    step: Step | None = None,
) -> BatchStudyResult:
    """Compare corrections of batch effects by what is left of biology and of batches.

    Each is fitted to all wells without the labels of tested ones (see
    `wellgram.metrics.blinding`). Accuracy on batches that were never seen is RxRx1's criterion
    (Sypetkowski et al. 2023), and what corrections are ranked by.

    Parameters
    ----------
    wells
        The wells; those in the map are told apart. A stream is read.
    corrections
        Names of alignments, ``"none"``, or several joined by ``+``; or alignments by name.
    split, method, penalty, kind
        As for `linear_probe`; linear discriminants by default, which take a thousandth of the time
        of a logistic probe. RxRx1's own split is ``split="dataset"``.
    sources
        Known pairs of perturbations: see `relationship_recall`.
    sample
        Of how many wells the mixing of batches is judged, drawn at random.
    resamples, seed
        How often batches are resampled, and the seed of all draws.
    backend
        See `wellgram.set_backend`.
    step
        Told of every correction; for progress bars.

    Returns
    -------
    BatchStudyResult
        A correction that cannot be fitted is in `skipped`, with the reason.

    Raises
    ------
    InputError
        As `linear_probe` has it, before any work; or if no correction can be fitted, or a name is
        not known.
    """
    check_wells(wells)
    named, pairs = _named(corrections), named_sources(sources)
    for one in named.values():
        check_unfitted(one)
    labelled = LabelledWells.of(wells, "perturbation", kind)
    read = labelled.wells
    splits = splits_by(read, split, folds=5, within=labelled.kind, seed=seed)
    tested = np.any([one.test for one in splits], axis=0)
    labelled.testable(splits)  # raises, before any work, if nothing can be tested
    announce: Step = step or (lambda _: nullcontext(lambda share: None))
    studied: list[_Studied] = []
    skipped: dict[str, str] = {}
    for name, align in named.items():
        with announce(name) as progress:
            try:
                rows = aligned_blind(read, align, tested)
            except InputError as problem:
                skipped[name] = str(problem)
                continue
            aligned = Wells(rows, read.metadata, read.origin)
            options: dict[str, Any] = {
                "split": split, "kind": labelled.kind, "resamples": resamples, "seed": seed,
            }  # fmt: skip
            nearest = neighbor_accuracy(aligned, **options)
            progress(0.3)
            probe = linear_probe(aligned, method=method, penalty=penalty, **options)
            progress(0.6)
            found = _left(replace(labelled, wells=aligned), tested, sample, seed)
            if pairs:
                found["recall"] = _recall(aligned, pairs)
            studied.append(_Studied(name, nearest, probe, found))
    if not studied:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise InputError(f"no correction could be fitted: {reasons}")
    table = _ranked(studied)
    untrained = sorted({name for one in studied for name in one.probe.untrained})
    return BatchStudyResult(table, _kinds(studied), skipped, untrained, split_words(splits, split))


@dataclass(frozen=True)
class _Studied:
    """What was found of a correction."""

    name: str
    nearest: ProbeResult
    probe: ProbeResult
    left: Mapping[str, float]

    @property
    def biology(self) -> float:
        return (self.nearest.top_1 + self.probe.top_1) / 2

    @property
    def resampled(self) -> Floats:
        """The biology of each resample of batches: the same batches for every correction."""
        return np.asarray((self.nearest.resampled[0] + self.probe.resampled[0]) / 2)

    def record(self, first: "_Studied") -> dict[str, Any]:
        """Return the row of the table, its gain being over the first."""
        low, high = interval(self.resampled).tolist()
        gain_ci_low, gain_ci_high = interval(self.resampled - first.resampled).tolist()
        record: dict[str, Any] = {
            "correction": self.name,
            "biology": self.biology,
            "biology_ci_low": low,
            "biology_ci_high": high,
            "gain": self.biology - first.biology,
            "gain_ci_low": gain_ci_low,
            "gain_ci_high": gain_ci_high,
            "batch_removed": self.removed,
        }
        for name, result in (("nearest", self.nearest), ("probe", self.probe)):
            top, among, balanced = result.outcomes.accuracies().tolist()
            record |= {name: top, f"{name}_top_5": among, f"{name}_balanced": balanced}
        return record | dict(self.left)

    @property
    def removed(self) -> float:
        """The mean of what says that batches are gone, as far as it could be taken."""
        parts = [1 - self.left["batch_accuracy"]]
        parts += [self.left[name] for name in ("kbet", "ilisi", "silhouette_batch")]
        return float(np.nanmean(parts))


def _named(
    corrections: Sequence[str] | Mapping[str, Alignment | None],
) -> dict[str, Alignment | None]:
    if not corrections:
        raise InputError(
            f"no correction is named; choose none, {', '.join(alignment_names())}, or several "
            "joined by +"
        )
    if isinstance(corrections, Mapping):
        return dict(corrections)
    return {name: alignment(name) for name in corrections}


def _left(labelled: LabelledWells, tested: Any, sample: int, seed: int) -> dict[str, float]:
    """Return what is left of batches and perturbations in aligned wells."""
    wells = labelled.wells
    rows: Rows = wells.embeddings
    assert isinstance(wells, Wells)
    batch = wells.batches()[0]
    kind = np.zeros(len(wells), np.int64)
    if labelled.kind is not None:
        kind = pd.factorize(wells.metadata[labelled.kind].astype("str"))[0].astype(np.int64)
    treated = np.flatnonzero(labelled.used & ~wells.metadata["is_control"].to_numpy(bool))
    used = np.flatnonzero(labelled.used)
    some = some_wells(labelled, sample, seed=seed)
    alike = similarities(rows[treated], labelled.codes[treated], batch[treated], kind[treated])
    present = np.unique(batch[used], return_inverse=True)[1]
    return {
        "batch_accuracy": batch_accuracy(rows[used], present, seed=seed),
        "batch_chance": 1 / (int(present.max()) + 1),
        "same_perturbation": alike.same_perturbation,
        "same_batch": alike.same_batch,
        **mixing(rows[some], labelled.codes[some], batch[some], kind[some]),
        "mean_average_precision": _precision(labelled, tested, treated),
    }


def _precision(labelled: LabelledWells, tested: Any, treated: Any) -> float:
    """Return the mean over perturbations of how well tested wells find each other."""
    chosen = treated[tested[treated]]
    wells = labelled.wells
    metadata = wells.metadata.iloc[chosen].reset_index(drop=True)
    if not metadata.duplicated("perturbation").any() or "batch" not in metadata:
        return float("nan")
    part = Wells(wells.embeddings[chosen], metadata, wells.origin)
    table = average_precision(
        part, pos_sameby="perturbation", pos_diffby="batch", neg_diffby="perturbation",
    ).table  # fmt: skip
    return float(table.groupby("perturbation")["average_precision"].mean().mean())


def _recall(wells: Wells, sources: Mapping[str, pd.DataFrame]) -> float:
    """Return the mean recall over sources, at tails of 5 %."""
    map_ = build_map(wells, None)
    table = relationship_recall(map_, sources, tails=[(0.05, 0.95)]).table
    return float(table["recall"].mean())


def _ranked(studied: Sequence[_Studied]) -> pd.DataFrame:
    table = pd.DataFrame([one.record(studied[0]) for one in studied])
    table = table.sort_values("biology", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _kinds(studied: Sequence[_Studied]) -> pd.DataFrame:
    """Return the accuracies of both classifiers for each kind of wells."""
    parts = [
        result.by_kind.assign(correction=one.name, classifier=name)
        for one in studied
        for name, result in (("nearest", one.nearest), ("probe", one.probe))
    ]
    table = pd.concat(parts, ignore_index=True)
    first = ["correction", "classifier"]
    return table[[*first, *(column for column in table if column not in first)]]
