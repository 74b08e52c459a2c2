"""Embeddings by every block of a network, of which one in the middle tells most: that is planted.

Early blocks hold little of what was done to a well, late ones what a pretext task wanted; between
them the effect of a perturbation rises and falls again (ViTally Consistent, arXiv 2411.02572).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.files import output_folder
from wellgram.io.screens import wells_from_frame
from wellgram.parquet_checksums import write_parquet
from wellgram.wells import Wells

Vectors = NDArray[np.float32]

_EFFECT, _SHIFT, _WIDTH = 0.7, 0.5, 0.2


@dataclass(frozen=True)
class BlockStack:
    """Embeddings of the same wells by several blocks, and which block is the best."""

    embeddings: Vectors
    """(blocks, n, d)"""
    metadata: pd.DataFrame
    """The columns of RxRx1's ``metadata.csv``, one row per well"""
    names: Sequence[str]
    best: str
    relationships: pd.DataFrame
    """(entity1, entity2): siRNAs of planted groups, which look alike"""

    def wells(self, block: int) -> Wells:
        """Return the wells by one block."""
        return wells_from_frame(self.embeddings[block], self.metadata, layout="rxrx1")

    def write(self, folder: str | Path) -> None:
        """Write ``blocks/NAME.parquet``, ``metadata.csv`` and ``relationships.csv``."""
        with output_folder(folder) as out:
            (out / "blocks").mkdir()
            self.metadata.to_csv(out / "metadata.csv", index=False)
            self.relationships.to_csv(out / "relationships.csv", index=False)
            for name, rows in zip(self.names, self.embeddings, strict=True):
                columns = {f"feature_{j}": column for j, column in enumerate(rows.T)}
                table = pa.table({"site_id": pa.array(self.metadata["site_id"])} | columns)
                write_parquet(table, out / "blocks" / f"{name}.parquet")


def block_stack(
    blocks: int = 12,
    seed: int = 0,
    *,
    perturbations: int = 60,
    batches: int = 8,
    features: int = 64,
) -> BlockStack:
    """Simulate embeddings of the same wells by the blocks of a network.

    Block b of B has effects of size ``exp(-((b - m) / (0.2 B))^2 / 2)``, with m = 0.6 B rounded
    down, the same in all blocks but for size, in noise of its own. Each perturbation is in every
    batch once, in the last quarter of batches to be tested; those of a group of three share half of
    their effect.

    Parameters
    ----------
    blocks
        How many, 3 at least.
    seed
        Same seed, same bytes.
    perturbations, batches
        How many; 6 and 4 at least.
    features
        The width d of the embeddings, 8 at least.

    Raises
    ------
    InputError
        If one of these is less.
    """
    for name, given, least in (
        ("blocks", blocks, 3),
        ("seed", seed, 0),
        ("perturbations", perturbations, 6),
        ("batches", batches, 4),
        ("features", features, 8),
    ):
        if given < least:
            raise InputError(f"{name} must be {least} at least, not {given}")
    design, planted, noise = np.random.default_rng(seed).spawn(3)
    metadata = _design(perturbations, batches, design)
    sirna = metadata["sirna_id"].to_numpy()
    batch = pd.factorize(metadata["experiment"])[0]
    group = np.arange(perturbations) // 3
    best = int(0.6 * blocks)
    embeddings = np.empty((blocks, len(metadata), features), np.float32)
    own = planted.standard_normal((perturbations + 1, features), dtype=np.float32)
    shared = planted.standard_normal((group.max() + 1, features), dtype=np.float32)
    effect = np.zeros_like(own)
    effect[:-1] = np.float32(np.sqrt(0.5)) * (own[:-1] + shared[group])
    shift = _SHIFT * planted.standard_normal((batches, features), dtype=np.float32)
    for b in range(blocks):
        size = np.float32(_EFFECT * np.exp(-(((b - best) / (_WIDTH * blocks)) ** 2) / 2))
        rows = noise.standard_normal((len(metadata), features), dtype=np.float32)
        embeddings[b] = rows + size * effect[sirna] + shift[batch]
    labels = [f"s{100 + k}" for k in range(perturbations)]
    pairs = [
        (labels[i], labels[j])
        for i in range(perturbations)
        for j in range(i + 1, perturbations)
        if group[i] == group[j]
    ]
    names = [f"block_{b + 1:02d}" for b in range(blocks)]
    known = pd.DataFrame(pairs, columns=["entity1", "entity2"])
    return BlockStack(embeddings, metadata, names, names[best], known)


def _design(perturbations: int, batches: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the wells: each perturbation once and four untreated ones per batch."""
    parts = []
    for b in range(batches):
        sirna = np.concatenate([np.arange(perturbations), np.full(4, perturbations)])
        parts.append(
            pd.DataFrame(
                {
                    "cell_type": "HUVEC",
                    "dataset": "train" if b < batches - max(1, batches // 4) else "test",
                    "experiment": f"HUVEC-{b + 1:02d}",
                    "plate": 1,
                    "well": [f"W{k:04d}" for k in rng.permutation(len(sirna))],
                    "site": 1,
                    "well_type": np.where(sirna < perturbations, "treatment", "negative_control"),
                    "sirna": [f"s{100 + k}" if k < perturbations else "EMPTY" for k in sirna],
                    "sirna_id": sirna,
                }
            )
        )
    wells = pd.concat(parts, ignore_index=True)
    well_id = wells["experiment"] + "_1_" + wells["well"]
    wells.insert(0, "well_id", well_id)
    wells.insert(0, "site_id", well_id + "_1")
    return wells
