"""Every kind of file that wellgram reads: how a small one is written, and what is read of it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import wellgram as wg
from helpers.array_files import write_arrays
from helpers.maps_and_wells import make_map, make_wells
from helpers.small_screens import rxrx3_core, write_csv, write_wide
from wellgram.backends.consumers import CountBelow, Histogram, Nearest, Ranks
from wellgram.pairs import scan_pairs
from wellgram.probes.accuracy import Outcomes
from wellgram.studies.block_scores import BlockScores
from wellgram.suite.contract import Findings
from wellgram.suite.unfinished import UnfinishedRun

_ROLES = {"layout": "columns", "perturbation": "label", "batch": "batch", "control": "c"}


class NothingKeptError(wg.WellgramError):
    """What was kept of an earlier run cannot be used, and is worked out again: it was refused."""


@dataclass(frozen=True)
class FileKind:
    """A kind of file: in a folder, `write` puts what `read` reads, and `target` is damaged."""

    target: str
    write: Callable[[Path], Any]
    read: Callable[[Path], tuple[Any, ...]]
    protected: bool = False
    """Whether the file carries checksums, so that no damage may change a value"""
    needs: str = "wellgram"
    """A package that must be installed"""

    @property
    def usable(self) -> bool:
        """Whether what the kind needs is installed."""
        return find_spec(self.needs) is not None


def _random() -> np.random.Generator:
    return np.random.default_rng(23)


# Maps, read whole, and opened and read by ranges of rows


def _map() -> wg.PerturbationMap:
    rng = _random()
    return make_map(
        rng, 30, 12, dtype=np.float32, n_wells=rng.integers(1, 9, 30),
        perturbation_type=["CRISPR", "COMPOUND"] * 15, dose=[None, 2.5, None, 10.0, None] * 6,
    )  # fmt: skip


def _of_map(read: Any) -> tuple[Any, ...]:
    return read.embeddings, read.labels, read.provenance


def _map_kinds() -> dict[str, FileKind]:
    kinds = {}
    for suffix, package in (
        ("parquet", "pyarrow"), ("npz", "numpy"), ("h5", "h5py"), ("zarr", "zarr"),
        ("h5ad", "anndata"),
    ):  # fmt: skip
        target = f"map.{suffix}"

        def write(folder: Path, target: str = target) -> None:
            wg.write_map(_map(), folder / target)

        def read(folder: Path, target: str = target) -> tuple[Any, ...]:
            return _of_map(wg.read_map(folder / target))

        def read_rows(folder: Path, target: str = target) -> tuple[Any, ...]:
            opened = wg.open_map(folder / target)
            parts = [opened[start : start + 11] for start in range(0, len(opened.labels), 11)]
            return np.concatenate(parts), opened.labels, opened.provenance

        kinds[target] = FileKind(target, write, read, True, package)
        kinds[f"{target}, by rows"] = FileKind(target, write, read_rows, True, package)
    return kinds


# Wells, as others write them


def _wells_columns() -> dict[str, Any]:
    rng = _random()
    return {
        "embeddings": rng.normal(size=(40, 8)).astype(np.float32),
        "label": np.array([*"cccabcaabb"] * 4),
        "batch": np.repeat([1, 2], 20),
    }


def _wells_frame() -> pd.DataFrame:
    columns = _wells_columns()
    features = {f"feature_{j}": column for j, column in enumerate(columns.pop("embeddings").T)}
    return pd.DataFrame(columns | features)


def _read_wells(target: str) -> Callable[[Path], tuple[Any, ...]]:
    def read(folder: Path) -> tuple[Any, ...]:
        wells = wg.read_wells(folder / target, **_ROLES)
        return wells.embeddings, wells.metadata

    return read


def _write_wells_parquet(folder: Path) -> None:
    table = pa.Table.from_pandas(_wells_frame(), preserve_index=False)
    pq.write_table(table, folder / "wells.parquet", row_group_size=16, write_page_checksum=True)


def _write_wells_h5ad(folder: Path) -> None:
    import anndata

    columns = _wells_columns()
    embeddings = columns.pop("embeddings")
    obs = pd.DataFrame(columns).set_axis([f"well {k}" for k in range(len(embeddings))])
    anndata.AnnData(embeddings, obs=obs).write_h5ad(folder / "wells.h5ad")


def _wells_kinds() -> dict[str, FileKind]:
    def arrays(target: str, package: str, *, protected: bool = False) -> FileKind:
        def write(folder: Path) -> None:
            write_arrays(folder / target, **_wells_columns())

        return FileKind(target, write, _read_wells(target), protected, package)

    return {
        "wells.parquet": FileKind(
            "wells.parquet", _write_wells_parquet, _read_wells("wells.parquet")
        ),
        "wells.csv": FileKind(
            "wells.csv",
            lambda folder: write_csv(folder / "wells.csv", _wells_frame()),
            _read_wells("wells.csv"),
        ),
        "wells.npz": arrays("wells.npz", "numpy", protected=True),
        "wells.h5": arrays("wells.h5", "h5py"),
        "wells.zarr": arrays("wells.zarr", "zarr"),
        "wells.h5ad": FileKind(
            "wells.h5ad", _write_wells_h5ad, _read_wells("wells.h5ad"), needs="anndata"
        ),
    }


# What wellgram saves of its own work


def _write_alignment(folder: Path) -> None:
    wells = make_wells(_random(), d=6)
    wg.TVN().fit(wells).affine_.save(folder / "alignment.npz")


def _of_alignment(folder: Path) -> tuple[Any, ...]:
    read = wg.BatchAffine.load(folder / "alignment.npz")
    return (read,)


def _write_scan(folder: Path) -> None:
    rng = _random()
    consumers = [
        CountBelow((-0.2, 0.1)), Histogram(bins=9), Nearest(3, 2),
        Ranks(rng.uniform(-1, 1, 12), ((0.2, 0.3),), 1 << 10),
    ]  # fmt: skip
    scan_pairs(rng.normal(size=(30, 5)), consumers).save(folder / "scan.npz")


def _of_scan(folder: Path) -> tuple[Any, ...]:
    read = wg.Scan.load(folder / "scan.npz")
    return read.states, read.consumers, read.extent, read.tiles, read.digest


def _write_block(folder: Path) -> None:
    rng = _random()
    outcomes = Outcomes(*(rng.integers(0, 5, 40) for _ in range(4)))
    BlockScores(outcomes, {"recall": 0.25}).save(folder / "block.npz", "key")


def _of_block(folder: Path) -> tuple[Any, ...]:
    read = BlockScores.load(folder / "block.npz", "key")
    if read is None:
        raise NothingKeptError("scored again")
    return (read,)


def _write_unfinished(folder: Path) -> None:
    table = pd.DataFrame({"name": ["a", None, "b"], "value": [1.5, -2.0, np.nan]})
    UnfinishedRun(folder, "key").save("toy", Findings(np.arange(9.0), table, {"toy": table}))


def _of_unfinished(folder: Path) -> tuple[Any, ...]:
    read = UnfinishedRun(folder, "key").load("toy")
    if read is None:
        raise NothingKeptError("run again")
    return (read,)


def _own_kinds() -> dict[str, FileKind]:
    return {
        "alignment.npz": FileKind("alignment.npz", _write_alignment, _of_alignment, True),
        "scan.npz": FileKind("scan.npz", _write_scan, _of_scan, True),
        "block.npz": FileKind("block.npz", _write_block, _of_block, True),
        "unfinished": FileKind("unfinished", _write_unfinished, _of_unfinished, True),
    }


# Text and tables of others: names, pairs, targets, metadata


def _write_relationships(folder: Path) -> None:
    rng = _random()
    ends = {f"entity{k}": [f"GENE{g}" for g in rng.integers(0, 40, 60)] for k in (1, 2)}
    write_csv(folder / "relationships.csv", pd.DataFrame(ends))


def _write_targets(folder: Path) -> None:
    rng = _random()
    table = {
        "treatment": [f"compound {k % 9}" for k in range(40)],
        "gene_symbol": [f"GENE{k % 7}" for k in range(40)],
        "nM_value": rng.uniform(1, 9_000, 40).round(2),
    }
    write_csv(folder / "targets.csv", pd.DataFrame(table))


def _write_gene_sets(name: str) -> Callable[[Path], Any]:
    between = "\tfrom a paper\t" if name.endswith(".gmt") else "\t"
    joint = "\t" if name.endswith(".gmt") else " "

    def write(folder: Path) -> None:
        genes = [f"GENE{k}" for k in range(60)]
        lines = [f"set é {k}{between}{joint.join(genes[k : k + 5])}\n" for k in range(0, 55, 5)]
        (folder / name).write_text("".join(lines), encoding="utf-8")

    return write


def _write_screen(folder: Path) -> None:
    values, metadata = rxrx3_core()
    write_wide(folder / "embeddings.parquet", values, metadata["well_id"])
    write_csv(folder / "metadata.csv", metadata)


def _of_screen(folder: Path) -> tuple[Any, ...]:
    wells = wg.read_wells(
        folder / "embeddings.parquet", folder / "metadata.csv", layout="rxrx3-core"
    )
    return wells.embeddings, wells.metadata


def _write_block_stack(folder: Path) -> None:
    columns = _wells_columns()
    np.save(folder / "blocks.npy", np.stack([columns.pop("embeddings")] * 2))
    write_csv(folder / "wells.csv", pd.DataFrame(columns))


def _of_block_stack(folder: Path) -> tuple[Any, ...]:
    blocks = wg.open_blocks(folder / "blocks.npy", folder / "wells.csv", **_ROLES)
    wells = [blocks.read(k, blocks.open(0)) for k in range(len(blocks))]
    return tuple((one.embeddings, one.metadata) for one in wells)


def _text_kinds() -> dict[str, FileKind]:
    return {
        "relationships.csv": FileKind(
            "relationships.csv", _write_relationships,
            lambda folder: (wg.relationship_sources(folder / "relationships.csv"),),
        ),
        "targets.csv": FileKind(
            "targets.csv", _write_targets, lambda folder: (wg.read_targets(folder / "targets.csv"),)
        ),
        "sets.gmt": FileKind(
            "sets.gmt", _write_gene_sets("sets.gmt"),
            lambda folder: (wg.read_gene_sets(folder / "sets.gmt"),),
        ),
        "sets.tsv": FileKind(
            "sets.tsv", _write_gene_sets("sets.tsv"),
            lambda folder: (wg.read_gene_sets(folder / "sets.tsv"),),
        ),
        "metadata.csv": FileKind("metadata.csv", _write_screen, _of_screen),
        "blocks.npy": FileKind("blocks.npy", _write_block_stack, _of_block_stack),
    }  # fmt: skip


def kinds_named(*names: str) -> dict[str, FileKind]:
    """Return some kinds by their names."""
    return {name: FILE_KINDS[name] for name in names}


FILE_KINDS = {**_map_kinds(), **_wells_kinds(), **_own_kinds(), **_text_kinds()}
