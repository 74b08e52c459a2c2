"""What tests of the accelerator share: each entry's stand-in beside its original."""

import contextlib
import inspect
import io
from importlib import import_module
from operator import attrgetter

import numpy as np
import pandas as pd

from wellgram.accel.profiling import profile
from wellgram.accel.registry import ENTRIES
from wellgram.accel.stand_ins import plain, stand_in


class Pair:
    """A function of a library and its stand-in, made for a test and bound nowhere."""

    def __init__(self, target):
        self.entry = next(entry for entry in ENTRIES if entry.target.endswith(target))
        module = import_module(self.entry.module)
        original = attrgetter(self.entry.function)(module)
        self.original = plain(original)
        self.stand_in = stand_in(self.entry, original)

    def takes(self, parameter):
        """Whether the original has a parameter."""
        return parameter in inspect.signature(self.original).parameters

    def __call__(self, *args, **kwargs):
        """Return both results, theirs first; ours was accelerated, and printed the same."""
        theirs, said = printed(self.original, args, kwargs)
        with quiet_profile() as found:
            ours, told = printed(self.stand_in, args, kwargs)
        assert [call.declined for call in found.calls][-1:] == [None]
        assert said == told
        return theirs, ours

    def declines(self, *args, **kwargs):
        """Return why the original ran, and what came of it, or what it raised."""
        with quiet_profile() as found:
            result = outcome(self.stand_in, *args, **kwargs)
        if not found.calls:  # the replacement raised, as the original does
            return None, result
        return found.calls[-1].declined, result


def outcome(function, *args, **kwargs):
    """Return what a call returns, or the error that it raises."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        return error


def same_error(theirs, ours):
    """Whether the original raises, and ours the same; fails where ours does otherwise."""
    if isinstance(theirs, Exception):
        assert type(ours) is type(theirs)
        assert str(ours) == str(theirs)
    return isinstance(theirs, Exception)


def printed(function, args, kwargs):
    """Return what a call returns and what it prints."""
    lines = io.StringIO()
    with contextlib.redirect_stdout(lines):
        result = function(*args, **kwargs)
    return result, lines.getvalue()


@contextlib.contextmanager
def quiet_profile():
    """Gather calls, without the table at the end."""
    with contextlib.redirect_stderr(io.StringIO()), profile() as found:
        yield found


def equal(theirs, ours, *, within=1e-9):
    """Assert that tables have the same types, labels and order, and numbers as near as asked."""
    assert type(theirs) is type(ours)
    if isinstance(theirs, pd.DataFrame):
        pd.testing.assert_frame_equal(
            theirs, ours, check_exact=False, rtol=within, atol=within, check_column_type=True
        )
    elif isinstance(theirs, np.ndarray):
        assert theirs.dtype == ours.dtype
        np.testing.assert_allclose(ours, theirs, rtol=within, atol=within)
    else:
        raise TypeError(type(theirs))
