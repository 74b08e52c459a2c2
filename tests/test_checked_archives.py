"""Saved passes, alignments, scores of blocks and findings of runs: damage is seen."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.flipped_bits import flips
from wellgram import InputError
from wellgram.align import BatchAffine, CenterScale
from wellgram.backends.consumers import Nearest
from wellgram.pairs import Scan, scan_pairs
from wellgram.probes.accuracy import Outcomes
from wellgram.studies.block_scores import BlockScores
from wellgram.suite.contract import Findings
from wellgram.suite.unfinished import UnfinishedRun

FLIPS = 400


def values_of(scan):
    return [(state.counts.tobytes(), vars(state)["values"].tobytes()) for state in scan.states]


def test_no_flipped_bit_changes_a_saved_pass(rng, tmp_path):
    scan = scan_pairs(rng.normal(size=(9, 4)), [Nearest(2, 1)])
    scan.save(tmp_path / "scan.npz")

    def unchanged(path):
        back = Scan.load(path)
        same = (back.extent, back.tiles, back.digest) == (scan.extent, scan.tiles, scan.digest)
        return same and back.consumers == scan.consumers and values_of(back) == values_of(scan)

    assert flips(tmp_path / "scan.npz", FLIPS, rng, unchanged)["changed"] == 0


def test_no_flipped_bit_changes_a_saved_alignment(rng, tmp_path):
    x, batch = rng.normal(size=(20, 3)), np.arange(20) // 10
    affine = CenterScale().fit(x, batch=batch).affine_
    affine.save(tmp_path / "maps.npz")
    mapped = affine.transform(x, batch=batch)

    def unchanged(path):
        return np.array_equal(BatchAffine.load(path).transform(x, batch=batch), mapped)

    assert flips(tmp_path / "maps.npz", FLIPS, rng, unchanged)["changed"] == 0


def block_scores():
    values = {
        name: np.arange(4, dtype=np.int64) + k
        for k, name in enumerate(Outcomes.__dataclass_fields__)
    }
    return BlockScores(Outcomes(**values), {"recall": 0.25, "consistency": float("nan")})


def test_damaged_scores_of_a_block_are_as_if_absent(rng, tmp_path):
    path = tmp_path / "block_1.npz"
    scores = block_scores()
    scores.save(path, "key")
    assert BlockScores.load(path, "another") is None

    def unchanged(path):
        back = BlockScores.load(path, "key")
        if back is None:
            return True
        pairs = [
            (vars(back.outcomes)[name], value) for name, value in vars(scores.outcomes).items()
        ]
        return repr(back.beside) == repr(scores.beside) and all(
            one.dtype == other.dtype and np.array_equal(one, other) for one, other in pairs
        )

    assert flips(path, FLIPS, rng, unchanged)["changed"] == 0


def test_damaged_findings_are_as_if_absent(rng, tmp_path):
    table = pd.DataFrame({"x": [1.5, 2.5], "name": ["a", None]})
    run = UnfinishedRun(tmp_path, "key")
    run.save("lengths", Findings(np.arange(3), table))
    (path,) = (tmp_path / "unfinished").iterdir()

    def unchanged(path):
        back = run.load("lengths")
        if back is None:
            return True
        return back.records.equals(table) and np.array_equal(back.result, np.arange(3))

    assert flips(path, FLIPS, rng, unchanged)["changed"] == 0


def test_a_pass_of_an_older_version_is_to_be_made_again(rng, tmp_path):
    path = tmp_path / "scan.npz"
    scan_pairs(rng.normal(size=(5, 4)), [Nearest(2, 1)]).save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays["about"]))
    del about["sha256"]
    np.savez(path, **(arrays | {"about": np.array(json.dumps(about))}))
    with pytest.raises(InputError, match=r"no checksum, as those of older .*; make it again"):
        Scan.load(path)
