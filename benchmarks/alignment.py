"""Every alignment beside its public counterpart, at RxRx3-core's shape, and beside the floor.

Run ``python benchmarks/alignment.py [--scale 1.0] [--repeats 5] [--only tvn]``. Needs a C compiler
for the floor (``benchmarks/peak.c``), scikit-learn, and for the peers
``pip install --no-deps efaar_benchmarking==1.0 pycytominer==1.7.1 neuroCombat==0.2.12``; those that
are absent are left out.

Wells lie in memory. Each side is a process of its own, ours and theirs in turn: fit and transform,
wall clock, the median of our repeats (a peer of minutes runs once), and by how much the peak memory
rose. The floor is flops over the measured peak plus bytes over the measured bandwidth of a copy.
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

import peers
import wellgram as wg
from memory import reset_peak, status
from pairs import peak_of
from wellgram.align import ALIGNMENTS, alignment
from wellgram.backends import cpu
from wellgram.simulate import rxrx3_core

SPHERED = 3_000  # wells: pycytominer takes all n x n left singular vectors of the controls


def load(folder: Path, name: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the rows and labels that an alignment is measured on."""
    x, labels = np.load(folder / "x.npy"), pd.read_pickle(folder / "labels.pkl")
    some = slice(SPHERED if name == "sphering" else None)
    return x[some], labels.iloc[some].reset_index(drop=True)


def ours(name: str, x: np.ndarray, labels: pd.DataFrame) -> np.ndarray:
    """Fit and transform."""
    wells = wg.Wells(x, labels)
    return alignment(name).fit_transform(wells)


def theirs(name: str, x: np.ndarray, labels: pd.DataFrame) -> np.ndarray | None:
    """Do the same with the public counterpart; None where there is none here."""
    control, batch = labels["is_control"].to_numpy(), labels["batch"].to_numpy()
    wide = x.astype(np.float64)
    if name in ("tvn", "center-scale", "standardize") and peers.has_efaar():
        efaar = peers.efaar("efaar")
        if name == "standardize":
            return efaar.centerscale_by_batch(wide, labels, "batch")
        align = efaar.tvn_on_controls if name == "tvn" else efaar.centerscale_on_controls
        return align(wide, labels, "perturbation", "EMPTY_control", "batch")
    if name == "pca-whiten":
        from sklearn.decomposition import PCA

        return PCA(whiten=True).fit(wide[control]).transform(wide)
    transforms = peers.pycytominer_transforms()
    if name == "sphering" and transforms:
        peer = transforms.Spherize(method="ZCA").fit(pd.DataFrame(wide[control]))
        return peer.transform(pd.DataFrame(wide)).to_numpy()
    if name == "inverse-normal" and transforms:
        return transforms.InverseNormalTransform().fit(wide).transform(wide)
    if name == "robust-mad" and transforms:
        out = np.empty_like(wide)
        for b in np.unique(batch):  # as its users do: a plate at a time
            peer = transforms.RobustMAD().fit(pd.DataFrame(wide[(batch == b) & control]))
            out[batch == b] = peer.transform(pd.DataFrame(wide[batch == b]))
        return out
    if name == "combat" and peers.find_spec("neuroCombat"):
        from neuroCombat import neuroCombat

        return neuroCombat(wide.T, pd.DataFrame({"batch": batch}), "batch")["data"].T
    return None


def agree(name: str, mine: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference: of cosines where axes are free, else of values."""
    some = np.random.default_rng(0).choice(len(mine), min(2000, len(mine)), replace=False)
    a, b = (y[some].astype(np.float64) for y in (mine, other))
    if name in ("tvn", "pca-whiten", "sphering"):
        a, b = (y / np.linalg.norm(y, axis=1, keepdims=True) for y in (a, b))
        return float(np.abs(a @ a.T - b @ b.T).max())
    return float(np.abs(a - b).max())


def side(which: str, name: str, folder: Path) -> dict[str, float | None]:
    """Measure one side."""
    x, labels = load(folder, name)
    call: Callable[..., np.ndarray | None] = ours if which == "ours" else theirs
    call(name, x[:2000], labels[:2000].assign(batch="one"))  # imports, threads
    np.ones(1 << 31, np.uint8)  # memory at hand: see pairs.one_by_one
    before, began = reset_peak(), time.perf_counter()
    y = call(name, x, labels)
    if y is None:
        return {"seconds": None}
    seconds = time.perf_counter() - began
    extra = status("VmHWM") - before
    np.save(folder / f"{which}.npy", y[:20_000])
    return {"seconds": seconds, "extra": extra}


def run(which: str, name: str, folder: Path) -> dict[str, float | None]:
    """Run a side in a fresh process."""
    command = [sys.executable, "-W", "ignore", __file__, "--side", which, name, str(folder)]
    return json.loads(subprocess.check_output(command, text=True).splitlines()[-1])


def work(name: str, x: np.ndarray, labels: pd.DataFrame) -> tuple[float, float]:
    """Return the flops and bytes that fitting and transforming cannot do without.

    A transform reads and writes every value once; a fit reads those it is fitted on. Of flops are
    counted the products: scatter of controls, shared basis, and two of rank r per batch.
    """
    n, d = x.shape
    controls = int(labels["is_control"].sum())
    moved = 4.0 * d * (2 * n + (n if name in ("standardize", "combat") else controls))
    rotation = 2.0 * n * d * d
    scatter = 1.0 * controls * d * d
    sizes = labels.groupby("batch")["is_control"].agg(["size", "sum"])
    rank = np.minimum(sizes["sum"] - 1, d)
    low = float((4.0 * sizes["size"] * d * rank).sum())
    flops = {
        "pca-center-scale": rotation + scatter,
        "pca-whiten": rotation + scatter,
        "sphering": rotation + scatter,
        "coral": rotation + scatter + low,
        "tvn": rotation + scatter + low,
    }
    return flops.get(name, 0.0), moved


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", action="append")
    parser.add_argument("--side", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        which, name, folder = options.side
        print(json.dumps(side(which, name, Path(folder))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wells = rxrx3_core(scale=options.scale, seed=0).wells()
        np.save(folder / "x.npy", wells.embeddings)
        wells.metadata.to_pickle(folder / "labels.pkl")
        with peak_of(cpu.instruction_set(), cpu.threads()) as peak:
            flops, copied = peak()
        print(f"{wells!r}; peak {flops / 1e9:.0f} GFLOP/s, copy {copied / 1e9:.0f} GB/s")
        del wells
        for name in options.only or ALIGNMENTS:
            peer = run("theirs", name, folder)
            mine = [run("ours", name, folder) for _ in range(options.repeats)]
            seconds = statistics.median(one["seconds"] for one in mine)
            extra = max(one["extra"] for one in mine)
            needed, moved = work(name, *load(folder, name))
            floor = needed / flops + moved / copied
            line = (
                f"  {name:16s} {seconds:6.2f} s, {extra / 1e6:5.0f} MB extra,"
                f" {seconds / floor:4.1f} x the floor"
            )
            if peer["seconds"] is not None:
                both = (np.load(folder / f"{which}.npy") for which in ("ours", "theirs"))
                line += (
                    f"; peer {peer['seconds']:7.2f} s, {peer['extra'] / 1e6:6.0f} MB"
                    f" = {peer['seconds'] / seconds:4.0f} x; differ by {agree(name, *both):.1g}"
                )
            print(line, flush=True)


if __name__ == "__main__":
    main()
