"""Nulls of copairs: the same draws, in the same files."""

import numpy as np
import pytest

from helpers.accelerated import Pair, outcome, same_error
from wellgram.accel.copairs import null_precisions
from wellgram.accel.copairs.copairs_releases import copairs_release

pytest.importorskip(
    "copairs.map",
    reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy "
    "tqdm)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero, and draws progress


@pytest.fixture(scope="module")
def nulls():
    return Pair(":get_null_dists")


def test_nulls_and_their_files_are_equal_to_the_bit(nulls, tmp_path):
    confs = np.array([[1, 1], [1, 2], [3, 40], [11, 300], [2, 65_535], [2, 65_536]])
    theirs = nulls.original(confs, 20, 5, tmp_path / "theirs")
    ours = nulls.stand_in(confs, 20, 5, tmp_path / "ours")
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype
    files = {path.relative_to(tmp_path / "theirs") for path in tmp_path.glob("theirs/**/*.npy")}
    assert len(files) == len(confs)
    for file in files:
        assert (tmp_path / "ours" / file).read_bytes() == (tmp_path / "theirs" / file).read_bytes()
    np.testing.assert_array_equal(nulls.stand_in(confs, 20, 5, tmp_path / "theirs"), theirs)


def test_interrupting_nulls_stops_all_that_draw(nulls, tmp_path, monkeypatch):
    calls = []

    def interrupted(rng, total, rows, taken):
        calls.append(total)
        if len(calls) >= 3:  # either thread may come to it
            raise KeyboardInterrupt
        return np.zeros((rows, taken))

    monkeypatch.setattr(null_precisions, "shuffled_places", interrupted)
    monkeypatch.setattr(null_precisions, "_DRAWS", 1000)  # a row at a time
    with pytest.raises(KeyboardInterrupt):
        nulls.stand_in(np.array([[k, 1000] for k in range(2, 6)]), 100_000, 0, tmp_path)
    assert len(calls) < 100_000
    assert not list(tmp_path.glob("**/*.npy"))


def test_verifying_nulls_leaves_the_files_to_the_original(nulls, tmp_path, monkeypatch):
    """And reads those that there are, as the original does: they may hold other draws."""
    monkeypatch.setenv("WELLGRAM_ACCEL_VERIFY", "1")
    monkeypatch.delattr(null_precisions, "_write")
    confs = np.array([[3, 40]])
    drawn = nulls.stand_in(confs, 20, 5, tmp_path)
    (file,) = tmp_path.glob("**/*.npy")
    np.testing.assert_array_equal(np.load(file), drawn[0])
    np.save(file, drawn[0] / 2)
    np.testing.assert_array_equal(nulls.stand_in(confs, 20, 5, tmp_path), drawn / 2)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"not an array"], ids=repr)
def test_a_file_that_cannot_be_read_ends_as_in_the_original(nulls, tmp_path, content):
    results = []
    for name, function in (("theirs", nulls.original), ("ours", nulls.stand_in)):
        folder = tmp_path / name / "seed5" / "ns20"
        folder.mkdir(parents=True)
        (folder / "n40_k3.npy").write_bytes(content)
        results.append(outcome(function, np.array([[3, 40]]), 20, 5, tmp_path / name))
    if not same_error(*results):
        np.testing.assert_array_equal(*results)
        assert (tmp_path / "ours/seed5/ns20/n40_k3.npy").read_bytes()[:6] == b"\x93NUMPY"
    elif copairs_release().bad_nulls == "drawn anew":
        pytest.fail("this release draws anew")


OUTSIDE = {
    "no configurations": {"confs": np.empty((0, 2), int)},
    "counts as read from a table": {"confs": np.array([[3.0, 40.0]])},
    "nothing to find": {"confs": np.array([[0, 40]])},
    "no size": {"null_size": 0},
    "a size that is no whole number": {"null_size": 20.0},
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_what_cannot_be_drawn_ends_as_in_the_original(nulls, tmp_path, case):
    arguments = {"confs": np.array([[3, 40]]), "null_size": 20, "seed": 5, "cache_dir": tmp_path}
    arguments |= OUTSIDE[case]
    theirs = outcome(nulls.original, **arguments)
    _, ours = nulls.declines(**arguments)
    if not same_error(theirs, ours):
        np.testing.assert_array_equal(theirs, ours)


def test_draws_without_a_seed_are_left_to_the_original(nulls, tmp_path):
    why, _ = nulls.declines(np.array([[3, 40]]), 20, None, tmp_path)
    assert "no seed" in why


def test_p_values_of_scores_are_equal_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    confs = np.array([[3, 40], [4, 40], [2, 9]])[rng.integers(3, size=200)]
    scores = rng.choice([0.1, 0.25, 1 / 3, 0.5, 1.0], size=200)
    for kind in (np.float64, np.float32):
        theirs, ours = Pair(":p_values")(scores.astype(kind), confs, 300, 5)
        np.testing.assert_array_equal(theirs, ours)
        assert theirs.dtype == ours.dtype
