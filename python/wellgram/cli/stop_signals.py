"""What ends the command line from outside: Ctrl-C, and signals that mean the same."""

import signal
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""What batch systems and closed terminals send, beside Ctrl-C"""


class StopSignals:
    """Makes other signals interrupt the work as Ctrl-C does, and knows which one came."""

    def __init__(self) -> None:
        self._came = signal.SIGINT

    @property
    def exit_status(self) -> int:
        """The exit status of what a signal has ended, as shells have it."""
        return 128 + self._came

    def listen(self) -> None:
        """Take the signals, except those that are ignored, as `nohup` has it."""
        for number in _SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._stop)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._came = signal.Signals(number)
        raise KeyboardInterrupt
