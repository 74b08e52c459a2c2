"""Which block of a network tells most: each scored alike, so that differences are paired."""

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.align import Alignment
from wellgram.backends import takes_backend
from wellgram.checksums import frame_digest
from wellgram.errors import InputError
from wellgram.files import remove_leftovers
from wellgram.io.block_files import Blocks, open_blocks
from wellgram.io.relationships import named_sources
from wellgram.metrics import linear_probe
from wellgram.metrics.labelled import LabelledWells
from wellgram.metrics.penalties import Method, check_penalties
from wellgram.metrics.recall import Same
from wellgram.metrics.rows_of_pairs import Sources
from wellgram.probes.splits import splits_by
from wellgram.stream import WellStream
from wellgram.studies.block_scores import BlockScores, BlockSearchResult
from wellgram.suite.contract import Outcome, Part, Step
from wellgram.suite.scoring import score
from wellgram.wells import Wells

_BESIDE = ("recall", "drug-targets", "consistency")
_FOLDER = "blocks"
_LONGEST_NAME = 200
"""Bytes of a block's name where it is that of a file; temporary names are longer by some"""


@takes_backend
def search_blocks(
    blocks: Blocks
    | str
    | Path
    | Sequence[str | Path]
    | NDArray[Any]
    | Mapping[str, Wells | WellStream],
    metadata: str | Path | pd.DataFrame | None = None,
    *,
    layout: str = "rxrx1",
    align: Alignment | None = None,
    label: str = "perturbation",
    split: str = "batch",
    method: Method = "logistic",
    penalty: float | Sequence[float] | None = None,
    kind: str | None = None,
    sources: Sources | None = None,
    same: Same = (),
    same_separator: str | None = None,
    targets: pd.DataFrame | None = None,
    metrics: Sequence[str] = _BESIDE,
    out: str | Path | None = None,
    allow_duplicates: bool = False,
    resamples: int = 1000,
    seed: int = 0,
    backend: str | None = None,
    step: Step | None = None,
) -> BlockSearchResult:
    """Score the embeddings of every block of a network, and find the best.

    By a probe on held-out batches, balanced accuracy choosing the block, as in ViTally Consistent
    (arXiv 2411.02572), and beside it recall, drug targets and consistency as far as the data
    allows. Every block has the same wells, splits, draws and nulls, so their differences are
    paired. With `out`, what each block scored is kept as it is found, and a search that was
    interrupted goes on where it stopped.

    Parameters
    ----------
    blocks, metadata, layout
        See `wellgram.io.open_blocks`; or what that returned.
    align
        An alignment that has not been fitted; it is, to each block. None: as they are.
    label, split, method, penalty, kind
        As for `linear_probe`.
    sources, same, same_separator, targets
        Known pairs and targets: see `wellgram.score`.
    metrics
        Which benchmarks to run beside: of ``"recall"``, ``"drug-targets"`` and ``"consistency"``.
    out
        A folder: what was scored lies in ``blocks/`` there, and is taken from there if the files,
        settings and library are the same.
    allow_duplicates
        See `wellgram.score`.
    resamples, seed
        How often batches are resampled, and the seed of all draws.
    backend
        See `wellgram.set_backend`.
    step
        Told of every block; for progress bars.

    Returns
    -------
    BlockSearchResult

    Raises
    ------
    InputError
        If blocks are of different wells, a metric is not known, a block's name cannot be that of a
        file in `out`, or as `linear_probe` has it; before any embedding is read where labels can
        tell.
    """
    opened = blocks if isinstance(blocks, Blocks) else open_blocks(blocks, metadata, layout=layout)
    for name in metrics:
        if name not in _BESIDE:
            raise InputError(f"unknown metric {name!r}; choose {', '.join(_BESIDE)}")
    first = opened.open(0)
    _check(first, label, split, method, penalty, kind, seed)
    pairs = named_sources(sources)
    settings = {
        "align": repr(align), "label": label, "split": split, "method": method, "penalty": penalty,
        "kind": kind, "same": repr(same), "same_separator": same_separator,
        "metrics": sorted(metrics), "seed": seed,
        "sources": {name: frame_digest(frame) for name, frame in pairs.items()},
        "targets": None if targets is None else frame_digest(targets),
        "labels": frame_digest(first.metadata), "library": _version(),
    }  # fmt: skip
    announce: Step = step or (lambda _: nullcontext(lambda share: None))
    folder = None if out is None else Path(out) / _FOLDER
    if folder is not None:
        for name in opened.names:
            _check_file_name(name)
        _made(folder)
    scored: list[BlockScores] = []
    resumed = 0
    for k, name in enumerate(opened.names):
        key = _key(settings, opened.keys[k])
        path = None if folder is None else folder / f"{name}.npz"
        done = None if path is None else BlockScores.load(path, key)
        if done is not None:
            resumed += 1
        else:
            with announce(name) as progress:
                wells = opened.read(k, first)
                # First what raises at once for pairs or targets that cannot be used.
                beside = score(
                    wells, copy.deepcopy(align), sources=pairs, same=same,
                    same_separator=same_separator, targets=targets, metrics=list(metrics),
                    allow_duplicates=allow_duplicates,
                    seed=seed,
                )  # fmt: skip
                probe = linear_probe(
                    wells, align, label=label, split=split,
                    method=method, penalty=penalty, kind=kind, resamples=1, seed=seed,
                    progress=progress,
                )  # fmt: skip
                done = BlockScores(probe.outcomes, _headlines(beside.outcomes))
                if path is not None:
                    done.save(path, key)
        scored.append(done)
    said = f"{method} probe of {label}, split by {split!r}"
    return BlockSearchResult(opened.names, said, scored, resamples, seed, resumed)


