"""What the command line prints with: results to the output, steps and notes beside."""

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from wellgram.backends.protocol import Progress as Report
from wellgram.cli.advice import in_options
from wellgram.errors import NotWritten, WellgramWarning
from wellgram.suite.contract import Part
from wellgram.wells import WellLabels


class _Output(Console):
    """Names the output where it cannot be written to, as on a full disk."""

    def print(self, *objects: Any, **options: Any) -> None:
        try:
            super().print(*objects, **options)
        except OSError as problem:
            raise NotWritten(
                f"cannot write to the standard output: {os.strerror(problem.errno or 0)}"
            ) from problem


results = _Output(highlight=False, soft_wrap=True)
notes = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def step(name: str) -> Iterator[Report]:
    """Show a step of the work: a bar on a terminal, a plain line otherwise."""
    if not notes.is_terminal:
        began = time.perf_counter()
        yield lambda _: None
        notes.print(f"{name}: {time.perf_counter() - began:.2f} s", markup=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notes) as bars:
        task = bars.add_task(name, total=None)
        yield lambda share: bars.update(task, total=1.0, completed=share)
        bars.update(task, total=1.0, completed=1.0)


@contextmanager
def noting(command: Callable[..., None]) -> Iterator[None]:
    """Print what the library warns of as a note, once, in the options of a command."""
    printed = set()

    def note(message: Warning | str, *_: object, **__: object) -> None:
        text = in_options(str(message), command)
        if text not in printed:
            printed.add(text)
            notes.print(f"note: {text}", markup=False)

    with warnings.catch_warnings():
        warnings.simplefilter("always", WellgramWarning)
        warnings.showwarning = note
        yield


def print_wells(wells: WellLabels) -> None:
    """Print how many wells were read, and from how many files of which folders."""
    results.print(repr(wells), markup=False)
    if "files" in wells.origin:
        results.print(f"read from {wells.origin['files']}", markup=False)


def part_table(title: str, part: Part) -> Table:
    """Return what a benchmark found as a table to print."""
    return words_table(title, part.presentation.head, part.presentation.rows)


def words_table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of words to print, numbers to the right."""
    table = Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        collapse_padding=True,
    )
    for k, name in enumerate(head):
        table.add_column(name, justify="right" if k else "left", no_wrap=k == 0)
    for row in rows:
        table.add_row(*map(escape, row))
    return table
