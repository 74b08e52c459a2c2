"""The page of a map, and what it asks for, as a web application."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from wellgram.browse.security_headers import Application, Guarded
from wellgram.errors import InputError
from wellgram.io.read_errors import needed
from wellgram.pairs import MapLookup, PerturbationNeighbors
from wellgram.spreadsheets import without_formulas

if TYPE_CHECKING:
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
_LONGEST_TEXT = 200
"""How many characters of a name are looked for"""
_LONGEST_NAME = 200
"""How many characters of a name are shown; the table to download has all of them"""


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


def application(lookup: MapLookup, title: str, host: str = "127.0.0.1") -> Application:
    """Return the page of a map as an ASGI application.

    ``/suggest?text=`` and ``/neighbors/ROW?k=`` answer in JSON what `MapLookup` finds, and
    ``/neighbors/ROW.csv?k=`` is the table to download. On a loopback host, requests that name
    another host are refused: a page of somewhere else, whose name was made to point here, must not
    read the map. Long requests are refused, and long names are cut where they are shown. In the
    table to download names are whole, and those that a spreadsheet would take for formulas have an
    apostrophe before them.

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
        return lambda _: Response(text, media_type=kind)

    def about(_: "Request") -> Response:
        return JSONResponse({"title": _shown(title), "rows": len(lookup)})

    def suggest(request: "Request") -> Response:
        text = request.query_params.get("text", "")
        if len(text) > _LONGEST_TEXT:
            raise InputError(f"names are looked up by at most {_LONGEST_TEXT} characters")
        rows = lookup.suggest(text)["row"].tolist()
        return JSONResponse([{"row": row, "name": _shown(lookup.name(row))} for row in rows])

    def neighbors(request: "Request") -> Response:
        found = _asked(lookup, request)
        names = [_shown(lookup.name(row)) for row in found.table["row"]]
        records = found.table.assign(name=names)
        return JSONResponse(
            {
                "name": _shown(found.name),
                "row": found.row,
                "partners": len(lookup) - 1,
                "neighbors": [
                    {key: record[key] for key in ("side", "rank", "row", "name", "cosine",
                                                  "percentile")}
                    for record in records.astype({"cosine": float}).to_dict("records")
                ],
            }
        )  # fmt: skip

    def table(request: "Request") -> Response:
        found = _asked(lookup, request)
        name = f'attachment; filename="neighbors-{found.row}.csv"'
        text = without_formulas(found.table).to_csv(index=False)
        return Response(text, media_type="text/csv", headers={"Content-Disposition": name})

    def refused(_: "Request", problem: Exception) -> Response:
        return JSONResponse({"error": _shown(str(problem))}, 400)

    named = [host, "localhost", "127.0.0.1", "::1", "[::1]"] if is_loopback(host) else ["*"]
    page = Starlette(
        routes=[
            *(
                Route(path, static(kind, path.strip("/") or "page.html"))
                for path, kind in _FILES.items()
            ),
            Route("/map", about),
            Route("/suggest", suggest),
            Route("/neighbors/{row}.csv", table),
            Route("/neighbors/{row}", neighbors),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=named, www_redirect=False)],
        exception_handlers={InputError: refused},
    )
    return Guarded(page)


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


def _shown(text: str) -> str:
    """Return a text as the page shows it: not too long, and as UTF-8 can have it."""
    cut = text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}\N{HORIZONTAL ELLIPSIS}"
    return cut.encode("utf-8", "replace").decode()


def _number(text: str) -> int | None:
    """Return the whole number that a text is; None if it is none, or too long to be read."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
