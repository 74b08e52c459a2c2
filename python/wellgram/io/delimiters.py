"""What separates the columns of delimited text, told by its first line, or else by its first rows.

Names of files say little: instruments and LINCS write tabs into ``.txt``, and spreadsheets of much
of the world semicolons into ``.csv``.
"""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass

from wellgram.errors import InputError
from wellgram.io.text_encodings import check_beginning, check_text

_DELIMITERS = {",": "a comma", "\t": "a tab", ";": "a semicolon"}
_SAMPLE_BYTES = 1 << 20
_ROWS_LENGTH = 1 << 16
"""Of the first rows that are looked at, in letters"""
_QUOTED = re.compile(r'"[^"]*"')
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Dialect:
    """How a file of delimited text is written."""

    delimiter: str
    encoding: str
    line_bytes: int
    """Of the longer of its first two lines: the header, or a row"""


def beginning_of(read: Callable[[int], bytes]) -> tuple[bytes, bool]:
    """Return the beginning of a file, two lines at least, and whether it is all of it.

    `read` returns the next bytes of the file, none at its end.
    """
    sample = b""
    while len(sample) < _SAMPLE_BYTES or max(map(sample.count, (b"\n", b"\r"))) < 2:
        more = read(_SAMPLE_BYTES)
        if not more:
            return sample, True
        sample += more
    return sample, False


def dialect_of(sample: bytes, is_whole: bool, usual: str, name: str, encoding: str) -> Dialect:
    """Return how a file is written, from its beginning.

    Parameters
    ----------
    sample, is_whole
        What `beginning_of` returns.
    usual
        The delimiter that the name of the file stands for, which is taken where none is there.
    name
        What messages call the file.
    encoding
        What its text is in.

    Raises
    ------
    InputError
        If several delimiters are as likely, or names of columns are not text.
    """
    what = f"the names of columns in {name} are"
    check_beginning(sample, encoding, what)
    text = sample.decode(encoding, errors="replace").lstrip("\ufeff\r\n")
    lines = _LINE_END.split(text, maxsplit=2)[:2]
    if "\ufffd" in lines[0]:
        check_text(io.BytesIO(sample).read, encoding, what)
    longest = max(len(line.encode()) for line in lines)
    first_rows = text[: max(_ROWS_LENGTH, 4 * longest)]
    if not is_whole or len(first_rows) < len(text):
        first_rows = first_rows[: max(first_rows.rfind("\n"), first_rows.rfind("\r"))]
    return Dialect(_delimiter(lines[0], first_rows, usual, name), encoding, longest)


def _delimiter(header: str, first_rows: str, usual: str, name: str) -> str:
    plain = _QUOTED.sub("", header)
    present = [delimiter for delimiter in _DELIMITERS if delimiter in plain]
    if len(present) < 2:
        return present[0] if present else usual
    fitting = [delimiter for delimiter in present if _is_table(first_rows, delimiter)]
    if len(fitting) == 1:
        return fitting[0]
    # Rows that no delimiter fits are an error with their number, where they are parsed.
    if usual in present and (not fitting or usual == "\t"):
        return usual
    several = " or ".join(_DELIMITERS[delimiter] for delimiter in fitting or present)
    raise InputError(
        f"whether {several} separates the columns of {name} cannot be told: its first line is "
        f"{header[:60]!r}; put names and values that hold one of them into quotes"
    )


def _is_table(first_rows: str, delimiter: str) -> bool:
    """Whether the first rows have as many values as the first line has names."""
    try:
        rows = list(csv.reader(io.StringIO(first_rows, newline=""), delimiter=delimiter))
    except csv.Error:  # a value of more than 128 kB, say
        return False
    return len({len(row) for row in rows if row}) == 1
