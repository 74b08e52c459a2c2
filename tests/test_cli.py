"""The command line, as a process and in this one."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from typer.testing import CliRunner

from helpers.small_screens import plate, write_csv
from wellgram import neighbors, read_map
from wellgram.backends import BACKENDS, available_backends, set_backend
from wellgram.cli import app

WELLGRAM = [sys.executable, "-m", "wellgram"]
VIEWS = ["gene_set_similarity", "projection", "batch_effects"]
REPLICATES = ["average_precision", "consistency", "magnitude"]
RESULTS = sorted(
    [
        *[f"{name}.{kind}" for name in [*REPLICATES, *VIEWS] for kind in ("csv", "png")],
        *[f"{name}_p_values.png" for name in REPLICATES],
        *[
            "average_precision_apart.csv",
            "drug_target_compounds.csv",
            "drug_targets.csv",
            "drug_targets.png",
        ],
        *["recall.csv", "recall.png", "null.png", "map.parquet", "report.html", "summary.json"],
    ]
)


@pytest.fixture(autouse=True)
def default_backend():
    yield
    set_backend(None)


def run(*arguments):
    """Run in this process; what goes wrong is raised."""
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


def process(*arguments, **options):
    return subprocess.run(
        [*WELLGRAM, *map(str, arguments)], capture_output=True, text=True, **options
    )


def plain(text):
    """Return text without the frames, line breaks and colours of a terminal."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m|│", " ", text).split())


def strict_json(path):
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(constant):
        raise ValueError(constant)

    return json.loads(path.read_text(), parse_constant=refuse)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    return process("score", "--demo", "--out", out), out


@pytest.fixture
def cp(tmp_path):
    return write_csv(tmp_path / "plate.csv", plate())


def test_the_demo_writes_every_benchmark(demo):
    done, out = demo
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in out.iterdir()) == RESULTS
    assert (out / "recall.png").read_bytes().startswith(b"\x89PNG")


def test_results_go_to_stdout_and_steps_to_stderr(demo):
    done, out = demo
    assert "planted complexes" in done.stdout
    assert f"{out}/report.html" in done.stdout
    steps = [line.split(":")[0] for line in done.stderr.splitlines()]
    assert steps == [
        "read labels", "align and aggregate", "recall of known relationships", "drug targets",
        "replicate consistency", "magnitude", "average precision of replicates",
        "similarity within gene sets", "the map in two dimensions", "batch effects",
        "write results",
    ]  # fmt: skip


def test_what_is_no_terminal_gets_no_control_characters(demo):
    assert "\x1b" not in demo[0].stdout + demo[0].stderr
    assert "\r" not in demo[0].stdout + demo[0].stderr


def test_the_summary_and_the_table_agree(demo):
    summary = strict_json(demo[1] / "summary.json")
    table = pa.csv.read_csv(demo[1] / "recall.csv").to_pandas()  # pandas 2 rounds what it reads
    pd.testing.assert_frame_equal(pd.DataFrame(summary["recall"]), table, check_exact=True)
    assert summary["map"]["perturbations"] == len(read_map(demo[1] / "map.parquet"))
    assert summary["map"]["align"] == "pca-center-scale"
    assert "--demo" in summary["command"]
    assert (table["recall"] > 2 * table["chance"]).all()


def test_a_source_without_a_known_pair_leaves_the_summary_readable(cp, tmp_path):
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "found.csv").write_text("entity1,entity2\nA,B\n")
    (tmp_path / "known" / "absent.csv").write_text("entity1,entity2\nX,Y\n")
    out = tmp_path / "out"
    run(
        "score",
        cp,
        "--layout",
        "cell-painting",
        "--relationships",
        tmp_path / "known",
        "--out",
        out,
    )
    recall = {row["source"]: row for row in strict_json(out / "summary.json")["recall"]}
    assert recall["absent"]["n_known_pairs"] == 0
    assert recall["absent"]["recall"] is None
    assert recall["found"]["n_known_pairs"] == 1


