"""What every answer carries, and the longest request that is read."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEADERS = {
    # Nothing but the page's own files; labels of a map are never obeyed.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
LONGEST_ADDRESS = 8_192
"""Bytes of a request's path and query"""
LONGEST_HEAD = 16_384
"""Bytes of a request's headers"""
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guarded:
    """An application whose every answer carries `HEADERS`, and which long requests never reach."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_RAW_HEADERS]
            await send(message)

        refusal = _too_long(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._application(scope, receive, send_with_headers)
        else:
            await _refuse(refusal, scope, receive, send_with_headers)


def _too_long(scope: Message) -> tuple[int, str] | None:
    """Return the status and the message that refuse a request that is too long."""
    address = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
    if address > LONGEST_ADDRESS:
        return 414, f"the address is too long: at most {LONGEST_ADDRESS:,} bytes are read"
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LONGEST_HEAD:
        return 431, f"the headers are too long: at most {LONGEST_HEAD:,} bytes are read"
    return None


async def _refuse(refusal: tuple[int, str], scope: Message, receive: Receive, send: Send) -> None:
    from starlette.responses import JSONResponse

    status, message = refusal
    await JSONResponse({"error": message}, status)(scope, receive, send)