def _check(
    wells: Wells | WellStream,
    label: str,
    split: str,
    method: Method,
    penalty: float | Sequence[float] | None,
    kind: str | None,
    seed: int,
) -> None:
    """Raise for what the labels of wells alone tell to be impossible."""
    check_penalties(method, penalty)
    none = np.ones((len(wells), 1), np.float32)  # of the embeddings nothing is read yet
    labels = Wells(none, wells.metadata, wells.origin)
    labelled = LabelledWells.of(labels, label, kind)
    labelled.testable(splits_by(labels, split, folds=5, within=labelled.kind, seed=seed))


def _headlines(outcomes: Mapping[str, Outcome]) -> dict[str, float]:
    """Return the figure of each benchmark that was run."""
    records = {
        name: outcome.findings.records
        for name, outcome in outcomes.items()
        if isinstance(outcome, Part)
    }
    values: dict[str, float] = {}
    if "recall" in records:
        table = records["recall"]
        values["recall"] = float(table["recall"][table["tail_low"] == 0.05].mean(skipna=False))
    if "drug-targets" in records:
        values["drug_targets"] = float(records["drug-targets"]["average_precision"].max())
    if "consistency" in records:
        whole = records["consistency"].iloc[0]
        if pd.notna(whole["mean_cosine"]):
            values["consistency"] = float(whole["mean_cosine"] - whole["null_mean"])
    return values


def _check_file_name(name: str) -> None:
    """Raise unless what a block scored can lie in a file of its name, within the folder."""
    outside = "/" in name or "\\" in name or name in ("", ".", "..")
    if outside or not name.isprintable() or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        raise InputError(
            f"block {name[:_LONGEST_NAME]!r} cannot be the name of a file in out=: rename the "
            f"block, without slashes and with at most {_LONGEST_NAME} bytes"
        )


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    except OSError as problem:
        raise InputError(
            f"cannot write to the output folder {str(folder)!r}: {problem.strerror}; choose another"
        ) from None


def _key(settings: Mapping[str, Any], block: str) -> str:
    text = json.dumps([settings, block], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _version() -> str:
    from importlib.metadata import version

    return version("wellgram")
