"""The page of a map, served in a thread."""

import socket
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
