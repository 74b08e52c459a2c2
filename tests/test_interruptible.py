"""Calls that nothing can stop are waited for, and Ctrl-C ends the wait."""

import signal
import threading
import time

import numpy as np
import pytest

from wellgram.backends import long_calls as module
from wellgram.backends.long_calls import each_in_threads, interruptible

WIDE = 1000
"""A size that is run in another thread"""


def test_things_are_made_in_order():
    def late_first(number):
        time.sleep(0.05 * (number == 0))
        return number * number

    assert each_in_threads(late_first, range(5), 2) == [0, 1, 4, 9, 16]
    assert each_in_threads(late_first, [], 2) == []


def test_what_fails_is_raised_and_nothing_more_begins():
    begun = []

    def fail(number):
        begun.append(number)
        raise ValueError(f"number {number}")

    with pytest.raises(ValueError, match="number 0"):
        each_in_threads(fail, range(100), 1)
    assert begun == [0]


@pytest.mark.parametrize("size", [10, WIDE])
def test_a_call_returns_what_it_returns(size):
    matrix = np.random.default_rng(0).normal(size=(20, 20))
    symmetric = matrix + matrix.T
    for ours, theirs in zip(
        interruptible(size, np.linalg.eigh, symmetric), np.linalg.eigh(symmetric), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_only_long_calls_of_the_main_thread_take_another():
    main = threading.get_ident()
    assert interruptible(10, threading.get_ident) == main
    assert interruptible(WIDE, threading.get_ident) != main
    (inner, outer) = each_in_threads(
        lambda _: (interruptible(WIDE, threading.get_ident), threading.get_ident()), [0], 1
    )[0]
    assert inner == outer


@pytest.fixture
def ctrl_c():
    """Ctrl-C a moment from now."""
    kept = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, kept)


def test_ctrl_c_ends_the_wait_and_nothing_more_begins(ctrl_c):
    may_end = threading.Event()
    begun = []

    def long(number):
        begun.append(number)
        may_end.wait(60)

    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        each_in_threads(long, range(10), 2)
    assert time.perf_counter() - began < 30  # not the minute that the calls take
    may_end.set()
    time.sleep(0.1)
    assert begun == [0, 1]


def test_the_size_of_a_long_call_is_between_those_of_these_tests():
    assert 10 < module._SHORT_SIZE < WIDE
