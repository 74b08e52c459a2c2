"""The page of a map: what it answers, to whom, and how it ends."""

import http.client
import io
import json
import signal
import socket
import sys

import numpy as np
import pandas as pd
import pytest

from helpers.browsers import chromium, overflowing, visit
from helpers.maps_and_wells import make_map
from helpers.served_pages import page_at, served
from wellgram import InputError, MapLookup, browse, write_map

client = pytest.importorskip("starlette.testclient", reason="starlette is not installed")


def small_map():
    rng = np.random.default_rng(3)
    return make_map(
        rng,
        65,
        12,
        dtype=np.float32,
        names=["PLK1", "PLK4", "<b>MTOR</b>", *["aplkin"] * 2, *(f"GENE{i}" for i in range(60))],
        perturbation_type=["CRISPR"] * 3 + ["COMPOUND"] * 2 + ["CRISPR"] * 60,
        dose=[np.nan] * 3 + [0.25, 10.0] + [np.nan] * 60,
    )


@pytest.fixture
def lookup():
    return MapLookup(small_map())


@pytest.fixture
def page(lookup):
    return client.TestClient(
        browse.application(lookup, "map.parquet"), base_url="http://127.0.0.1:8765"
    )


def test_it_answers_what_the_library_does(page, lookup):
    assert page.get("/map").json() == {"title": "map.parquet", "rows": 65}
    assert page.get("/suggest", params={"text": "plk"}).json() == {
        "total": 3,
        "matches": [
            {"row": 0, "name": "PLK1, CRISPR", "address": "PLK1", "rows": 1},
            {"row": 1, "name": "PLK4, CRISPR", "address": "PLK4", "rows": 1},
            {"row": 3, "name": "aplkin", "address": "aplkin", "rows": 2},
        ],
    }
    found = page.get("/neighbors/4", params={"k": 7}).json()
    own = lookup.neighbors_of(4, 7)
    assert found["name"] == "aplkin, 10, COMPOUND"
    assert found["partners"] == 64
    table = pd.DataFrame(found["neighbors"])
    pd.testing.assert_frame_equal(
        table[["side", "rank", "row", "percentile"]],
        own.table[["side", "rank", "row", "percentile"]],
        check_dtype=False,
    )
    np.testing.assert_allclose(table["cosine"], own.table["cosine"], rtol=1e-6)  # as text
    assert table["name"].tolist() == [lookup.name(row) for row in own.table["row"]]


def test_the_table_is_a_file(page, lookup):
    sent = page.get("/neighbors/0.csv?k=1000")
    assert sent.headers["content-disposition"] == 'attachment; filename="neighbors-PLK1.csv"'
    table = pd.read_csv(io.StringIO(sent.text))
    assert len(table) == 128
    assert table["perturbation"].tolist() == (
        lookup.neighbors_of(0, 64).table["perturbation"].tolist()
    )


@pytest.mark.parametrize("path", ["/neighbors/65", "/neighbors/1?k=0", "/neighbors/1?k=x"])
def test_what_is_not_there_is_said(page, path):
    answer = page.get(path)
    assert answer.status_code == 400
    assert "row 65" in answer.json()["error"] or "k must be" in answer.json()["error"]


@pytest.mark.parametrize("row", ["-1", "G1", "1.5", "%D9%A3", "9" * 20, "9" * 5000])
@pytest.mark.parametrize("ending", ["", ".csv"])
def test_what_is_no_row_is_said(page, row, ending):
    answer = page.get(f"/neighbors/{row}{ending}")
    assert answer.status_code == 400
    assert "the map has no row" in answer.json()["error"]
    assert len(answer.json()["error"]) < 120


@pytest.mark.parametrize("k", ["2.5", "-1", "true", "%D9%A3", "10001", "9" * 5000])
def test_what_is_no_number_of_neighbors_is_said(page, k):
    answer = page.get(f"/neighbors/1?k={k}")
    assert answer.status_code == 400
    assert "k must be a whole number from 1 to 10,000" in answer.json()["error"]


def test_only_this_machine_is_answered(page, lookup):
    """A page elsewhere whose name was made to point here sends that name along."""
    assert page.get("/map", headers={"host": "evil.example:8765"}).status_code == 400
    assert page.get("/map", headers={"host": "localhost:9"}).status_code == 200
    assert page.get("/map", headers={"host": "[::1]:9"}).status_code == 200
    assert "script-src 'self'" in page.get("/").headers["content-security-policy"]
    everywhere = client.TestClient(browse.application(lookup, "map", "0.0.0.0"))
    assert everywhere.get("/map", headers={"host": "machine.example"}).status_code == 200
    assert [browse.is_loopback(h) for h in ("127.0.0.9", "::1", "localhost", "0.0.0.0", "box")] == [
        True, True, True, False, False
    ]  # fmt: skip


