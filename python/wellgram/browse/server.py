"""The page of a map, and what it asks for, as a web application."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wellgram.errors import InputError
from wellgram.io.read_errors import needed
from wellgram.pairs import MapLookup, PerturbationNeighbors

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_HERE = Path(__file__).parent
_FILES = {"/": "text/html", "/page.js": "text/javascript", "/style.css": "text/css"}
_MOST = 10_000
"""Up to how many neighbors of each side are sent"""
_DIGITS = 18
"""Of the largest number that is read"""
_SHOWN = 40
"""How many characters of what was asked for are told back"""
_HEADERS = {
    # Nothing but the page's own files; labels of a map are never obeyed.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def check_packages() -> None:
    """Raise, naming the extra, unless the packages that serve pages are there."""
    for package in ("starlette", "uvicorn"):
        needed(package, "browse", "wellgram browse")


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def application(lookup: MapLookup, title: str, host: str = "127.0.0.1") -> "Starlette":
    """Return the page of a map as an ASGI application.

    ``/suggest?text=`` and ``/neighbors/ROW?k=`` answer in JSON what `MapLookup` finds, and
    ``/neighbors/ROW.csv?k=`` is the table to download. On a loopback host, requests that name
    another host are refused: a page of somewhere else, whose name was made to point here, must not
    read the map.

    Parameters
    ----------
    lookup
        The map.
    title
        What the page calls it.
    host
        Where it will be served.
    """
    check_packages()
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    def static(kind: str, name: str) -> "Callable[[Request], Response]":
        text = (_HERE / name).read_bytes()
        return lambda _: Response(text, media_type=kind, headers=_HEADERS)

    def about(_: "Request") -> Response:
        return JSONResponse({"title": title, "rows": len(lookup)}, headers=_HEADERS)

    def suggest(request: "Request") -> Response:
        found = lookup.suggest(request.query_params.get("text", ""))
        return Response(found.to_json(orient="records"), media_type="application/json",
                        headers=_HEADERS)  # fmt: skip

    def shown(request: "Request") -> Response:
        found = _asked(lookup, request)
        records = found.table.assign(name=[lookup.name(row) for row in found.table["row"]])
        return JSONResponse(
            {
                "name": found.name,
                "row": found.row,
                "partners": len(lookup) - 1,
                "neighbors": [
                    {key: record[key] for key in ("side", "rank", "row", "name", "cosine",
                                                  "percentile")}
                    for record in records.astype({"cosine": float}).to_dict("records")
                ],
            },
            headers=_HEADERS,
        )  # fmt: skip

    def table(request: "Request") -> Response:
        found = _asked(lookup, request)
        name = f'attachment; filename="neighbors-{found.row}.csv"'
        return Response(found.table.to_csv(index=False), media_type="text/csv",
                        headers={**_HEADERS, "Content-Disposition": name})  # fmt: skip

    def refused(_: "Request", problem: Exception) -> Response:
        return JSONResponse({"error": str(problem)}, 400, headers=_HEADERS)

    named = [host, "localhost", "127.0.0.1", "::1", "[::1]"] if is_loopback(host) else ["*"]
    return Starlette(
        routes=[
            *(
                Route(path, static(kind, path.strip("/") or "page.html"))
                for path, kind in _FILES.items()
            ),
            Route("/map", about),
            Route("/suggest", suggest),
            Route("/neighbors/{row}.csv", table),
            Route("/neighbors/{row}", shown),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=named, www_redirect=False)],
        exception_handlers={InputError: refused},
    )


def _asked(lookup: MapLookup, request: "Request") -> PerturbationNeighbors:
    row = _number(request.path_params["row"])
    if row is None:
        shown = request.path_params["row"][:_SHOWN]
        raise InputError(f"the map has no row {shown!r}: its rows are 0 to {len(lookup) - 1}")
    text = request.query_params.get("k", "25")
    k = _number(text)
    if k is None or not 1 <= k <= _MOST:
        raise InputError(f"k must be a whole number from 1 to {_MOST:,}, not {text[:_SHOWN]!r}")
    return lookup.neighbors_of(row, k)


def _number(text: str) -> int | None:
    """Return the whole number that a text is; None if it is none, or too long to be read."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
