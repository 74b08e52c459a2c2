"""An interrupted run goes on where it stopped; nothing of an older run stays in its folder."""

import json
import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.small_screens import plate, write_csv
from wellgram import PCACenterScale, score
from wellgram.checksums import write_arrays
from wellgram.cli import app
from wellgram.io.places import locate
from wellgram.simulate import rxrx3_core
from wellgram.suite import BENCHMARKS, Findings, Task
from wellgram.suite.archive import packed, unpacked
from wellgram.suite.unfinished import UnfinishedRun, run_key


@pytest.fixture
def cp(tmp_path):
    frames = [plate("P1", 0), plate("P2", 1)]
    frame = pd.concat(frames).assign(Metadata_Well=[f"W{i}" for i in range(32)])
    return write_csv(tmp_path / "plates.csv", frame)


@pytest.fixture
def runs(monkeypatch):
    """The benchmarks as they are run; `stop` names the one that Ctrl-C comes in."""
    done = []
    stop = []

    def watched(name, run):
        def watching(*arguments):
            if name in stop:
                raise KeyboardInterrupt
            done.append(name)
            return run(*arguments)

        return watching

    for name, benchmark in list(BENCHMARKS.items()):
        monkeypatch.setitem(BENCHMARKS, name, replace(benchmark, run=watched(name, benchmark.run)))
    return done, stop


def command(cp, out, *more):
    given = ["score", str(cp), "--layout", "cell-painting", "--out", str(out), *more]
    return CliRunner().invoke(app, given)


def interrupted(cp, out, runs):
    done, stop = runs
    stop.append("average-precision")
    assert command(cp, out).exit_code != 0
    assert done == ["consistency"]
    assert sorted(path.name for path in out.iterdir()) == ["unfinished"]
    done.clear()
    stop.clear()


def figures(out):
    summary = json.loads((out / "summary.json").read_text())
    return {name: summary[name] for name in BENCHMARKS}


def test_what_was_finished_is_not_run_again(cp, tmp_path, runs):
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert command(cp, whole).exit_code == 0
    runs[0].clear()
    interrupted(cp, out, runs)
    again = command(cp, out)
    assert runs[0] == ["average-precision", "projection", "batch-effects"]
    assert "taken from the run that was interrupted: consistency" in again.stdout
    assert figures(out) == figures(whole)
    assert json.loads((out / "summary.json").read_text())["run"]["taken_up"] == ["consistency"]
    assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}
    for name in ("consistency.csv", "average_precision.csv"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("other", ["seed", "null", "touched", "label"])
def test_other_inputs_or_settings_are_another_run(cp, tmp_path, runs, other):
    out = tmp_path / "out"
    interrupted(cp, out, runs)
    more = {"seed": ["--seed", "1"], "null": ["--consistency-null", "permutation"]}.get(other, [])
    if other == "touched":
        os.utime(cp, ns=(1, 1))
    if other == "label":
        cp.write_text(cp.read_text().replace("DMSO", "DMSO"[::-1]))
        more = ["--control", "OSMD"]
    again = command(cp, out, *more)
    assert again.exit_code == 0, again.output
    assert "consistency" in runs[0]
    assert "interrupted" not in again.stdout
    assert not (out / "unfinished").exists()


def test_which_benchmarks_are_asked_for_is_no_other_run(cp, tmp_path, runs):
    interrupted(cp, tmp_path / "out", runs)
    assert command(cp, tmp_path / "out", "--metric", "consistency").exit_code == 0
    assert not runs[0]


def test_damaged_findings_are_found_again(cp, tmp_path, runs):
    out = tmp_path / "out"
    interrupted(cp, out, runs)
    (kept,) = (out / "unfinished").iterdir()
    kept.write_bytes(kept.read_bytes()[:-50])
    assert command(cp, out).exit_code == 0
    assert "consistency" in runs[0]


def test_files_of_an_older_run_are_removed_and_those_of_others_stay(cp, tmp_path):
    out = tmp_path / "out"
    assert command(cp, out).exit_code == 0
    (out / "consistency_notes.txt").write_text("mine")
    assert (out / "average_precision.png").exists()
    assert command(cp, out, "--metric", "consistency").exit_code == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"map.parquet", "summary.json", "report.html", "consistency_notes.txt"} | {
        f"consistency{rest}" for rest in (".csv", ".png", "_p_values.png")
    }
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary["files"]) == names - {"consistency_notes.txt"}


