"""The command that serves a page with the wells of the map and with known pairs."""

import http.client
import json
import signal

import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.served_pages import served
from helpers.small_screens import rxrx3_core, write_wide
from wellgram import build_map, read_wells, write_map
from wellgram.cli import app

pytest.importorskip("starlette", reason="starlette is not installed")


def test_wells_and_known_pairs_are_read(tmp_path):
    values, metadata = rxrx3_core()
    wells = write_wide(tmp_path / "embeddings.parquet", values, metadata["well_id"])
    metadata.to_csv(tmp_path / "metadata.csv", index=False)
    map_ = build_map(read_wells(wells, tmp_path / "metadata.csv", layout="rxrx3-core"))
    write_map(map_, tmp_path / "map.parquet")
    pd.DataFrame({"entity1": ["PLK1"], "entity2": ["MTOR"]}).to_csv(tmp_path / "pairs.csv")
    running, url = served(
        tmp_path / "map.parquet",
        "--relationships", str(tmp_path / "pairs.csv"), "--wells", str(wells),
        "--metadata", str(tmp_path / "metadata.csv"), "--plate", "plate",
    )  # fmt: skip
    there = http.client.HTTPConnection("127.0.0.1", int(url.split(":")[2].strip("/")))

    def asked(path):
        there.request("GET", path)
        return json.load(there.getresponse())

    try:
        choices = asked("/choices")
        assert choices["sources"] == ["pairs"]
        assert {row["name"] for row in choices["examples"]} >= {"MTOR, CRISPR", "PLK1, CRISPR"}
        row = asked("/find?text=plk1")["rows"][0]["row"]
        found = asked(f"/features/{row}")
    finally:
        there.close()
        running.send_signal(signal.SIGINT)
        _, notes = running.communicate(timeout=30)
    assert (found["wells"], found["controls"], found["plates"]) == (8, 4, 1)
    assert sorted(line["feature"] for line in found["differences"]) == [
        f"feature_{k}" for k in range(5)
    ]
    assert "Traceback" not in notes


def test_a_plate_without_wells_is_refused(tmp_path):
    outcome = CliRunner().invoke(app, ["browse", str(tmp_path / "map.parquet"), "--plate", "p"])
    assert "--plate is of wells: name their files with --wells" in str(outcome.exception)
