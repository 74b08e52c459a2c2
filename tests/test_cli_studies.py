"""``wellgram blocks`` and ``wellgram batch-study``, in this process and as ones of their own."""

import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

from wellgram import InputError
from wellgram.backends import set_backend
from wellgram.cli import app
from wellgram.simulate import block_stack

WELLGRAM = [sys.executable, "-m", "wellgram"]


@pytest.fixture(autouse=True)
def default_backend():
    yield
    set_backend(None)


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    done = run("simulate", "--screen", "rxrx1", "--scale", 0.1, "--features", 48, "--out", folder)
    assert "sites x 48 features" in done.stdout
    return folder / "embeddings.parquet", "--metadata", folder / "metadata.csv"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    made = block_stack(5, seed=0, perturbations=30, features=32)
    made.write(folder)
    return made, folder


def test_a_study_ranks_corrections(study, tmp_path):
    chosen = ["none", "center-scale", "pca-center-scale"]
    named = [word for name in chosen for word in ("--correction", name)]
    done = run("batch-study", *study, "--split", "dataset", *named, "--out", tmp_path)
    assert done.exit_code == 0
    table = pd.read_csv(tmp_path / "corrections.csv")
    assert table["correction"].tolist() == chosen[::-1]
    assert "Corrections, fitted on wells whose 'dataset' is 'train'" in done.stdout
    assert str(tmp_path / "corrections.csv") in done.stdout.replace("\n", "")


def test_a_study_says_what_it_skipped_and_why(study, tmp_path):
    done = run(
        "batch-study", *study, "--split", "dataset", "--control", "EMPTY", "--correction", "none",
        "--correction", "tvn+inverse-normal", "--out", tmp_path,
    )  # fmt: skip
    assert done.exit_code == 0
    skipped = pd.read_csv(tmp_path / "skipped.csv")
    reasons = " ".join(skipped["reason"].astype(str))
    assert len(skipped) + len(pd.read_csv(tmp_path / "corrections.csv")) == 2
    assert len(skipped) == 0 or reasons in done.stdout.replace("\n", "")


def test_blocks_are_searched_and_taken_up_again(stack, tmp_path):
    made, folder = stack
    command = (
        "blocks", folder / "blocks", "--metadata", folder / "metadata.csv", "--split", "dataset",
        "--method", "lda", "--align", "center-scale",
        "--relationships", folder / "relationships.csv", "--out", tmp_path,
    )  # fmt: skip
    first = run(*command)
    assert first.exit_code == 0
    assert f"Best of 5 blocks: {made.best}" in first.stdout
    assert pd.read_csv(tmp_path / "blocks.csv")["recall"].notna().all()
    again = run(*command)
    assert "5 of 5 blocks had been scored before" in again.stdout


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("batch-study", "--split", "nothing"), "nothing"),
        (("batch-study", "--split", "plate"), "parts the wells of"),
        (("batch-study", "--correction", "fix"), "unknown alignment 'fix'"),
        (("batch-study", "--penalty", "0"), "above 0"),
        (("blocks",), "two at least"),
    ],
)
def test_what_cannot_be_is_an_error(study, tmp_path, command, words):
    given = [command[0], *study, *command[1:], "--out", tmp_path / "out"]
    done = CliRunner().invoke(app, [*map(str, given)])
    assert isinstance(done.exception, InputError)  # which `main` prints as one line
    assert words in str(done.exception)
    assert not (tmp_path / "out" / "corrections.csv").exists()


# A file that is being written has a name that begins with a point.
FINISHED = "[!.]*.npz"


def test_an_interrupted_search_ends_at_once_and_keeps_what_was_scored(stack, tmp_path):
    _, folder = stack
    command = [
        *WELLGRAM, "blocks", str(folder / "blocks"), "--metadata", str(folder / "metadata.csv"),
        "--split", "batch", "--penalty", "1", "--out", str(tmp_path),
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and not list(tmp_path.glob(f"blocks/{FINISHED}")):
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate()
    if running.returncode == 0:
        pytest.skip("it was done before it could be interrupted")
    assert running.returncode == 130
    assert said.splitlines()[-1].startswith("interrupted")
    kept = len(list(tmp_path.glob(f"blocks/{FINISHED}")))
    assert kept >= 1
    done = run(*command[3:])
    assert f"{kept} of 5 blocks had been scored before" in done.stdout
