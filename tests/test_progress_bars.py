"""A long call has one bar, in a terminal or a notebook, unless its caller wants none."""

import io
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.maps_and_wells import make_wells
from wellgram import InputError, build_map, pair_histogram, score
from wellgram.backends import progress_bars, takes_backend
from wellgram.backends.progress_bars import without_bars


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """What is written where the error output is a terminal, and every call is a long one."""
    screen = Terminal()
    # Not sys.stderr itself, which pytest sets anew when a test begins.
    monkeypatch.setattr(progress_bars, "sys", SimpleNamespace(stderr=screen, modules=sys.modules))
    monkeypatch.setattr(progress_bars, "_SECONDS_WITHOUT", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    return screen.getvalue


@takes_backend
def some_long_call(*, backend=None, progress=None):
    if progress is not None:
        progress(0.25)
        inner_call()
    return progress


@takes_backend
def inner_call(*, backend=None, progress=None):
    if progress is not None:
        progress(0.5)


def test_a_long_call_has_one_bar(terminal):
    assert some_long_call() is not None
    assert "some long call" in terminal()
    assert "25%" in terminal()
    assert "inner" not in terminal()


def test_none_is_shown_where_none_is_wanted(terminal):
    assert some_long_call(progress=False) is None
    with without_bars():
        some_long_call()
    shares = []
    some_long_call(progress=shares.append)
    assert shares == [0.25]
    assert terminal() == ""
    with pytest.raises(InputError, match="progress= takes a function"):
        some_long_call(progress="yes")


def test_none_is_shown_in_files_and_threads(terminal, monkeypatch):
    thread = threading.Thread(target=some_long_call)
    thread.start()
    thread.join()
    assert terminal() == ""
    monkeypatch.setattr(progress_bars.sys, "stderr", io.StringIO())
    assert some_long_call() is None


def test_short_calls_have_none(terminal, monkeypatch):
    monkeypatch.setattr(progress_bars, "_SECONDS_WITHOUT", 60.0)
    some_long_call()
    assert terminal() == ""


def test_the_bar_goes_when_a_call_fails(terminal):
    @takes_backend
    def failing(*, backend=None, progress=None):
        progress(0.5)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    some_long_call()  # a second bar at a time would be refused
    assert "failing" in terminal()


def test_calls_of_the_library_have_bars(terminal, rng):
    x = rng.standard_normal((8000, 128), np.float32)  # a pass over fewer is too short to tell
    pair_histogram(x, bins=5, progress=False)
    assert terminal() == ""
    pair_histogram(x, bins=5)
    assert "pair histogram" in terminal()


def test_a_score_tells_the_share_of_all_its_steps(terminal):
    wells = make_wells(np.random.default_rng(0), (6, 6, 6), 4, effect=2.0)
    shares = []
    score(wells, metrics=["consistency", "magnitude"], progress=shares.append)
    assert shares == sorted(shares)
    assert {1 / 3, 2 / 3, 1.0} <= set(shares)
    assert terminal() == ""
    build_map(wells, progress=False)
    score(wells, metrics=["consistency"])
    assert "score" in terminal()
    assert "consistency" not in terminal()


def test_commands_have_bars_of_their_own(terminal, monkeypatch):
    """Two bars at a time would be refused."""
    from wellgram import cli

    monkeypatch.setattr(cli, "app", some_long_call)
    cli.main()
    assert terminal() == ""


def test_a_notebook_has_a_bar_that_goes(monkeypatch):
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    shown = []

    class Handle:
        def update(self, html):
            shown.append(html.data)

    def first(html, display_id):
        shown.append(html.data)
        return Handle()

    monkeypatch.setattr(display, "display", first)
    monkeypatch.setattr(progress_bars, "in_notebook", lambda: True)
    monkeypatch.setattr(progress_bars, "_SECONDS_WITHOUT", 0.0)
    some_long_call()
    assert '<progress value="0.250" max="1">' in shown[0]
    assert shown[-1] == ""
    assert len(shown) == 2
