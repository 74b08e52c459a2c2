"""Which encoding the text of a file is in, and where text is not of it.

Text is UTF-8, unless a mark at its beginning or whoever reads it says otherwise. No encoding is
guessed in silence, since most of them read any bytes as some letters: a guess is advice in an
error.
"""

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wellgram.errors import InputError

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before the mark of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_LOOKED_AT = 1 << 12
"""Bytes of the beginning of a file in which zeros are looked for"""
_BLOCK_BYTES = 1 << 20
_SHOWN = 60
"""Letters of a line that messages show"""


class InvalidText(InputError):  # noqa: N818
    """Text is not of its encoding."""

    problem: str
    """The message without the advice"""


@contextmanager
def without_encoding() -> Iterator[None]:
    """Let errors about text not advise ``encoding=``: for functions that do not have it."""
    try:
        yield
    except InvalidText as error:
        raise InputError(f"{error.problem}; save the file as UTF-8") from None


def check_encoding(encoding: str | None) -> None:
    """Raise unless it is None or the name of an encoding of text.

    Raises
    ------
    InputError
        Naming the encoding.
    """
    if encoding is None:
        return
    try:
        "a".encode(encoding)
    except (LookupError, TypeError, ValueError):
        raise InputError(
            f"there is no encoding {encoding!r}; give one such as 'utf-8', 'cp1252' or 'utf-16'"
        ) from None


def encoding_of(beginning: bytes, encoding: str | None) -> str:
    """Return the encoding of a file.

    Parameters
    ----------
    beginning
        Its first bytes. A mark of byte order there says what the encoding is.
    encoding
        What it is where there is no mark; None: UTF-8.
    """
    marked = (name for mark, name in _MARKS.items() if beginning.startswith(mark))
    return next(marked, None) or codecs.lookup(encoding or "utf-8").name


def check_beginning(beginning: bytes, encoding: str, what: str) -> None:
    """Raise if text holds zeros at its beginning: then it is UTF-16 without a mark.

    Text of UTF-16 may be valid UTF-8, with a zero beside each letter.

    Parameters
    ----------
    beginning, encoding
        Of the file.
    what
        What messages say is not text, such as ``"p.csv is"``.

    Raises
    ------
    InputError
        Naming the file and the likely encoding.
    """
    if not encoding.startswith("utf-16") and not encoding.startswith("utf-32"):
        likely = _with_zeros(beginning)
        if likely is not None:
            raise _not_text(what, 1, encoding, _first_line(beginning, likely), likely)


def check_text(read: Callable[[int], bytes], encoding: str, what: str) -> None:
    """Raise if a line is not text of an encoding.

    A file is read a block at a time, once, and no further than to that line.

    Parameters
    ----------
    read
        Returns the next bytes of the file, none at its end.
    encoding
        That of `encoding_of`.
    what
        What messages say is not text, such as ``"p.csv is"``.

    Raises
    ------
    InputError
        Naming the file, the line and the likely encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line, ends_with_return, is_plain = 1, False, True
    start_of_line = ""
    while True:
        block = read(_BLOCK_BYTES)
        state: Any = decoder.getstate()
        try:
            text, problem = decoder.decode(block, final=not block), None
        except UnicodeDecodeError as error:
            decoder.setstate(state)
            whole = max(0, error.start - len(state[0]))
            text, problem = decoder.decode(block[:whole]), error
        line += _line_ends(text) - (ends_with_return and text.startswith("\n"))
        ends_with_return = text.endswith("\r") if text else ends_with_return
        is_plain = is_plain and text.isascii()
        start_of_line = (start_of_line + text).replace("\r", "\n").rpartition("\n")[2][-_SHOWN:]
        if problem is not None:
            rest = problem.object[problem.start :].splitlines()[0][:_SHOWN]
            # Where other letters beyond ASCII were text, a file is damaged, not of one more kind.
            likely = _likely(rest) if is_plain and encoding == "utf-8" else None
            shown = start_of_line + rest.decode(likely or encoding, "backslashreplace")
            raise _not_text(what, line, encoding, shown, likely)
        if not block:
            return


def _first_line(text: bytes, encoding: str) -> str:
    return (text[:_LOOKED_AT].decode(encoding, "replace").splitlines() or [""])[0]


def _line_ends(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _with_zeros(text: bytes) -> str | None:
    """Return the encoding of text of which every other byte is a zero, as far as it is ASCII."""
    text = text[:_LOOKED_AT]
    even, odd = text[::2].count(0), text[1::2].count(0)
    if not text or 8 * max(even, odd) < len(text) or 8 * min(even, odd) > max(even, odd):
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _likely(text: bytes) -> str | None:
    """Return the encoding that text is likely in that is no UTF-8: that of Windows, or none."""
    try:
        letters = text.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return "cp1252" if letters.replace("\t", " ").isprintable() else None


def _not_text(what: str, line: int, encoding: str, text: str, likely: str | None) -> InvalidText:
    plain = text[:_SHOWN].replace("\t", " ")
    shown = "".join(c if c.isprintable() else "?" for c in plain)
    looks = "" if likely is None else f" but, by the looks of it, of {likely}"
    advice = f"encoding={likely!r}" if likely is not None else "encoding="
    problem = f"{what} not text of {encoding.upper()}{looks} (line {line}: {shown!r})"
    error = InvalidText(f"{problem}; save the file as UTF-8, or name its encoding ({advice})")
    error.problem = problem
    return error
