"""What the system says of files and of the output, on one line."""

import os
import sys


def system_words(problem: OSError) -> str:
    """Return the cause of an error of the system, with the path if it names one."""
    if not problem.filename or not problem.errno:
        return " ".join(str(problem).split()) or type(problem).__name__
    return f"cannot read or write {str(problem.filename)!r}: {os.strerror(problem.errno)}"


def discard_output() -> None:
    """Let go of output that cannot be written, or Python tries again as it ends, and complains."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
