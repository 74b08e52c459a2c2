"""The door of notebooks: ``%load_ext wellgram.accel`` and ``%%wellgram.accel.profile``."""

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Install the accelerator, and the cell magic that profiles."""
    from wellgram.accel.hook import install
    from wellgram.accel.profiling import profile

    def profiled(line: str, cell: str) -> None:
        """List the calls of a cell that were accelerated, and those that were not."""
        with profile():
            shell.run_cell(cell)

    install()
    shell.register_magic_function(profiled, "cell", "wellgram.accel.profile")


def unload_ipython_extension(shell: Any) -> None:
    """Put the originals back."""
    from wellgram.accel.hook import uninstall

    uninstall()
