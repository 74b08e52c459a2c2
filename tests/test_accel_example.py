"""The example on efaar_benchmarking alone, run as it is and accelerated: the same tables."""

import numpy as np
import pandas as pd
import pytest

import peers
from helpers.examples import left_to_originals, run_example, write_screen

pytestmark = pytest.mark.skipif(
    not peers.has_efaar(),
    reason="efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)",
)


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    """A small screen on disk, the negatives, and what the peer imports but does not need."""
    folder = tmp_path_factory.mktemp("screen")
    return write_screen(folder, scale=0.02, negatives=12)


def run(screen, *door, align, out, **environment):
    return run_example(
        "evaluate_screen.py", screen, "--align", align, door=door, out=out, **environment
    )


def cosines(map_):
    x = map_.iloc[:, 1:].to_numpy(float)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit @ unit.T


MEANS = {"efaar_benchmarking.efaar.aggregate"}
"""What is left to the original"""


def test_the_example_gives_the_same_tables_both_ways(screen, tmp_path):
    theirs = run(screen, align="tvn", out=tmp_path / "theirs")
    door = ("-m", "wellgram.accel", "--profile")
    ours = run(screen, *door, align="tvn", out=tmp_path / "ours", WELLGRAM_ACCEL_VERIFY="0")
    assert ours.stdout == theirs.stdout
    assert left_to_originals(ours.stderr) == MEANS
    assert "tvn_on_controls" in ours.stderr
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
    done = run(screen, *door, align="centerscale", out=tmp_path, WELLGRAM_ACCEL_VERIFY="1")
    assert left_to_originals(done.stderr) == MEANS
    assert "centerscale_on_controls" in done.stderr
