"""The example that compares maps, run as it is and accelerated: the same files."""

from importlib.util import find_spec

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
    """A small screen on disk, clusters of its genes, and negatives."""
    folder = write_screen(tmp_path_factory.mktemp("screen"), scale=0.01, negatives=6)
    genes = [f"GENE{k:04d}" for k in range(735)]
    (folder / "relationships" / "CORUM_clusters.tsv").write_text(
        "".join(f"complex {k}\t{' '.join(genes[k::10])}\n" for k in range(10))
    )
    return folder


MEANS = {"efaar_benchmarking.efaar.aggregate"}
"""What is left to the original"""


def run(screen, *door, out, **environment):
    options = ["--components", "8", "--jobs", "1"]
    if all(map(find_spec, ("geomloss", "torch"))):
        options.append("--magnitude")
    return run_example("compare_maps.py", screen, *options, door=door, out=out, **environment)


def test_the_example_gives_the_same_files_both_ways(screen, tmp_path):
    theirs = run(screen, out=tmp_path / "theirs")
    door = ("-m", "wellgram.accel", "--profile")
    ours = run(screen, *door, out=tmp_path / "ours", WELLGRAM_ACCEL_VERIFY="0")
    assert ours.stdout == theirs.stdout
    assert left_to_originals(ours.stderr) == MEANS
    files = sorted(path.name for path in (tmp_path / "theirs").iterdir())
    assert len(files) == 3 * 5
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == files
    for name in files:
        frames = [pd.read_csv(tmp_path / who / name) for who in ("theirs", "ours")]
        # The embeddings are float32, and so is the arithmetic of the original, which geomloss
        # loses three digits of.
        pd.testing.assert_frame_equal(*frames, rtol=1e-4, atol=1e-3)


def test_the_example_passes_when_every_call_is_verified(screen, tmp_path):
    door = ("-m", "wellgram.accel", "--profile")
    done = run(screen, *door, out=tmp_path, WELLGRAM_ACCEL_VERIFY="1")
    assert left_to_originals(done.stderr) == MEANS
