"""`wellgram neighbors --wells`: each well's nearest others, from files of a screen."""

import pandas as pd
import pytest
from typer.testing import CliRunner

import wellgram as wg
from wellgram.cli import app
from wellgram.simulate import rxrx3_core

EMBEDDINGS = "OpenPhenom_rxrx3_core_embeddings.parquet"


@pytest.fixture(scope="module")
def screen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screen")
    rxrx3_core(scale=0.01, seed=1, features=16).write(folder)
    return folder


def run(screen, *options, embeddings=None):
    files = [embeddings or screen / EMBEDDINGS, "--metadata", screen / "metadata_rxrx3_core.csv"]
    return CliRunner().invoke(app, list(map(str, ["neighbors", "--wells", *files, *options])))


def read(screen):
    return wg.read_wells(
        screen / EMBEDDINGS, screen / "metadata_rxrx3_core.csv", layout="rxrx3-core"
    )


def test_the_table_is_that_of_the_graph(screen, tmp_path):
    done = run(screen, "-k", "3", "--out", tmp_path / "near.parquet")
    assert done.exit_code == 0, done.output
    expected = wg.neighbor_graph(read(screen), 3)
    assert repr(expected) in done.output
    table = pd.read_parquet(tmp_path / "near.parquet")
    pd.testing.assert_frame_equal(table, expected.table, check_dtype=False)


def test_aligned_wells_across_batches(screen, tmp_path):
    options = ["--align", "center-scale", "--across", "batch", "--metric", "euclidean"]
    done = run(screen, *options, "--out", tmp_path / "near.csv")
    assert done.exit_code == 0, done.output
    wells = wg.CenterScale().aligned(read(screen))
    expected = wg.neighbor_graph(wells, 15, metric="euclidean", across="batch")
    table = pd.read_csv(tmp_path / "near.csv")
    assert table["neighbor_well_id"].tolist() == expected.table["neighbor_well_id"].tolist()


def test_wells_that_are_left_out_are_named(screen, tmp_path):
    frame = pd.read_parquet(screen / EMBEDDINGS)
    features = [name for name in frame if name != "well_id"]
    frame.loc[[4, 9], features] = 1.5
    changed = tmp_path / EMBEDDINGS
    frame.to_parquet(changed)
    options = ["--metric", "correlation", "--out", tmp_path / "near.parquet"]
    done = run(screen, *options, embeddings=changed)
    assert done.exit_code == 0, done.output
    names = ", ".join(frame["well_id"].iloc[[4, 9]])
    assert f"left out, since they have no distance: 2 wells ({names})" in done.output


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--farthest", "2"], "--farthest, --other and --dtype are of maps"),
        (["-k", "100000"], "100000 neighbors are asked for"),
        (["--across", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_an_error(screen, tmp_path, options, words):
    done = run(screen, *options, "--out", tmp_path / "near.parquet")
    assert done.exit_code == 1
    assert words in f"{done.output}{done.exception}"
    assert not list(tmp_path.iterdir())
