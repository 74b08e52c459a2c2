"""The page under attack: long requests, slow and many clients, long names, hostile labels."""

import io
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import numpy as np
import pandas as pd
import pytest

from helpers.maps_and_wells import make_map
from wellgram import MapLookup, browse, write_map

client = pytest.importorskip("starlette.testclient", reason="starlette is not installed")

LONG = "N" * 1_000_000
FORMULA = "=cmd|' /C calc'!A0"
GUARDS = {
    "content-security-policy", "x-content-type-options", "referrer-policy", "cache-control"
}  # fmt: skip


def hostile_map():
    names = [LONG, FORMULA, "", None, *(f"g{k}" for k in range(40))]
    rng = np.random.default_rng(5)
    dose = ["1 uM", None, *["2 uM"] * 42]
    return make_map(rng, 44, 6, dtype=np.float32, names=names, dose=dose)


@pytest.fixture(scope="module")
def page():
    application = browse.application(MapLookup(hostile_map()), "map")
    return client.TestClient(application, base_url="http://127.0.0.1")


@contextmanager
def serving(folder):
    """The command in a process of its own, and the port of its page."""
    write_map(make_map(np.random.default_rng(0), 3_000, 8, dtype=np.float32), folder / "map.npz")
    command = [sys.executable, "-um", "wellgram", "browse", str(folder / "map.npz"), "--port", "0"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        line = running.stdout.readline()
        yield running, int(line.split("127.0.0.1:")[1].split("/")[0])
    finally:
        running.kill()
        running.communicate()


def connected(port, sent):
    there = socket.create_connection(("127.0.0.1", port), timeout=20)
    there.sendall(sent)
    return there


def answer(there):
    """All that a server sends before it closes the connection."""
    parts = []
    try:
        while part := there.recv(65_536):
            parts.append(part)
    except ConnectionResetError:  # closed while something of ours was unread
        pass
    return b"".join(parts).decode()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200), ("/map", 200), ("/neighbors/1", 200), ("/neighbors/1.csv", 200),
        ("/page.js", 200), ("/choices", 200), ("/points", 200), ("/row/3", 200),
        ("/find?text=g1", 200), ("/find?text=" + "x" * 200, 200), ("/find?text=,", 200),
        ("/compare/0/2", 200), ("/compare/0/2.csv", 200), ("/compare/0/44", 400),
        ("/features/1", 400), ("/neighbors/1?type=x", 400), ("/web/page.js", 404),
        ("/nowhere", 404), ("/../server.py", 404), ("/neighbors/99", 400),
        ("/suggest?text=" + "a" * 201, 400), ("/suggest?text=" + "a" * 9_000, 414),
    ],
)  # fmt: skip
def test_every_answer_has_the_same_headers(page, path, status):
    got = page.get(path)
    assert got.status_code == status
    assert set(got.headers) >= GUARDS
    assert len(got.headers.get_list("content-security-policy")) == 1


def test_refusals_have_the_headers_too(page):
    for got, status in (
        (page.post("/map"), 405),
        (page.get("/map", headers={"host": "evil.example"}), 400),
        (page.get("/map", headers={"x": "a" * 20_000}), 431),
    ):
        assert got.status_code == status
        assert set(got.headers) >= GUARDS


def test_faults_of_ours_have_them_too(monkeypatch):
    lookup = MapLookup(hostile_map())
    monkeypatch.setattr("wellgram.browse.perturbation_search.PerturbationSearch.matches", None)
    page = client.TestClient(
        browse.application(lookup, "map"), "http://localhost", raise_server_exceptions=False
    )
    got = page.get("/suggest?text=g")
    assert got.status_code == 500
    assert set(got.headers) >= GUARDS
    assert "NoneType" not in got.text


def test_long_names_are_cut_where_they_are_shown_and_whole_in_the_table(page):
    sizes = [
        len(page.get(f"/{path}").content)
        for path in ("suggest?text=n", "neighbors/0?k=100", "neighbors/5?k=100")
    ]
    assert max(sizes) < 20_000
    table = pd.read_csv(io.StringIO(page.get("/neighbors/5.csv?k=100").text))
    assert LONG in set(table["perturbation"])


def test_formulas_are_marked_in_the_table_and_numbers_are_not(page):
    table = pd.read_csv(io.StringIO(page.get("/neighbors/5.csv?k=100").text))
    assert f"'{FORMULA}" in set(table["perturbation"])
    assert FORMULA not in set(table["perturbation"])
    assert (table["cosine"] < 0).any()  # numbers still
    shown = page.get("/neighbors/5?k=100").json()["neighbors"]
    assert FORMULA in {line["name"] for line in shown}  # a browser obeys no formula


def test_a_file_name_that_is_no_utf_8_is_shown_somehow():
    """Python decodes such a name with halves of characters."""
    page = client.TestClient(
        browse.application(MapLookup(hostile_map()), "m\udc80"), "http://[::1]"
    )
    assert page.get("/map").json()["title"] == "m?"


def test_half_sent_requests_time_out_and_ctrl_c_waits_for_nobody(tmp_path):
    with serving(tmp_path) as (running, port):
        began = time.monotonic()
        halves = [
            b"", b"GET /map HT", b"GET /map HTTP/1.1\r\nHost: local",
            b"POST /map HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\nabc",
        ]  # fmt: skip
        slow = [connected(port, half) for half in halves]
        for there in slow:
            with closing(there):
                assert "HTTP/1.1 2" not in answer(there)
        assert 4 < time.monotonic() - began < 15  # five seconds, on a busy machine
        with closing(connected(port, b"\xff\x00nonsense\r\n\r\n")) as there:
            refused = answer(there)
        assert refused.startswith("HTTP/1.1 400 ")
        assert all(name in refused.lower() for name in GUARDS)
        whole = b"GET /neighbors/%d.csv?k=10000 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        slow = [connected(port, half) for half in halves] + [
            connected(port, whole % row) for row in range(8)  # whose answers nobody takes
        ]  # fmt: skip
        began = time.monotonic()
        running.send_signal(signal.SIGINT)
        _, notes = running.communicate(timeout=30)
        assert time.monotonic() - began < 10  # most of it is the end of a busy interpreter
        for there in slow:
            there.close()
        assert running.returncode == 0
        assert "Traceback" not in notes


def test_more_connections_are_told_to_come_back(tmp_path):
    from wellgram.browse.bounded_connection import MOST_CONNECTIONS

    with serving(tmp_path) as (_, port):
        waiting = [connected(port, b"") for _ in range(MOST_CONNECTIONS)]
        with closing(connected(port, b"")) as there:
            told = answer(there)
        assert told.startswith("HTTP/1.1 503 ")
        assert "Retry-After: 5" in told
        assert json.loads(told.split("\r\n\r\n")[1])["error"].startswith("too many connections")
        assert all(name in told.lower() for name in GUARDS)
        for there in waiting:
            there.close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            request = b"GET /map HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            with closing(connected(port, request)) as there:
                if answer(there).startswith("HTTP/1.1 200 "):
                    return
        raise AssertionError("nobody is answered after the others left")
