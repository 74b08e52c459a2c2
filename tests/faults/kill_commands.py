"""The commands that are killed: each writes over the results of an earlier run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Arguments = list[str]


@dataclass(frozen=True)
class Command:
    """A command line, and what it writes."""

    name: str
    older: Arguments
    """Of the earlier run; ``OUT`` stands for where results go, ``IN`` for the inputs"""
    newer: Arguments
    """Of the run that is killed"""
    read: str = ""
    """A file of the results that is opened afterwards; nothing is written where there is none"""
    beside: tuple[str, ...] = ()
    """What is kept within the results for a run that goes on, and is no result"""

    def arguments(self, given: Arguments, inputs: Path, out: Path) -> Arguments:
        """Return a command line with its paths."""
        return [word.replace("IN/", f"{inputs}/").replace("OUT", str(out)) for word in given]


_BLOCK = ["IN/stack/blocks/block_01.parquet", "--metadata", "IN/stack/metadata.csv"]
_SCORE = ["score", *_BLOCK, "--layout", "rxrx1", "--align", "none", "--out", "OUT"]
_BLOCKS = ["blocks", "IN/stack/blocks", "--metadata", "IN/stack/metadata.csv", "--out", "OUT"]
_PROBE = ["--penalty", "1", "--resamples", "10"]
_STUDY = ["batch-study", *_BLOCK, "--resamples", "10", "--out", "OUT", "--correction", "none"]
_SCREEN = ["simulate", "--scale", "0.01", "--features", "8", "--out", "OUT"]
_SITES = [
    "simulate", "--screen", "rxrx1", "--scale", "0.01", "--features", "16", "--out", "OUT"
]  # fmt: skip
_NEIGHBORS = ["neighbors", "IN/map.parquet", "--out"]

COMMANDS = [
    Command(
        "score",
        # The newer one has no recall, so tables and figures of recall must go.
        [*_SCORE, "--metric", "recall", "--relationships", "IN/stack/relationships.csv"],
        [*_SCORE, "--metric", "projection", "--align", "standardize"],
        "map.parquet",
        ("unfinished",),
    ),
    Command(
        "blocks", [*_BLOCKS, *_PROBE], [*_BLOCKS, *_PROBE, "--seed", "1"], "blocks.csv", ("blocks",)
    ),
    Command(
        "batch-study",
        _STUDY,
        [*_STUDY, "--correction", "center-scale", "--seed", "1"],
        "corrections.csv",
    ),
    Command(
        "simulate",
        _SCREEN,
        [*_SCREEN, "--seed", "1"],
        "OpenPhenom_rxrx3_core_embeddings.parquet",
    ),
    Command("simulate-rxrx1", _SITES, [*_SITES, "--seed", "1"], "embeddings.parquet"),
    Command(
        "neighbors-parquet",
        [*_NEIGHBORS, "OUT/table.parquet", "-k", "2"],
        [*_NEIGHBORS, "OUT/table.parquet", "-k", "3"],
        "table.parquet",
    ),
    Command(
        "neighbors-csv",
        [*_NEIGHBORS, "OUT/table.csv", "-k", "2"],
        [*_NEIGHBORS, "OUT/table.csv", "-k", "3"],
        "table.csv",
    ),
    # A store that is a folder: no command writes one, but the library does.
    Command(
        "write_map",
        ["write_map", "0", "OUT/map.zarr"],
        ["write_map", "1", "OUT/map.zarr"],
        "map.zarr",
    ),
    Command("browse", [], ["browse", "OUT/map.parquet", "--port", "0"]),
    Command("info", [], ["info"]),
]


def make_inputs(folder: Path, run: Callable[[Arguments], None]) -> None:
    """Write a small stack of embeddings, and a map."""
    from wellgram.simulate import block_stack

    block_stack(3, perturbations=6, batches=4, features=8).write(folder / "stack")
    score = [*_SCORE, "--metric", "projection"]
    run(Command("", [], []).arguments(score, folder, folder / "score"))
    (folder / "score" / "map.parquet").rename(folder / "map.parquet")
