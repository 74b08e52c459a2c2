"""The end of a command that waits for none of its threads."""

import os
import sys
import threading

from wellgram.cli.system_errors import discard_output


def leave_threads(status: int = 0) -> None:
    """End the process at once if threads of it still work; else return.

    Python would wait for them, however long they take, or stop them where they ask for its lock,
    which ends the process by SIGABRT within C++. For a command that has nothing left to write.
    """
    if threading.active_count() == 1:
        return
    discard_output()
    sys.stderr.flush()
    os._exit(status)
