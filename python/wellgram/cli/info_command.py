"""``wellgram info``: what runs here."""

from rich.table import Table

from wellgram.backends.machine import environment
from wellgram.cli.terminal import results


def info() -> None:
    """Show versions, instruction set, threads, devices, and which backends work and why not."""
    facts = environment()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        if isinstance(value, dict):
            for entry, state in value.items():
                table.add_row(f"{name.rstrip('s')} {entry}", state)
        elif isinstance(value, list):
            for device in value:
                table.add_row("cuda device", ", ".join(f"{k} {v}" for k, v in device.items()))
        else:
            table.add_row(name.replace("_", " "), str(value))
    results.print(table, markup=False)
