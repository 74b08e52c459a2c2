"""Calls of a script, kept and compared: the script runs as it is, and then accelerated.

``RECORDED`` names the file that the first run writes. The second run, in which ``REPORT`` is set
too, compares with it and writes what differs, and where each call ran.
"""

import atexit
import contextlib
import io
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

_calls: list[dict[str, Any]] = []
_tolerances: list[float] = []


def call(label: str, function: Callable[..., Any], *args: Any, within: float = 1e-5, **kwargs: Any):
    """Call a function; keep its result or error, what it printed, and the arguments after it.

    Numbers must come out as near as ``within``, absolute below 1 and relative above.
    """
    printed = io.StringIO()
    result, error = None, None
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        try:
            result = function(*args, **kwargs)
        except Exception as raised:  # an error is a result to compare
            error = f"{type(raised).__name__}: {raised}"
    kept = {"result": result, "error": error, "printed": printed.getvalue(), "args": args}
    _calls.append({"label": label, **_kept(kept), **_kept({"kwargs": kwargs})})
    _tolerances.append(within)
    return result


def _kept(values: dict[str, Any]) -> dict[str, Any]:
    """Return values as they are now; in place of one that cannot be kept, its type."""
    kept = {}
    for name, value in values.items():
        try:
            kept[name] = pickle.loads(pickle.dumps(value))
        except Exception:  # a function, for one
            kept[name] = type(value).__name__
    return kept


def _differences(theirs: list[dict[str, Any]]) -> list[str]:
    """Return what differs from the first run, a line per call."""
    from wellgram.accel.verification import difference

    lines = []
    if [kept["label"] for kept in theirs] != [kept["label"] for kept in _calls]:
        return ["other calls were made"]
    for ours, original, within in zip(_calls, theirs, _tolerances, strict=True):
        if ours["error"] != original["error"]:
            lines.append(f"{ours['label']}: {ours['error']} instead of {original['error']}")
            continue
        for part in ("printed", "result", "args", "kwargs"):
            away = difference(ours[part], original[part], within)
            if away:
                lines.append(f"{ours['label']}: {part}: {away}")
                break
    return lines


def _finish() -> None:
    path = Path(os.environ["RECORDED"])
    if "REPORT" not in os.environ:
        path.write_bytes(pickle.dumps(_calls))
        return
    from wellgram.accel.profiling import Profile

    _profile.__exit__(None, None, None)
    assert isinstance(_rows, Profile)
    report = {
        "calls": [kept["label"] for kept in _calls],
        "differences": _differences(pickle.loads(path.read_bytes())),
        "rows": _rows.rows,
    }
    Path(os.environ["REPORT"]).write_text(json.dumps(report))


if "REPORT" in os.environ:
    from wellgram.accel import profile

    _profile = profile()
    _rows = _profile.__enter__()
atexit.register(_finish)
