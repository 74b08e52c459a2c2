"""The example on efaar_benchmarking alone, run as it is and accelerated: the same tables."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import peers
from wellgram.simulate import rxrx3_core

EXAMPLE = Path(__file__).parents[1] / "examples" / "evaluate_screen.py"

pytestmark = pytest.mark.skipif(
    not peers.has_efaar(),
    reason="efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)",
)


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """A small screen on disk, the negatives, and what the peer imports but does not need."""
    folder = tmp_path_factory.mktemp("screen")
    rxrx3_core(scale=0.02, seed=1, features=24).write(folder)
    for source in (folder / "relationships").glob("*.csv"):
        source.rename(source.with_suffix(".txt"))
    (folder / "negatives.txt").write_text("\n".join(f"GENE{k:04d}" for k in range(12)))
    peers.write_stand_ins(folder / "stand_ins")
    return folder


def run(screen, *door, align, out, **environment):
    paths = [str(screen / "stand_ins"), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-W", "ignore", *door, EXAMPLE, screen, "--align", align]
    done = subprocess.run(
        [*map(str, command), "--negatives", screen / "negatives.txt", "--out", out],
        # Processes of joblib, which each import everything anew, would take most of the time.
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(paths), "JOBLIB_MULTIPROCESSING": "0"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def cosines(map_):
    x = map_.iloc[:, 1:].to_numpy(float)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize("align", ["tvn", "centerscale"])
def test_the_example_gives_the_same_tables_both_ways(screen, tmp_path, align):
    theirs = run(screen, align=align, out=tmp_path / "theirs")
    door = ("-m", "wellgram.accel", "--profile")
    ours = run(screen, *door, align=align, out=tmp_path / "ours", WELLGRAM_ACCEL_VERIFY="0")
    assert ours.stdout == theirs.stdout
    table = ours.stderr[ours.stderr.rindex("ran  ") :]
    assert "original" not in table
    assert f"{'tvn' if align == 'tvn' else 'centerscale'}_on_controls" in table
    for name in ("recall.csv", "consistency.csv"):
        frames = [pd.read_csv(tmp_path / who / name) for who in ("theirs", "ours")]
        # The embeddings are float32, and so is the arithmetic of both.
        pd.testing.assert_frame_equal(*frames, rtol=1e-5, atol=1e-5)
    maps = [pd.read_parquet(tmp_path / who / "map.parquet") for who in ("theirs", "ours")]
    assert maps[1]["perturbation"].tolist() == maps[0]["perturbation"].tolist()
    # Axes of nearly the same variance are mixed by rounding, which leaves cosines alone.
    np.testing.assert_allclose(*map(cosines, maps), atol=1e-5)


def test_the_example_passes_when_every_call_is_verified(screen, tmp_path):
    door = ("-m", "wellgram.accel", "--profile")
    done = run(screen, *door, align="tvn", out=tmp_path, WELLGRAM_ACCEL_VERIFY="1")
    assert "original" not in done.stderr[done.stderr.rindex("ran  ") :]
