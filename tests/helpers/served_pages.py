"""The page of a map, served in a thread, or by the command in a process of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager


@contextmanager
def page_at(application):
    """Yield the address of a page, which is served until the end."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def served(path, *options):
    """Start the command; return it and the address that it prints."""
    command = [sys.executable, "-m", "wellgram", "browse", str(path), "--port", "0", *options]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    printed = []
    for line in running.stdout:
        if address := re.search(r"http://[^/]*/", line):
            return running, address.group()
        printed.append(line)
    raise AssertionError("".join(printed) + running.stderr.read())
