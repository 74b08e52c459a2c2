"""Which codecs a Zarr store may name: an allow list, since a codec can be one that runs code.

The metadata of a store choose what unpacks its chunks. Numcodecs has a codec that unpickles, and
a package may register any other. Only codecs are taken here that turn bytes into numbers or text.
"""

import json
from collections.abc import Iterator
from typing import Any

from wellgram.errors import InputError
from wellgram.io.read_errors import first_line

CODECS = frozenset(
    {
        # How values lie in bytes, and how chunks lie in a shard.
        "bytes", "endian", "transpose", "sharding_indexed", "vlen-bytes", "vlen-utf8",
        # Compression.
        "blosc", "bz2", "gzip", "lz4", "lzma", "pcodec", "zfpy", "zlib", "zstd",
        # Numbers made easier to compress.
        "astype", "bitround", "categorize", "delta", "fixedscaleoffset", "packbits", "quantize",
        "shuffle",
        # Check sums.
        "adler32", "crc32", "crc32c", "fletcher32", "jenkins_lookup3",
    }
)  # fmt: skip
"""By the names that Zarr 3 has for them, those of numcodecs without ``numcodecs.``"""

HARMLESS = {
    "zarr.json": b'{"zarr_format": 3, "node_type": "group", "attributes": {}}',
    ".zarray": (
        b'{"zarr_format": 2, "shape": [0], "chunks": [1], "dtype": "|u1", "compressor": null, '
        b'"filters": null, "fill_value": 0, "order": "C"}'
    ),
    ".zmetadata": b'{"zarr_consolidated_format": 1, "metadata": {}}',
}
"""Of each file that names codecs (of nodes of Zarr 3, of arrays of Zarr 2, of all nodes of Zarr 2)
one that names none"""


def check_codecs(key: str, content: bytes, where: str) -> None:
    """Raise if a file of a Zarr store names a codec that is not allowed.

    Parameters
    ----------
    key
        The path of the file within the store; its name is one of `HARMLESS`.
    content
        Its bytes.
    where
        What messages call the store.

    Raises
    ------
    InputError
        Naming the array and the codec.
    ValueError
        If it is no JSON.
    """
    try:
        document = json.loads(content)
    except ValueError as problem:
        raise ValueError(f"{key} is no JSON ({first_line(problem)})") from problem
    for array, codec in _codecs_of(document, key.rpartition("/")[0]):
        if not isinstance(codec, str) or codec.removeprefix("numcodecs.") not in CODECS:
            raise InputError(
                f"array {array!r} of {where} is packed by the codec {codec!r}, which is not among "
                "those that are known to run no code; write the store again with one that is, "
                "such as 'zstd' or 'blosc'"
            )


def _codecs_of(document: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the codecs that metadata name, each after the path of its array."""
    if not isinstance(document, dict):
        return
    listed = [document.get("compressor"), *_listed(document.get("filters"))]
    for codec in [*listed, *_listed(document.get("codecs"))]:
        for name in _names_of(codec):
            yield path, name
    # What Zarr 2 keeps in .zmetadata, and Zarr 3 in the metadata of a group.
    for consolidated in (document, document.get("consolidated_metadata")):
        nodes = consolidated.get("metadata") if isinstance(consolidated, dict) else None
        for inner, node in nodes.items() if isinstance(nodes, dict) else ():
            if not inner.endswith(".zattrs"):
                yield from _codecs_of(node, f"{path}/{inner}".strip("/").removesuffix("/.zarray"))


def _names_of(codec: Any) -> Iterator[Any]:
    """Yield the name of a codec, and the names of those that its configuration holds."""
    if codec is None:
        return
    if not isinstance(codec, dict):
        yield codec
        return
    yield codec.get("id", codec.get("name"))
    configuration = codec.get("configuration")
    if isinstance(configuration, dict):
        for inner in ("codecs", "index_codecs"):
            for part in _listed(configuration.get(inner)):
                yield from _names_of(part)


def _listed(codecs: Any) -> list[Any]:
    return codecs if isinstance(codecs, list) else [codecs]
