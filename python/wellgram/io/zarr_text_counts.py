"""Text of variable length in Zarr: how many texts a chunk says it holds is checked before use.

A chunk begins with that count, and Zarr asks for memory for as many at once. A damaged count asks
for all there is. So a codec of ours stands before the one that makes text: it looks at the count.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numcodecs
from zarr.abc.codec import BytesBytesCodec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer
from zarr.registry import register_codec

NAME = "wellgram.text_count"
_COUNT = struct.Struct("<I")
"""At the start of a chunk, and before each text, for its length"""
_TEXTS = ("vlen-utf8", "vlen-bytes")


def check_count(chunk: bytes | memoryview) -> None:
    """Raise a ValueError if a chunk is too short for the texts that it says it holds."""
    if len(chunk) < _COUNT.size:
        raise ValueError("a chunk of its text is damaged: it is too short")
    (count,) = _COUNT.unpack_from(chunk)
    room = len(chunk) // _COUNT.size - 1
    if count > room:
        raise ValueError(
            f"a chunk of its text is damaged: it says that it holds {count:,} texts, and has room "
            f"for {room:,}"
        )


def with_counts_checked(document: Any) -> Any:
    """Return metadata of Zarr in which our codec follows each codec that makes text."""
    if isinstance(document, list):
        return [with_counts_checked(part) for part in document]
    if not isinstance(document, dict):
        return document
    checked = {key: with_counts_checked(value) for key, value in document.items()}
    for key in ("codecs", "filters"):  # of Zarr 3, of Zarr 2
        if isinstance(checked.get(key), list):
            checked[key] = [part for codec in checked[key] for part in (codec, *_check_of(codec))]
    return checked


def _check_of(codec: Any) -> list[dict[str, str]]:
    """Return our codec if this one makes text, else nothing."""
    for key in ("name", "id"):  # of Zarr 3, of Zarr 2
        if isinstance(codec, dict) and codec.get(key) in _TEXTS:
            return [{key: NAME}]
    return [{"name": NAME}] if isinstance(codec, str) and codec in _TEXTS else []


@dataclass(frozen=True)
class TextCount(BytesBytesCodec):
    """The codec of Zarr 3 that checks the count and changes nothing."""

    is_fixed_size = True

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "TextCount":
        """Return it: it has no parameters."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """Return what metadata say of it."""
        return {"name": NAME}

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        check_count(memoryview(chunk_bytes.as_numpy_array()))
        return chunk_bytes

    async def _encode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        return chunk_bytes

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Return the number of bytes, which stays."""
        return input_byte_length


class FilterOfTextCounts(numcodecs.abc.Codec):
    """The filter of Zarr 2 that checks the count and changes nothing."""

    codec_id = NAME

    def encode(self, buf: Any) -> Any:
        """Return the bytes as they are."""
        return buf

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Return the bytes as they are, once their count is checked."""
        check_count(memoryview(buf).cast("B"))
        return buf


register_codec(NAME, TextCount)
numcodecs.register_codec(FilterOfTextCounts)
