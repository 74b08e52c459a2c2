"""The command line: one module per command or family of commands, put together here."""

import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from wellgram.backends.progress_bars import without_bars
from wellgram.cli.advice import in_options
from wellgram.cli.info_command import info
from wellgram.cli.leaving import leave_threads
from wellgram.cli.map_commands import browse, neighbors
from wellgram.cli.plan_command import plan
from wellgram.cli.score_command import SCORE_EPILOG, score
from wellgram.cli.simulate_command import simulate
from wellgram.cli.stop_signals import StopSignals
from wellgram.cli.study_commands import batch_study, blocks
from wellgram.cli.system_errors import discard_output, system_words
from wellgram.cli.terminal import notes, results
from wellgram.errors import WellgramError

_INTERRUPTED = 130  # what typer makes of Ctrl-C

app = typer.Typer(
    help="Perturbation maps and their benchmarks from well embeddings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        results.print(f"wellgram {version('wellgram')}")
        raise typer.Exit


@app.callback()
def _options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Perturbation maps and their benchmarks from well embeddings."""


app.command(epilog=SCORE_EPILOG)(score)
app.command(
    epilog="**Example**\n\n`wellgram simulate --scale 0.1 --out screen` then\n\n"
    "`wellgram score screen/OpenPhenom_rxrx3_core_embeddings.parquet "
    "--metadata screen/metadata_rxrx3_core.csv --relationships screen/relationships`"
)(simulate)
app.command(
    epilog="**Examples**\n\n`wellgram neighbors results/map.parquet -k 25 --out neighbors.parquet`"
    "\n\n`wellgram neighbors --wells embeddings.parquet --metadata metadata.csv --align tvn`"
)(neighbors)
app.command(epilog="**Example**\n\n`wellgram browse results/map.parquet`")(browse)
app.command(
    epilog="**Example**\n\n`wellgram blocks embeddings/ --metadata metadata.csv --split dataset`"
)(blocks)
app.command(
    epilog="**Example**\n\n`wellgram simulate --screen rxrx1 --scale 0.1 --out study` then\n\n"
    "`wellgram batch-study study/embeddings.parquet --metadata study/metadata.csv --split dataset`"
)(batch_study)
app.command(
    epilog="**Example**\n\n`wellgram plan --wells 2200000 --features 1024 --perturbations 17063 "
    "--batches 176 --machines 8 --threads 16`"
)(plan)
app.command()(info)


def _command() -> Callable[..., None] | None:
    """Return the command that was called."""
    word = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    commands = [command.callback for command in app.registered_commands if command.callback]
    return next((c for c in commands if c.__name__.replace("_", "-") == word), None)


def main() -> None:
    """Run the command line.

    A mistake in the input, or a file that cannot be read or written, ends it with one line and exit
    status 1. Ctrl-C, or another signal that stops it, ends it with one line and 128 + the signal.
    """
    signals = StopSignals()
    signals.listen()
    try:
        _run(signals)
    except KeyboardInterrupt:
        notes.print("interrupted; unfinished results were not kept")
        leave_threads(signals.exit_status)
        sys.exit(signals.exit_status)


def _run(signals: StopSignals) -> None:
    if sys.stdout is None:
        _fail("the standard output is closed; open it, or send it to /dev/null")
    try:
        with signals.interrupting(), without_bars():  # steps have bars of their own
            app()
    except WellgramError as problem:
        command = _command()
        _fail(str(problem) if command is None else in_options(str(problem), command))
    except OSError as problem:
        _fail(system_words(problem))
    except MemoryError as problem:
        _fail(f"out of memory ({problem or 'no more could be had'})")
    except ImportError as problem:
        # Where memory is limited, the code of a module may find no room.
        if "failed to map segment" not in str(problem):
            raise
        _fail(f"out of memory ({problem})")
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            raise KeyboardInterrupt from None
        raise


def _fail(words: str) -> NoReturn:
    discard_output()
    notes.print(f"error: {words}", markup=False)
    sys.exit(1)
