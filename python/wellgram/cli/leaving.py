"""The end of a command that waits for none of its threads."""

import os
import sys
import threading

from wellgram.cli.system_errors import discard_output


def leave_threads() -> None:
    """End the process at once, as done, if threads of it still work; else return.

    Python would wait for them, however long they take. For a command that writes no files.
    """
    if all(
        thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()
    ):
        return
    discard_output()
    sys.stderr.flush()
    os._exit(0)
