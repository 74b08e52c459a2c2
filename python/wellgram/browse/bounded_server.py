"""The server of the page: few questions at once, and an end that waits for no client.

The module is imported when a page is served, since it needs uvicorn.
"""

import logging
import socket

import uvicorn
from anyio.to_thread import current_default_thread_limiter

from wellgram.browse.bounded_connection import BoundedConnection
from wellgram.browse.security_headers import LONGEST_HEAD, Application

QUESTIONS_AT_ONCE = 2
"""Others wait; each takes memory for the cosines of a whole map"""


class BoundedServer(uvicorn.Server):
    """A server whose work is bounded, whoever asks, and that Ctrl-C ends at once."""

    def __init__(self, page: Application) -> None:
        super().__init__(
            uvicorn.Config(
                page, log_level="error", access_log=False, lifespan="off", server_header=False,
                timeout_graceful_shutdown=0, http=BoundedConnection, ws="none",
                h11_max_incomplete_event_size=LONGEST_HEAD,
            )
        )  # fmt: skip

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        current_default_thread_limiter().total_tokens = QUESTIONS_AT_ONCE
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: answers that are cut off are no faults to report."""
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)
