"""The bar of a long call, in a terminal or a notebook.

`wellgram.backends.takes_backend` gives one to every public function with a parameter ``progress=``
that is called without. Only the outermost call has one.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from wellgram.errors import InputError

_SECONDS_WITHOUT = 1.0
"""A call that ends sooner has no bar"""
_SECONDS_BETWEEN = 0.2
"""Two pictures of a bar in a notebook"""

_within: ContextVar[bool] = ContextVar("within", default=False)
"""Whether the running call, or one that made it, has a bar or wants none"""


class _Bar(Protocol):
    def show(self, share: float) -> None:
        """Show the share that is done."""

    def end(self) -> None:
        """Take the bar away."""


@contextmanager
def without_bars() -> Iterator[None]:
    """Show no bar of a call within the block."""
    token = _within.set(True)
    try:
        yield
    finally:
        _within.reset(token)


@contextmanager
def bar_of(
    name: str, asked: Callable[[float], Any] | bool | None
) -> Iterator[Callable[[float], Any] | None]:
    """Yield what a call tells its progress: what the caller named, a bar, or nothing.

    Parameters
    ----------
    name
        Of the call, to stand before the bar.
    asked
        The ``progress=`` of the call: False for no bar; None or True for a bar where there is a
        terminal or a notebook, and no other call has one. Anything else is called.

    Raises
    ------
    InputError
        If it is neither.
    """
    shown = None
    if asked is None or isinstance(asked, bool):
        if asked is not False and not _within.get():
            shown = _bar(name)
    elif not callable(asked):
        raise InputError(
            f"progress= takes a function of the share that is done, or False for no bar, not "
            f"{asked!r}"
        )
    if shown is None:
        with without_bars():
            yield None if isinstance(asked, bool) else asked
        return
    began = time.monotonic()

    def tell(share: float) -> None:
        if time.monotonic() - began >= _SECONDS_WITHOUT:
            shown.show(share)

    try:
        with without_bars():
            yield tell
    finally:
        shown.end()


def _bar(name: str) -> _Bar | None:
    """Return the bar that can be seen here: none in threads, files and pipes."""
    if threading.current_thread() is not threading.main_thread():
        return None
    if in_notebook():
        return _NotebookBar(name)
    if sys.stderr is not None and sys.stderr.isatty():
        return _TerminalBar(name)
    return None


def in_notebook() -> bool:
    """Return whether a notebook runs this: IPython is loaded, and a kernel answers it."""
    running = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(running, "kernel", None) is not None


class _TerminalBar:
    """A line of a terminal, which is gone in the end."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bars: Any = None
        self._task: Any = None

    def show(self, share: float) -> None:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bars = Progress(console=Console(file=sys.stderr), transient=True)
            self._bars.start()
            self._task = self._bars.add_task(self._name, total=1.0)
        self._bars.update(self._task, completed=share)

    def end(self) -> None:
        if self._bars is not None:
            self._bars.stop()


class _NotebookBar:
    """A bar below a cell, which is gone in the end; it needs no widgets."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._handle: Any = None
        self._shown = 0.0

    def show(self, share: float) -> None:
        now = time.monotonic()
        if now - self._shown >= _SECONDS_BETWEEN:
            self._shown = now
            self._display(
                f'<label>{self._name} <progress value="{share:.3f}" max="1"></progress> '
                f"{share:.0%}</label>"
            )

    def end(self) -> None:
        if self._handle is not None:
            self._display("")

    def _display(self, text: str) -> None:
        import IPython.display

        # IPython has no types of these.
        html: Any = IPython.display.HTML
        display: Any = IPython.display.display
        if self._handle is None:
            self._handle = display(html(text), display_id=True)
        else:
            self._handle.update(html(text))