def test_the_extra_is_named_where_it_is_missing(lookup, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(InputError, match=r"needs the package 'uvicorn'.*wellgram\[browse\]"):
        browse.application(lookup, "map")


def test_a_port_that_is_taken_is_said(lookup):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port}: .*choose another \(--port\)"):
            browse.serve(browse.application(lookup, "map"), port=port)


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_ctrl_c_ends_it_cleanly(tmp_path, suffix):
    write_map(small_map(), tmp_path / f"map.{suffix}")
    running, url = served(tmp_path / f"map.{suffix}", "--host", "localhost")
    assert url.startswith("http://localhost:")
    there = http.client.HTTPConnection("localhost", int(url.split(":")[2].strip("/")))
    there.request("GET", "/map")
    assert json.load(there.getresponse())["rows"] == 65
    running.send_signal(signal.SIGINT)  # while somebody is still connected
    _, said = running.communicate(timeout=30)
    there.close()
    assert running.returncode == 0
    assert "Traceback" not in said
    assert "interrupted" not in said


def test_others_being_able_to_read_is_noted(tmp_path):
    write_map(small_map(), tmp_path / "map.parquet")
    running, _ = served(tmp_path / "map.parquet", "--host", "0.0.0.0")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert "other machines can read this map" in said


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(lookup):
    with page_at(browse.application(lookup, "map.parquet")) as there:
        yield there


def test_a_person_looks_a_gene_up(browser, address, lookup, tmp_path):
    with visit(browser, address) as page:
        assert page.title() == "wellgram"
        field = page.get_by_label("Gene or compound")
        field.press_sequentially("plk")
        options = page.locator("#options [role=option]")
        options.nth(2).wait_for()
        assert options.all_inner_texts() == ["PLK1, CRISPR", "PLK4, CRISPR", "aplkin 2 rows"]
        field.press("ArrowDown")
        field.press("ArrowDown")
        assert options.nth(1).get_attribute("aria-selected") == "true"
        field.press("Enter")
        page.get_by_role("heading", name="PLK4").wait_for()
        own = lookup.neighbors_of("PLK4", 25).table
        for side in ("nearest", "farthest"):
            rows = page.locator(f"#{side} tbody tr")
            expected = own[own["side"] == side]
            assert rows.count() == 25
            for shown, (_, row) in zip(rows.all_inner_texts(), expected.iterrows(), strict=True):
                rank, name, cosine, *_, percentile = shown.split("\t")
                assert (int(rank), name) == (row["rank"], lookup.name(row["row"]))
                assert cosine == f"{row['cosine']:.4f}"
                assert float(percentile) == pytest.approx(row["percentile"], abs=0.00501)  # rounded
        with page.expect_download() as fetched:
            page.get_by_text("Download the table").click()
        fetched.value.save_as(tmp_path / "table.csv")
        assert fetched.value.suggested_filename == "neighbors-PLK4.csv"
        table = pd.read_csv(tmp_path / "table.csv")
        assert table["perturbation"].tolist() == own["perturbation"].tolist()
        assert table["rank"].tolist() == own["rank"].tolist()


def test_links_lead_on_and_back(browser, address, lookup):
    with visit(browser, f"{address}#row=2&k=10") as page:
        page.get_by_role("heading", name="<b>MTOR</b>").wait_for()  # shown, and not obeyed
        assert page.locator("#nearest tbody tr").count() == 10
        first = page.locator("#nearest tbody a").first
        name = first.inner_text()
        first.click()
        page.get_by_role("heading", name=name).wait_for()
        page.go_back()
        page.get_by_role("heading", name="MTOR").wait_for()
        page.get_by_label("How many").select_option("100")
        page.locator("#nearest tbody tr").nth(63).wait_for()
        assert page.locator("#nearest tbody tr").count() == 64


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, address, scheme, tmp_path):
    there = f"{address}#row=0"
    with visit(browser, there, width=360, height=740, scheme=scheme) as page:
        page.get_by_role("heading", name="PLK1").wait_for()
        assert overflowing(page) <= 0
        page.screenshot(path=tmp_path / "phone.png", full_page=True)
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 23, 28)"
        assert dark == (scheme == "dark")


def test_what_nobody_has_is_said_on_the_page(browser, address):
    with visit(browser, address) as page:
        page.get_by_label("Gene or compound").press_sequentially("zzz")
        page.get_by_text("nothing of that name").wait_for()
