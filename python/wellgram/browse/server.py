"""The page of a map, and what it asks for, as a web application."""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from wellgram.browse.answers import (
    comparison_answer,
    comparison_table,
    features_answer,
    meaning,
    neighbors_answer,
    neighbors_table,
    suggestions,
)
from wellgram.browse.browsed_map import BrowsedMap, shown
from wellgram.browse.feature_differences import FeatureDifferences
from wellgram.browse.questions import count_asked, row_asked, text_asked, type_asked
from wellgram.browse.security_headers import Application, Guarded
from wellgram.browse.two_perturbations import Comparison, compare
from wellgram.errors import InputError
from wellgram.io.read_errors import needed
from wellgram.pairs import MapLookup, PerturbationNeighbors
from wellgram.spreadsheets import without_formulas
from wellgram.wells import Wells

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_REMEMBERED = 8
"""Look-ups that are kept: a table is shown, downloaded and compared"""
_WEB = Path(__file__).parent / "web"
_FILES = {
    "/": (_WEB / "page.html", "text/html"),
    "/style.css": (_WEB / "style.css", "text/css"),
    **{f"/{script.name}": (script, "text/javascript") for script in _WEB.glob("*.js")},
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


def application(
    lookup: MapLookup,
    title: str,
    host: str = "127.0.0.1",
    *,
    sources: Mapping[str, pd.DataFrame] | None = None,
    wells: Wells | None = None,
    plate: str | None = None,
) -> Application:
    """Return the page of a map as an ASGI application.

    ``/suggest?text=`` and ``/find?text=`` answer in JSON what a text may mean and what it does,
    ``/neighbors/ROW?k=`` what `MapLookup` finds, ``/compare/ROW/ROW?k=`` how two rows are alike and
    ``/features/ROW`` how wells differ from controls; with ``.csv`` the last three are tables to
    download, named by perturbations. ``type=`` leaves perturbations of one type. ``/points`` is
    the map in the plane. On a loopback host, requests that name another host are refused: a page of
    somewhere else, whose name was made to point here, must not read the map. Long requests are
    refused, and long names are cut where they are shown. In the tables to download names are
    whole, and those that a spreadsheet would take for formulas have an apostrophe before them.

    Parameters
    ----------
    lookup
        The map.
    title
        What the page calls it.
    host
        Where it will be served.
    sources
        Known pairs by the name of their source, which are marked.
    wells
        What the map was made of: their features are compared with controls of the same plates.
    plate
        The column of the plate in the metadata of the wells; None: batches are plates.

    Raises
    ------
    InputError
        If a package is not there, or the wells are not those of the map.
    """
    check_packages()
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    browsed = BrowsedMap(lookup, sources or {}, wells, plate)

    def static(file: Path, kind: str) -> "Callable[[Request], Response]":
        text = file.read_bytes()
        return lambda _: Response(text, media_type=kind)

    def about(_: "Request") -> Response:
        return JSONResponse({"title": shown(title), "rows": len(lookup)})

    def choices(_: "Request") -> Response:
        return JSONResponse(
            {
                "types": [shown(kind) for kind in lookup.types],
                "examples": browsed.examples(),
                "sources": [shown(source) for source in browsed.known.sources],
                "wells": browsed.wells is not None,
            }
        )

    def suggest(request: "Request") -> Response:
        text, kind = text_asked(request), type_asked(lookup, request)
        return JSONResponse(suggestions(browsed, text, kind))

    def find(request: "Request") -> Response:
        text, kind = text_asked(request), type_asked(lookup, request)
        return JSONResponse(meaning(browsed, text, kind))

    def row(request: "Request") -> Response:
        return JSONResponse(browsed.named(row_asked(lookup, request)))

    def points(_: "Request") -> Response:
        return Response(browsed.points.encoded(), media_type="application/octet-stream")

    @lru_cache(maxsize=_REMEMBERED)
    def looked_up(row: int, k: int, kind: str | None) -> PerturbationNeighbors:
        return lookup.neighbors_of(row, k, perturbation_type=kind)

    def near(request: "Request", part: str = "row") -> PerturbationNeighbors:
        row = row_asked(lookup, request, part)
        return looked_up(row, count_asked(request), type_asked(lookup, request))

    def neighbors(request: "Request") -> Response:
        table = near(request)
        partners = len(lookup.partners(table.row, type_asked(lookup, request)))
        return JSONResponse(neighbors_answer(browsed, table, partners))

    def neighbors_csv(request: "Request") -> Response:
        table = near(request)
        return download(neighbors_table(browsed, table), "neighbors", table.row)

    def compared(request: "Request") -> Comparison:
        return compare(near(request), near(request, "other"))

    def comparison(request: "Request") -> Response:
        return JSONResponse(comparison_answer(browsed, compared(request)))

    def comparison_csv(request: "Request") -> Response:
        pair = compared(request)
        return download(comparison_table(browsed, pair), "shared", pair.first.row, pair.second.row)

    def differences(request: "Request") -> tuple[int, FeatureDifferences]:
        chosen = row_asked(lookup, request)
        if browsed.wells is None:
            raise InputError("the page was served without wells: name them with --wells")
        return chosen, browsed.wells.differences(chosen)

    def features(request: "Request") -> Response:
        return JSONResponse(features_answer(browsed, *differences(request)))

    def features_csv(request: "Request") -> Response:
        chosen, of_wells = differences(request)
        return download(of_wells.table, "features", chosen)

    def download(table: pd.DataFrame, what: str, *rows: int) -> Response:
        name = f'attachment; filename="{browsed.file_name(what, *rows)}"'
        text = without_formulas(table).to_csv(index=False)
        return Response(text, media_type="text/csv", headers={"Content-Disposition": name})

    def refused(_: "Request", problem: Exception) -> Response:
        return JSONResponse({"error": shown(str(problem))}, 400)

    answers: dict[str, Any] = {
        "/map": about, "/choices": choices, "/suggest": suggest, "/find": find,
        "/points": points, "/row/{row}": row,
        "/neighbors/{row}.csv": neighbors_csv, "/neighbors/{row}": neighbors,
        "/compare/{row}/{other}.csv": comparison_csv, "/compare/{row}/{other}": comparison,
        "/features/{row}.csv": features_csv, "/features/{row}": features,
    }  # fmt: skip
    named = [host, "localhost", "127.0.0.1", "::1", "[::1]"] if is_loopback(host) else ["*"]
    page = Starlette(
        routes=[
            *(Route(path, static(*file)) for path, file in _FILES.items()),
            *(Route(path, answer) for path, answer in answers.items()),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=named, www_redirect=False)],
        exception_handlers={InputError: refused},
    )
    return Guarded(page)