def test_the_summary_knows_what_was_read(cp, tmp_path):
    (tmp_path / "known.csv").write_text("entity1,entity2\nA,B\n")
    out = tmp_path / "out"
    run("score", cp, "--layout", "cell-painting", "--relationships", tmp_path / "known.csv",
        "--metric", "recall", "--seed", 7, "--out", out)  # fmt: skip
    summary = strict_json(out / "summary.json")
    assert summary["run"]["seed"] == 7
    read = {path: path.read_bytes() for path in (cp, tmp_path / "known.csv")}
    assert summary["inputs"] == {
        str(path): {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        for path, text in read.items()
    }
    assert hashlib.sha256(read[cp]).hexdigest() in (out / "report.html").read_text()


def test_without_known_pairs_there_is_a_map_and_a_hint(cp, tmp_path):
    done = run(
        "score", cp, "--layout", "cell-painting", "--metric", "recall", "--out", tmp_path / "out"
    )
    assert "--relationships" in done.stdout
    assert "--same" in done.stdout
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["map.parquet", "report.html", "summary.json"]


@pytest.mark.parametrize("kind", ["lists", "texts"])
def test_columns_of_several_values_make_pairs(tmp_path, kind):
    frame = plate()
    names = frame["Metadata_broad_sample"].unique().tolist()
    moa = {name: ["a", "b"] if k % 2 else ["b", "c"] for k, name in enumerate(names)}
    values = frame["Metadata_broad_sample"].map(moa)
    frame["Metadata_moa"] = values if kind == "lists" else values.str.join("|")
    frame.to_parquet(tmp_path / "plate.parquet", index=False)
    options = ["--same-separator", "|"] if kind == "texts" else []
    run(
        "score", tmp_path / "plate.parquet", "--layout", "cell-painting", "--same", "Metadata_moa",
        *options, "--metric", "recall", "--align", "none", "--out", tmp_path / "out",
    )  # fmt: skip
    recall = pd.read_csv(tmp_path / "out" / "recall.csv")
    mapped = len(read_map(tmp_path / "out" / "map.parquet"))
    assert set(recall["n_known_pairs"]) == {mapped * (mapped - 1) // 2}


def test_a_note_is_printed_once(tmp_path):
    frame = plate()
    names = frame["Metadata_broad_sample"]
    frame["Metadata_moa"] = names.where(names == names.iloc[-1], "[a]|b").mask(
        names == names.iloc[-1], "[a]"
    )
    done = run(
        "score", write_csv(tmp_path / "plate.csv", frame), "--layout", "cell-painting",
        "--same", "Metadata_moa", "--metric", "recall", "--align", "none", "--out", tmp_path,
    )  # fmt: skip
    assert plain(done.output).count("'[a]|b' and '[a]'") == 1


def test_options_reach_the_map(cp, tmp_path):
    run(
        "score", cp, "--layout", "cell-painting", "--dose", "Metadata_dose", "--align", "none",
        "--aggregate", "median", "--dtype", "float64", "--backend", "reference",
        "--out", tmp_path,
    )  # fmt: skip
    map_ = read_map(tmp_path / "map.parquet")
    assert map_.embeddings.dtype == "float64"
    assert map_.provenance["aggregate"] == "median"
    assert map_.provenance["align"] == "none"
    assert len(map_) == 12
    assert strict_json(tmp_path / "summary.json")["run"]["backend"] == "reference"


def test_alignments_joined_by_plus_and_one_without_controls(cp, tmp_path):
    run(
        "score", cp, "--layout", "cell-painting", "--align", "robust-mad+inverse-normal",
        "--out", tmp_path,
    )  # fmt: skip
    assert read_map(tmp_path / "map.parquet").provenance["align"] == "robust-mad+inverse-normal"
    run(
        "score", cp, "--layout", "columns", "--perturbation", "Metadata_broad_sample",
        "--features", "Cells_*", "--align", "inverse-normal", "--out", tmp_path,
    )  # fmt: skip
    assert read_map(tmp_path / "map.parquet").provenance["align"] == "inverse-normal"


def test_few_controls_get_a_note(cp, tmp_path):
    """4 DMSO wells; 6 features 4 times over."""
    table = pd.read_csv(cp)
    for k in range(2):
        copies = table.filter(like="Cells_").add_suffix(f"_{k}")
        table = pd.concat(
            [table, copies + np.random.default_rng(k).normal(size=copies.shape)], axis=1
        )
    wide = tmp_path / "wide.csv"
    table.to_csv(wide, index=False)
    done = run("score", wide, "--layout", "cell-painting", "--align", "tvn", "--out", tmp_path)
    assert "note: 4 controls in batch 'P1' for 24 features" in " ".join(done.stderr.split())


def test_scoring_again_replaces_the_results(cp, tmp_path):
    for aggregate in ("mean", "median", "spherical-mean"):
        run("score", cp, "--layout", "cell-painting", "--aggregate", aggregate, "--out", tmp_path)
        assert strict_json(tmp_path / "summary.json")["map"]["aggregate"] == aggregate
        assert read_map(tmp_path / "map.parquet").provenance["aggregate"] == aggregate


def test_plates_whose_numbers_repeat_get_a_note(tmp_path):
    plates = [plate("1", seed).assign(Metadata_Source=f"s{seed}") for seed in (1, 2)]
    path = write_csv(tmp_path / "p.csv", pd.concat(plates).drop(columns="Metadata_Well"))
    command = ("score", path, "--layout", "cell-painting", "--out", tmp_path / "out")
    done = run(*command)
    assert "plates of different 'Metadata_Source' have the same 'Metadata_Plate'" in done.stderr
    assert "(--batch Metadata_Source --batch Metadata_Plate)" in done.stderr
    done = run(*command, "--batch", "Metadata_Source", "--batch", "Metadata_Plate")
    assert "plates" not in done.stderr
    assert strict_json(tmp_path / "out" / "summary.json")["screen"]["batches"] == 2


def simulate(folder, seed):
    run("simulate", "--scale", "0.01", "--features", "8", "--seed", seed, "--out", folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_simulate_gives_the_same_bytes_for_the_same_seed(tmp_path):
    first = simulate(tmp_path / "first", 3)
    assert sorted(first) == [
        "OpenPhenom_rxrx3_core_embeddings.parquet",
        "compound_gene_interactions.csv",
        "metadata_rxrx3_core.csv",
        "relationships/planted_complexes.csv",
    ]
    assert simulate(tmp_path / "second", 3) == first
    other = simulate(tmp_path / "other", 4)
    assert all(other[name] != first[name] for name in first)


def test_what_simulate_writes_score_reads(tmp_path):
    simulate(tmp_path, 0)
    done = run(
        "score", tmp_path / "OpenPhenom_rxrx3_core_embeddings.parquet",
        "--metadata", tmp_path / "metadata_rxrx3_core.csv",
        "--relationships", tmp_path / "relationships", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "planted_complexes" in done.stdout


@pytest.mark.parametrize("option", ["--scale=0", "--scale=1.5", "--seed=-1", "--features=2"])
def test_simulate_refuses_what_is_out_of_range(tmp_path, option):
    done = process("simulate", option, "--out", tmp_path / "screen")
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {option[2:].split('=')[0]} must")
    assert not (tmp_path / "screen").exists()


def test_info_names_every_backend():
    done = run("info")
    assert done.exit_code == 0
    for name in BACKENDS:
        assert f"backend {name}" in done.stdout
    assert "pyarrow" in done.stdout
    assert "cuda" in done.stdout


def test_info_works_where_the_environment_names_a_backend_that_does_not():
    done = process("info", env=os.environ | {"WELLGRAM_BACKEND": "quantum"})
    assert done.returncode == 0
    assert "quantum" in done.stdout
    assert available_backends()[0] in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["score", "simulate", "info"]),
        (["score", "--help"], ["Examples", "wellgram score --demo", "--relationships efaar"]),
        (["simulate", "--help"], ["Example", "wellgram simulate --scale 0.1"]),
    ],
)
def test_help_shows_examples(arguments, words):
    done = run(*arguments)
    assert done.exit_code == 0
    for word in words:
        assert word in plain(done.stdout)


@pytest.mark.parametrize("option", ["--aggregate", "--null", "--dtype", "--missing"])
def test_a_choice_that_is_none_lists_the_choices(option, tmp_path):
    done = process("score", "--demo", option, "quantum", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert option in done.stderr
    assert "is not one of" in plain(done.stderr)
    assert not (tmp_path / "out").exists()


def test_bad_input_ends_the_process_with_one_line(tmp_path):
    done = process("score", tmp_path / "absent.parquet", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"error: there is no file '{tmp_path}/absent.parquet'\n"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command", [["simulate", "--scale", "1"], ["score", "--demo"]], ids=" ".join
)
@pytest.mark.parametrize("existed", [True, False])
def test_ctrl_c_leaves_nothing_behind(tmp_path, command, existed):
    out = tmp_path / "out"
    if existed:
        out.mkdir()
        (out / "summary.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    with subprocess.Popen(
        [*WELLGRAM, *command, "--out", str(out)], stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and sorted(tmp_path.rglob("*")) == before:
            time.sleep(0.01)  # until it has secured its folder, and so begun
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
    assert running.returncode == 130
    assert said.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in said
    assert sorted(tmp_path.rglob("*")) == before


@pytest.fixture
def scored(tmp_path):
    """The map of a small simulated screen."""
    run("simulate", "--scale", "0.02", "--features", "8", "--out", tmp_path / "screen")
    screen = tmp_path / "screen"
    embeddings = screen / "OpenPhenom_rxrx3_core_embeddings.parquet"
    metadata = screen / "metadata_rxrx3_core.csv"
    run("score", embeddings, "--metadata", metadata, "--out", tmp_path / "out")
    return tmp_path / "out" / "map.parquet"


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_neighbors_of_a_map(scored, tmp_path, name):
    done = run("neighbors", scored, "-k", "4", "--farthest", "2", "--out", tmp_path / name)
    assert done.exit_code == 0
    map_ = read_map(scored)
    assert f"Neighbors of {len(map_):,} rows: 4 most and 2 least similar" in plain(done.stdout)
    table = (pd.read_csv if name.endswith("csv") else pd.read_parquet)(tmp_path / name)
    expected = neighbors(map_, 4, farthest=2).table
    assert table["neighbor_row"].tolist() == expected["neighbor_row"].tolist()
    assert table["perturbation"].tolist() == expected["perturbation"].tolist()


def test_neighbors_in_another_map(scored, tmp_path):
    options = ("--other", scored, "-k", "1", "--farthest", "0", "--dtype", "float64")
    assert run("neighbors", scored, *options, "--out", tmp_path / "table.csv").exit_code == 0
    table = pd.read_csv(tmp_path / "table.csv")
    assert (table["row"] == table["neighbor_row"]).mean() > 0.99  # each is its own nearest


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("-k", "100000"), "100000 neighbors are asked for"),
        (("--out", "table.txt"), ".parquet or .csv"),
        (("--out", "nowhere/table.csv"), "no folder"),
        (("--other", "absent.parquet"), "no file"),
    ],
)
def test_neighbors_that_cannot_be_are_an_error_in_one_line(scored, tmp_path, options, words):
    done = process("neighbors", scored, *options, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert words in done.stderr
    assert not list(tmp_path.glob("*neighbors*"))


@pytest.mark.parametrize(("metric", "hinted"), [("consistency", False), ("recall", True)])
def test_known_pairs_are_asked_for_where_recall_was(tmp_path, metric, hinted):
    path = write_csv(tmp_path / "plate.csv", plate())
    options = ["--layout", "cell-painting", "--out", tmp_path / "out"]
    said = run("score", path, *options, "--metric", metric).output
    assert ("name known pairs" in said) == hinted
