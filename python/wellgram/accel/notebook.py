"""The door of notebooks: ``%load_ext wellgram.accel`` and ``%%wellgram.accel.profile``."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ast import Module


def load_ipython_extension(shell: Any) -> None:
    """Install the accelerator, and the cell magic that profiles."""
    from wellgram.accel.hook import install
    from wellgram.accel.profiling import profile

    def profiled(line: str, cell: str) -> None:
        """List the calls of a cell that were accelerated, and those that were not."""
        with profile():
            shell.run_cell(cell)

    install()
    shell.ast_transformers.append(_cells)
    shell.register_magic_function(profiled, "cell", "wellgram.accel.profile")


def unload_ipython_extension(shell: Any) -> None:
    """Put the originals back."""
    from wellgram.accel.hook import uninstall

    if _cells in shell.ast_transformers:
        shell.ast_transformers.remove(_cells)
    uninstall()


class _Cells:
    """Replaces the copies of known functions that a cell defines."""

    def visit(self, cell: "Module") -> "Module":
        from wellgram.accel.pasted.pasted_functions import mark

        with suppress(Exception):  # in doubt the cell runs as it is
            mark(cell)
        return cell


_cells = _Cells()
