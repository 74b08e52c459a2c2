"""Connections to the page: few, and closed where the other side is slow.

The module is imported when a page is served, since it needs uvicorn.
"""

import asyncio
import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from wellgram.browse.security_headers import HEADERS

MOST_CONNECTIONS = 256
"""More are told to come back; a browser opens six"""
SECONDS_TO_ASK = 5.0
"""Until a request has come whole"""
SECONDS_TO_TAKE = 30.0
"""Until a client that stopped reading an answer must read on"""


class BoundedConnection(H11Protocol):
    """A connection that is closed where a request stays half sent or an answer is not taken."""

    _asking: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take a connection in, or tell it to come back where there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._answer_and_close(
                "503 Service Unavailable", "too many connections: ask again in a few seconds",
                f"Retry-After: {SECONDS_TO_ASK:.0f}",
            )  # fmt: skip
        else:
            self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its time limits."""
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the time limit runs until the whole request has come."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._wait_for_request()
        else:
            self._stop_waiting()

    def pause_writing(self) -> None:
        """Give a client that does not read its answer some time to read on."""
        super().pause_writing()
        self._taking = self.loop.call_later(SECONDS_TO_TAKE, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with an answer that is read again."""
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
        super().resume_writing()

    def shutdown(self) -> None:
        """End at once, whatever the client was doing."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, with the headers of every answer."""
        self._answer_and_close("400 Bad Request", msg)

    def _wait_for_request(self) -> None:
        if self._asking is None:
            self._asking = self.loop.call_later(SECONDS_TO_ASK, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _answer_and_close(self, status: str, message: str, *more: str) -> None:
        self._stop_waiting()
        body = json.dumps({"error": message}).encode()  # as the page reads errors
        lines = [
            f"HTTP/1.1 {status}", "Connection: close", "Content-Type: application/json",
            f"Content-Length: {len(body)}", *more,
            *(f"{name}: {value}" for name, value in HEADERS.items()),
        ]  # fmt: skip
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
