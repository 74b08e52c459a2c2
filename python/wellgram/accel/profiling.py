"""What ran where: calls are told to the log, and gathered while a profile is open."""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from logging import Logger

    import pandas as pd


def logger() -> "Logger":
    """Return the log that calls are told to."""
    from logging import getLogger

    return getLogger("wellgram.accel")


class Call(NamedTuple):
    """A call of a function that something stands in for."""

    name: str
    declined: str | None
    """Why the original ran; None where it did not"""
    seconds: float
    saved: float | None
    """How much longer the original took, where both ran"""
    caller: str


class Profile:
    """The calls of functions that are replaced, while it was open."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    @property
    def rows(self) -> list[tuple[str, str, int, float, float | None, str]]:
        """Function, who ran, calls, seconds, seconds saved and why, the slowest first.

        Functions that nothing could stand in for come last; what calls of them took is not known.
        """
        groups: dict[tuple[str, str | None], list[Call]] = {}
        for call in self.calls:
            groups.setdefault((call.name, call.declined), []).append(call)
        rows = []
        for (name, declined), calls in groups.items():
            saved = [call.saved for call in calls if call.saved is not None]
            rows.append(
                (
                    name,
                    "wellgram" if declined is None else "original",
                    len(calls),
                    sum(call.seconds for call in calls),
                    sum(saved) if saved else None,
                    declined or "",
                )
            )
        refused = [(name, "refused", 0, 0.0, None, why) for name, why in _refused.items()]
        return sorted(rows, key=lambda row: -row[3]) + refused

    @property
    def table(self) -> "pd.DataFrame":
        """The same as a table: function, ran, calls, seconds, saved (NaN if not known), reason."""
        import pandas as pd

        columns = ["function", "ran", "calls", "seconds", "saved", "reason"]
        return pd.DataFrame(self.rows, columns=columns)

    def __str__(self) -> str:
        if not self.rows:
            return "wellgram.accel: no call of a function that it replaces"
        lines = [f"{'ran':9}{'calls':>7}{'seconds':>10}{'saved':>10}  function"]
        for name, ran, calls, seconds, saved, reason in self.rows:
            told = "" if saved is None else f"{saved:.3f}"
            why = f" ({reason})" if reason else ""
            lines.append(f"{ran:9}{calls:7,}{seconds:10.3f}{told:>10}  {name}{why}")
        return "\n".join(lines)


_open: list[Profile] = []
_refused: dict[str, str] = {}
"""Functions that stayed as they are when they were imported, and why"""


@contextmanager
def profile() -> "Iterator[Profile]":
    """Gather the calls that are made in its block; print them to stderr at the end of it.

    The time of a call is that of all it calls; time saved is known where both ran
    (``WELLGRAM_ACCEL_VERIFY=1``).
    """
    found = Profile()
    _open.append(found)
    try:
        yield found
    finally:
        _open.remove(found)
        print(found, file=sys.stderr)


def refuse(name: str, reason: str) -> None:
    """Keep that a function stays as it is; the first is told of as a warning."""
    tell = logger().info if _refused else logger().warning
    _refused[name] = reason
    tell("%s stays as it is: %s (a profile lists all of these)", name, reason)


def forget_refusals() -> None:
    """Forget which functions stayed as they are."""
    _refused.clear()


def record(call: Call) -> None:
    """Tell of a call."""
    for found in _open:
        found.calls.append(call)
    if call.declined is None:
        logger().info("%s ran here: %.3f s (%s)", call.name, call.seconds, call.caller)
    else:
        logger().info("%s: the original, because %s (%s)", call.name, call.declined, call.caller)
