"""A local page to look perturbations up in a map: `wellgram browse`."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from wellgram.browse.security_headers import Application
from wellgram.browse.server import application, check_packages, is_loopback
from wellgram.errors import InputError

__all__ = ["application", "check_packages", "is_loopback", "serve"]


def serve(
    page: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    ready: Callable[[str], Any] = print,
) -> None:
    """Serve the page of a map until Ctrl-C.

    Requests are short, and must come whole within seconds. Connections beyond 256 are told to come
    back. Ctrl-C waits for no client. Threads that look something up then go on to their end, and
    Python waits for them before the process ends.

    Parameters
    ----------
    page
        What `application` returns for the same host.
    host, port
        Where; a port of 0 is any that is free.
    ready
        Called with the address of the page when it can be asked for.

    Raises
    ------
    InputError
        If host and port cannot be had.
    """
    from wellgram.browse.bounded_server import BoundedServer

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as problem:
        raise InputError(
            f"cannot serve on {host}, port {port}: {problem}; choose another (--port), or 0 for "
            "any that is free"
        ) from None
    with bound, suppress(KeyboardInterrupt):
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        ready(f"http://{shown}:{bound.getsockname()[1]}/")
        BoundedServer(page).run(sockets=[bound])
