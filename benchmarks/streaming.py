"""Maps from parquet by stream, beside reading the file: RxRx3-core's shape, and 2.2 million wells.

Run ``python benchmarks/streaming.py [--repeats 5]`` for the first, ``--large 128`` and ``--large
1024`` for the others (1.1 and 9 GB on disk), which are made of noise, their labels laid out as
RxRx3's: 176 experiments, 17,063 genes, one well in eight a control.

Each side is a process of its own, in turn. Time is wall clock: the first run of a process, which
also pays for fresh memory, and for RxRx3-core's shape the median of those after it. Files are read
once before, so that they are warm. The peak memory is that of the whole process.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from memory import status

EMBEDDINGS, METADATA = "OpenPhenom_rxrx3_core_embeddings.parquet", "metadata_rxrx3_core.csv"
EXPERIMENTS, WELLS, GENES, CONTROLS = 176, 12_500, 17_063, 8


def large(folder: Path, features: int, lists: bool) -> None:
    """Write a screen of 2.2 million wells, an experiment a row group."""
    rng = np.random.default_rng(0)
    genes = np.array_split(np.arange(GENES), EXPERIMENTS)
    writer, metadata = None, []
    for e, own in enumerate(genes):
        labels = np.array([f"RXRX3-{g:05d}_guide_{k}" for g in own for k in range(1, 7)], object)
        treatment = np.resize(labels, WELLS)
        treatment[::CONTROLS] = "EMPTY_control"
        ids = [f"gene-{e + 1:03d}_{well}" for well in range(WELLS)]
        metadata.append(
            pd.DataFrame(
                {
                    "well_id": ids,
                    "experiment_name": f"gene-{e + 1:03d}",
                    "treatment": treatment,
                    "concentration": np.nan,
                    "perturbation_type": "CRISPR",
                }
            )
        )
        x = rng.standard_normal((WELLS, features), dtype=np.float32)
        x += rng.standard_normal(features, dtype=np.float32)
        if lists:
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), features)
            table = pa.table({"well_id": ids, "feature_0": vectors})
        else:
            columns = {f"feature_{j}": column for j, column in enumerate(x.T)}
            table = pa.table({"well_id": ids, **columns})
        if writer is None:
            writer = pq.ParquetWriter(folder / EMBEDDINGS, table.schema, use_dictionary=["well_id"])
        writer.write_table(table, row_group_size=WELLS)
    writer.close()
    pd.concat(metadata).to_csv(folder / METADATA, index=False)


def reading(folder: Path) -> dict[str, Callable[[], object]]:
    """Read the file with pyarrow: into memory, or a row group at a time."""
    path = folder / EMBEDDINGS

    def by_groups() -> None:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group)

    small = path.stat().st_size < 1 << 30
    whole = {"pyarrow, into memory": lambda: pq.read_table(path)} if small else {}
    return whole | {"pyarrow, by row groups": by_groups}


def mapping(folder: Path) -> dict[str, Callable[[], object]]:
    """Make the map with TVN."""
    import wellgram as wg

    def whole() -> None:
        wells = wg.open_wells(folder / EMBEDDINGS, folder / METADATA)
        wg.build_map(wells, wg.TVN())

    return {"map, TVN": whole}


def parts(folder: Path) -> dict[str, Callable[[], object]]:
    """Do the parts of it one by one."""
    import wellgram as wg
    from wellgram.align.sample import as_sample
    from wellgram.maps.build import map_rows
    from wellgram.maps.cell_sums import CellSums

    held = {}

    def labels() -> None:
        held["wells"] = wg.open_wells(folder / EMBEDDINGS, folder / METADATA)
        held["rows"] = map_rows(held["wells"])

    def blocks() -> None:
        for _ in held["wells"].chunks():
            pass

    def sums() -> None:
        held["sums"] = CellSums(held["wells"], held["rows"][0], True)
        held["sums"].complete(held["wells"])

    def moments() -> None:
        sample = as_sample(held["wells"], None, None)
        codes = np.where(sample.is_control, sample.codes, -1)
        held["moments"] = sample.moments(codes, "smaller")
        held["names"] = sample.names

    def decompositions() -> None:
        held["align"] = wg.TVN()
        held["align"].fit_moments(held["moments"], held["names"])

    def cells() -> None:
        held["sums"].means(held["align"].affine_, len(held["rows"][1]))

    return {
        "labels": labels,
        "blocks of rows": blocks,
        "blocks and sums": sums,
        "blocks and moments": moments,
        "decompositions": decompositions,
        "maps of the sums": cells,
    }


SIDES = {"reading": reading, "mapping": mapping, "parts": parts}


def side(name: str, folder: Path, repeats: int) -> dict[str, list[float]]:
    """Time everything of a side."""
    seconds = {}
    for what, run in SIDES[name](folder).items():
        seconds[what] = []
        for _ in range(repeats):
            began = time.perf_counter()
            run()
            seconds[what].append(time.perf_counter() - began)
    return seconds


def in_process(name: str, folder: Path, repeats: int) -> tuple[dict[str, list[float]], float]:
    """Run a side in a fresh process; return its seconds and its peak memory in GB."""
    command = [sys.executable, "-W", "ignore", __file__, "--side", name, str(folder)]
    printed = subprocess.check_output([*command, str(repeats)], text=True)
    seconds, peak = json.loads(printed.splitlines()[-1])
    return seconds, peak / 1e9


def report(folder: Path, repeats: int, names: list[str]) -> None:
    """Print each side's times, first and later, and its peak memory."""
    for name in names:
        seconds, peak = in_process(name, folder, repeats)
        for what, times in seconds.items():
            later = f", later {statistics.median(times[1:]):6.3f} s" if times[1:] else ""
            print(f"  {what:24s} first {times[0]:6.3f} s{later}")
        print(f"  {name}: peak {peak:.2f} GB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", type=int, action="append", default=[])
    parser.add_argument("--lists", action="store_true")
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        name, folder, repeats = options.side
        print(json.dumps([side(name, Path(folder), int(repeats)), status("VmHWM")]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not options.large:
            from wellgram.simulate import rxrx3_core

            rxrx3_core(seed=0).write(folder)
            in_process("reading", folder, 1)
            print("RxRx3-core's shape, 222,601 wells x 384")
            report(folder, 1, ["mapping", "mapping", "mapping"])  # for the peak of one map alone
            report(folder, options.repeats, ["reading", "mapping", "mapping", "parts", "reading"])
        for features in options.large:
            large(folder, features, options.lists)
            size = (folder / EMBEDDINGS).stat().st_size / 1e9
            print(f"{EXPERIMENTS * WELLS:,} wells x {features}, {size:.1f} GB on disk")
            report(folder, 1, ["reading", "reading", "mapping", "parts"])


if __name__ == "__main__":
    main()
