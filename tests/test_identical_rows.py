"""Wells that share an embedding are counted; a batch that is a copy of another is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.small_screens import write_csv
from wellgram import InputError, Wells, average_precision, consistency, open_wells, score
from wellgram.align import CenterScale
from wellgram.cli import app
from wellgram.errors import IdenticalRowsWarning
from wellgram.metrics.identical_rows import IdenticalRows, RowDigests, row_digests


def screen(rng, batches="ab", wells=24, features=6):
    """Batches of the same labels: eight controls, and compounds twice in each."""
    n = wells * len(batches)
    label = np.tile(["DMSO"] * 8 + [f"c{k}" for k in range((wells - 8) // 2)] * 2, len(batches))
    batch = np.repeat(list(batches), wells)
    return Wells.from_arrays(rng.normal(size=(n, features)), label, control="DMSO", batch=batch)


def with_rows(wells, into, of):
    """The wells, some of which hold the rows of others."""
    x = wells.embeddings.copy()
    x[into] = x[of]
    return Wells(x, wells.metadata, wells.origin)


def test_equal_rows_have_one_digest_and_others_do_not(rng):
    for dtype in ("float32", "float64"):
        x = rng.normal(size=(500, 7)).astype(dtype)
        x[3, 2], x[11], x[499] = 0, x[4], x[0]
        x[20] = x[3]
        x[20, 2] = -0.0
        x[30] = x[31]
        x[30, 6] = np.nextafter(x[30, 6], np.inf)
        identical = IdenticalRows.of(row_digests(x))
        assert identical.shared.tolist() == [0, 3, 4, 11, 20, 499]
        assert identical.first == (0, 499)


def test_a_stream_is_read_no_more_often(rng, tmp_path):
    """Digests are taken in the pass that makes the map."""
    wells = with_rows(screen(rng), [30, 31], [2, 2])
    frame = wells.metadata[["well_id", "perturbation", "batch"]].assign(
        **{f"feature_{j}": column for j, column in enumerate(wells.embeddings.T)}
    )
    for k in range(4):
        write_csv(tmp_path / f"{k}.csv", frame.iloc[k::4])
    stream = open_wells(tmp_path, layout="columns", perturbation="perturbation", batch="batch",
                        well_id="well_id", control="DMSO", features="feature_*")  # fmt: skip
    digests = RowDigests.of_wells(len(stream))
    stream.fold(digests)
    assert len(IdenticalRows.of(digests.rows).shared) == 3
    passes = []
    source = stream.source
    object.__setattr__(stream, "source", lambda: passes.append(1) or source())
    with pytest.warns(IdenticalRowsWarning, match="3 of 48 profiles"):
        score(stream, CenterScale(), metrics=[])
    assert len(passes) == 1


def test_a_few_identical_rows_are_counted_and_told(rng, tmp_path):
    wells = with_rows(screen(rng), [40], [3])
    with pytest.warns(IdenticalRowsWarning, match="2 of 48 profiles .*'well 3' and 'well 40'") as w:
        result = score(wells, metrics=["consistency", "average-precision"])
    assert len(w) == 1
    result.save(tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["screen"]["wells with the embedding of another"] == 2
    assert summary["notes"][0].startswith("2 of 48 profiles have the same embedding")
    assert "Note: 2 of 48 profiles" in (tmp_path / "report.html").read_text()


def test_a_screen_without_identical_rows_says_so(rng):
    result = score(screen(rng), metrics=["consistency"])
    assert result.summary["screen"]["wells with the embedding of another"] == 0
    assert result.summary["notes"] == []


@pytest.mark.parametrize(("copied", "refused"), [(24, True), (12, True), (11, False)])
def test_a_batch_that_is_half_a_copy_is_refused(rng, copied, refused):
    wells = with_rows(screen(rng, "abc"), np.arange(48, 48 + copied), np.arange(24, 24 + copied))
    if not refused:
        with pytest.warns(IdenticalRowsWarning):
            score(wells, metrics=["consistency"])
        return
    with pytest.raises(InputError) as problem:
        score(wells, metrics=["consistency"])
    assert (
        f"batches 'b' and 'c' have the same embeddings in {copied} of 24 wells (first: 'well 24' "
        "and 'well 48')"
    ) in str(problem.value)
    with pytest.warns(IdenticalRowsWarning):
        score(wells, metrics=["consistency"], allow_duplicates=True)


def test_rows_that_repeat_within_batches_are_no_copies(rng):
    """Saturated wells, and features of few values, are in every batch, and several times in it."""
    saturated = with_rows(screen(rng, "abcd"), np.arange(0, 96, 2), np.zeros(48, int))
    signs = screen(rng, "ab", wells=200, features=4)
    signs = Wells(np.sign(signs.embeddings), signs.metadata, signs.origin)
    for wells in (saturated, signs):
        with pytest.warns(IdenticalRowsWarning):
            score(wells, metrics=["projection"])


def test_the_metrics_warn_of_what_they_compare(rng):
    wells = with_rows(screen(rng), [9], [33])
    treated = ~wells.metadata["is_control"].to_numpy(bool)
    with pytest.warns(IdenticalRowsWarning, match="'well 9' and 'well 33'"):
        consistency(wells, draws=10)
    with pytest.warns(IdenticalRowsWarning, match="2 of 48 profiles"):
        average_precision(wells, pos_sameby="perturbation", neg_diffby="is_control", scored=treated)


def test_the_command_refuses_a_plate_under_another_name(tmp_path):
    """The rows of one plate, written again as another plate with wells of its own."""
    rng = np.random.default_rng(34)
    frames = {}
    for plate in ("P1", "P2"):
        frame = pd.DataFrame(rng.normal(size=(48, 10)), columns=[f"Cells_F{i}" for i in range(10)])
        frame.insert(0, "Metadata_Plate", plate)
        frame.insert(1, "Metadata_Well", [f"{a}{b:02d}" for a in "ABCD" for b in range(1, 13)])
        frame.insert(2, "Metadata_broad_sample", ["DMSO"] * 16 + [f"c{i}" for i in range(16)] * 2)
        frames[plate] = frame
    frames["P3"] = frames["P2"].assign(Metadata_Plate="P3")
    (tmp_path / "plates").mkdir()
    for plate, frame in frames.items():
        write_csv(tmp_path / "plates" / f"{plate}.csv", frame)
    given = ["score", str(tmp_path / "plates"), "--layout", "cell-painting", "--control", "DMSO",
             "--metric", "consistency", "--out", str(tmp_path / "out")]  # fmt: skip
    with pytest.raises(InputError, match="batches 'P2' and 'P3' have the same embeddings in 48 of"):
        CliRunner().invoke(app, given, catch_exceptions=False)
    done = CliRunner().invoke(app, [*given, "--allow-duplicates"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "96 of 144 profiles have the same embedding" in done.stderr
