"""Ctrl-C ends the page whatever is being looked up for a client."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pytest

from helpers.maps_and_wells import make_map
from wellgram import write_map

pytest.importorskip("starlette", reason="starlette is not installed")

PROGRAM = """
import os, sys, time
from wellgram import MapLookup
from wellgram.cli import main

def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sum(range(1000))

def slow(*asked, **options):
    os.write(1, b"asked\\n")  # whole, whichever thread writes
    {waiting}(60)

MapLookup.neighbors_of = slow
sys.argv = ["wellgram", "browse", {path!r}, "--port", "0"]
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("waiting", ["time.sleep", "busy"])
def test_no_question_is_waited_for(tmp_path, number, waiting):
    path = str(tmp_path / "map.npz")
    write_map(make_map(np.random.default_rng(0), 50, 4), path)
    program = PROGRAM.format(waiting=waiting, path=path)
    running = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        port = int(running.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
        for client in clients:
            client.sendall(b"GET /neighbors/1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert [running.stdout.readline() for _ in range(2)] == ["asked\n"] * 2
        began = time.monotonic()
        running.send_signal(number)
        more, notes = running.communicate(timeout=50)
        took = time.monotonic() - began
    finally:
        running.kill()
    for client in clients:
        with closing(client):
            assert client.recv(100) == b""
    assert more == ""  # those that waited for their turn are not begun
    assert "Traceback" not in notes
    assert running.returncode == 0
    # Less than a second; more where the machine is busy, and a minute where it is waited for.
    assert took < 10
