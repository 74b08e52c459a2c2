"""What a request asks for: rows, how many, of which type."""

from typing import TYPE_CHECKING

from wellgram.errors import InputError
from wellgram.pairs import MapLookup

if TYPE_CHECKING:
    from starlette.requests import Request

_MOST = 10_000
"""Up to how many neighbors of each side are sent"""
_DIGITS = 18
"""Of the largest number that is read"""
_SHOWN = 40
"""How many characters of what was asked for are told back"""
_LONGEST_TEXT = 200
"""How many characters of a name are looked for"""


def row_asked(lookup: MapLookup, request: "Request", part: str = "row") -> int:
    """Return a row that the path names; raise unless the map has it."""
    asked = request.path_params[part]
    row = _number(asked)
    if row is None or row >= len(lookup):
        named = repr(asked[:_SHOWN]) if row is None else row
        raise InputError(f"the map has no row {named}: its rows are 0 to {len(lookup) - 1}")
    return row


def count_asked(request: "Request") -> int:
    """Return how many neighbors are asked for, 25 if nothing is said."""
    text: str = request.query_params.get("k", "25")
    k = _number(text)
    if k is None or not 1 <= k <= _MOST:
        raise InputError(f"k must be a whole number from 1 to {_MOST:,}, not {text[:_SHOWN]!r}")
    return k


def text_asked(request: "Request") -> str:
    """Return what somebody typed."""
    text: str = request.query_params.get("text", "")
    if len(text) > _LONGEST_TEXT:
        raise InputError(f"names are looked up by at most {_LONGEST_TEXT} characters")
    return text


def type_asked(lookup: MapLookup, request: "Request") -> str | None:
    """Return the type of perturbations that is asked for; None for all."""
    text: str = request.query_params.get("type", "")
    if text and text not in lookup.types:
        types = ", ".join(map(repr, lookup.types)) or "no types"
        raise InputError(f"the map has no type {text[:_SHOWN]!r}; it has {types}")
    return text or None


def _number(text: str) -> int | None:
    """Return the whole number that a text is; None if it is none, or too long to be read."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None