def test_a_result_that_is_saved_over_another_leaves_nothing_of_it(rng, tmp_path):
    screen = rxrx3_core(scale=0.02, seed=2, features=8)
    for metrics in (["projection", "consistency"], ["projection"]):
        score(screen.wells(), PCACenterScale(), metrics=metrics).save(tmp_path)
    assert not list(tmp_path.glob("consistency*"))
    assert (tmp_path / "projection.csv").exists()


def test_a_summary_cannot_name_files_elsewhere(rng, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious").write_text("")
    (out / "kept.txt").write_text("")
    names = ["../precious", str(tmp_path / "precious"), "*", 3]
    screen = rxrx3_core(scale=0.02, seed=2, features=8)
    for text in (json.dumps({"files": names}), "[]", "no json"):
        (out / "summary.json").write_text(text)
        score(screen.wells(), metrics=["projection"]).save(out)
        assert (tmp_path / "precious").exists()
        assert (out / "kept.txt").exists()


def test_findings_of_every_benchmark_survive_as_they_are():
    screen = rxrx3_core(scale=0.05, seed=2, features=24)
    genes = sorted({*screen.relationships["entity1"]})
    options = {
        "sources": {"planted": screen.relationships}, "targets": screen.compound_targets,
        "gene_sets": {"some": genes[:12]},
    }  # fmt: skip
    result = score(screen.wells(), PCACenterScale(), **options)
    task = Task(screen.wells(), None, **options)
    assert set(result.parts) == set(BENCHMARKS)
    for name, part in result.parts.items():
        kept = unpacked(packed(part.findings))
        pd.testing.assert_frame_equal(kept.records, part.findings.records)
        assert list(kept.tables) == list(part.findings.tables)
        for file, table in part.findings.tables.items():
            pd.testing.assert_frame_equal(kept.tables[file], table)
        shown = BENCHMARKS[name].present(task, kept)
        assert shown.rows == part.presentation.rows
        assert list(shown.figures) == list(part.presentation.figures)
        assert repr(kept.result) == repr(part.result)


def test_a_result_of_an_unknown_kind_is_not_kept(tmp_path):
    @dataclass
    class Strange:
        value: int

    run = UnfinishedRun(tmp_path, "key")
    run.save("strange", Findings(Strange(1), pd.DataFrame({"x": [1]})))
    assert run.load("strange") is None
    run.save("lengths", Findings(np.arange(3), pd.DataFrame({"x": ["a", None]})))
    found = run.load("lengths")
    assert found.result.tolist() == [0, 1, 2]
    assert found.records["x"].isna().tolist() == [False, True]
    assert UnfinishedRun(tmp_path, "other").load("lengths") is None


def test_kept_findings_run_no_code(tmp_path):
    """A file that names something else than a result of ours is not followed."""
    made = {"made": ["os", "system"], "fields": {"command": "true"}}
    ours = {"made": ["wellgram.files", "save_csv"], "fields": {"table": 1, "path": "x"}}
    for tree in (made, ours):
        path = tmp_path / "bad.npz"
        with path.open("wb") as file:
            write_arrays(file, {"tree": tree}, {})
        with pytest.raises(ValueError, match="is no result of ours"):
            unpacked(path.read_bytes())


def test_a_url_has_no_key(tmp_path):
    (tmp_path / "a.csv").write_text("")
    assert run_key({"seed": 1}, [tmp_path / "a.csv"]) != run_key({"seed": 2}, [tmp_path / "a.csv"])
    assert run_key({}, [locate("memory://a.csv")]) is None
