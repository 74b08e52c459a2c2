"""Files of text, plain or compressed by gzip: their bytes, or their lines."""

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import pyarrow as pa

from wellgram.io.places import Place, Remote
from wellgram.io.read_errors import reading
from wellgram.io.text_encodings import check_beginning, check_encoding, check_text, encoding_of

_BUFFER_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_LINE_END = re.compile(r"\r\n|\r|\n")


@contextmanager
def bytes_of(place: Place) -> Iterator[Any]:
    """Yield the bytes of a file, unpacked if it is compressed, whatever its name says."""
    with ExitStack() as opened:
        raw = opened.enter_context(place.open() if isinstance(place, Remote) else place.open("rb"))
        # What fsspec opens has all that a raw stream has.
        file = opened.enter_context(io.BufferedReader(cast(io.RawIOBase, raw), _BUFFER_BYTES))
        is_gzip = file.peek(len(_GZIP)).startswith(_GZIP)
        yield opened.enter_context(pa.CompressedInputStream(file, "gzip")) if is_gzip else file


def lines_of(place: Place, encoding: str | None = None) -> list[str]:
    """Return the lines of a file of text, without their ends.

    Parameters
    ----------
    place
        The file.
    encoding
        What its text is in, where no mark at its beginning says so; None: UTF-8.

    Raises
    ------
    InputError
        If it cannot be read, or a line is not text.
    """
    check_encoding(encoding)
    with reading(repr(str(place))), bytes_of(place) as file:
        content = file.read()
    kind = encoding_of(content, encoding)
    what = f"{place.name} is"
    check_beginning(content, kind, what)
    check_text(io.BytesIO(content).read, kind, what)
    return _LINE_END.split(content.decode(kind).removeprefix("\ufeff"))
