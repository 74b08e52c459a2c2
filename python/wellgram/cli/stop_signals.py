"""What ends the command line from outside: Ctrl-C, and signals that mean the same."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, and what batch systems and closed terminals send"""
_SOON = 0.05
"""Seconds after which a stop that was lost is sent again"""


class StopSignals:
    """Makes signals interrupt the work as Ctrl-C does, and knows which one came."""

    def __init__(self) -> None:
        self._came: signal.Signals | None = None

    @property
    def exit_status(self) -> int:
        """The exit status of what a signal has ended, as shells have it."""
        return 128 + (self._came or signal.SIGINT)

    def listen(self) -> None:
        """Take the signals, except those that are ignored, as `nohup` has it."""
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)
        sys.unraisablehook = self._lost

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """Raise KeyboardInterrupt for any error that a stop has led to.

        Where a class is made or a module of C is loaded, Python turns the interrupt into an error
        of its own.
        """
        try:
            yield
        except Exception as problem:
            if self._came is None:
                raise
            raise KeyboardInterrupt from problem

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._came = signal.Signals(number)
        raise KeyboardInterrupt

    def _lost(self, ignored: "UnraisableHookArgs") -> None:
        """Send a stop again that came where Python can raise nothing, such as in `__del__`."""
        if self._came is None or not issubclass(ignored.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(ignored)
            return
        main = threading.main_thread().ident
        again = threading.Timer(_SOON, signal.pthread_kill, (main, self._came))
        again.daemon = True
        again.start()
