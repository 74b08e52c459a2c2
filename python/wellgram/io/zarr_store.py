"""A Zarr store whose metadata are checked as they are read, before Zarr makes codecs of them."""

import json
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from zarr.abc.store import ByteRequest, Store
from zarr.api.asynchronous import open as open_node
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, LocalStore, MemoryStore, WrapperStore

from wellgram.io.places import Place, Remote
from wellgram.io.read_errors import first_line
from wellgram.io.zarr_codecs import HARMLESS, check_codecs
from wellgram.io.zarr_text_counts import with_counts_checked


class CheckedStore(WrapperStore[Store]):
    """A store that keeps back metadata which name a codec that is not allowed, or are damaged.

    Every door to bytes is here. So what is checked is what Zarr reads, in consolidated metadata
    too, and no file is asked for twice. Zarr reads many files at a time, and an error in one of
    its tasks leaves tracebacks of the others behind. So Zarr gets harmless metadata instead, and
    the error is raised by `refusing`.
    """

    def __init__(self, store: Store, name: str = "the Zarr store") -> None:
        super().__init__(store)
        self._name = name
        self._problem: Exception | None = None

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Raise at the end what was wrong with metadata, whatever followed from it."""
        try:
            yield
        finally:
            if self._problem is not None:
                raise self._problem

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return the bytes of a key."""
        value = await self._store.get(key, prototype, byte_range)
        return await self._checked(key, prototype, value)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return ranges of the bytes of keys."""
        asked = list(key_ranges)
        values = await self._store.get_partial_values(prototype, asked)
        pairs = zip(asked, values, strict=True)
        return [await self._checked(key, prototype, value) for (key, _), value in pairs]

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, byte_range in requests:
            yield key, await self.get(key, prototype, byte_range)

    async def _checked(
        self, key: str, prototype: BufferPrototype, value: Buffer | None
    ) -> Buffer | None:
        name = key.rpartition("/")[2]
        if value is None or name not in HARMLESS:
            return value
        try:
            check_codecs(key, value.to_bytes(), self._name)
            await _check_node(name, value)
        except ValueError as problem:
            self._problem = self._problem or problem
            return prototype.buffer.from_bytes(HARMLESS[name])
        checked = with_counts_checked(json.loads(value.to_bytes()))
        return prototype.buffer.from_bytes(json.dumps(checked).encode())


async def _check_node(name: str, content: Buffer) -> None:
    """Raise a ValueError if Zarr makes no array or group of metadata, which it is given alone."""
    beside = {".zgroup": b'{"zarr_format": 2}'} if name == ".zmetadata" else {}
    alone = {file: type(content).from_bytes(data) for file, data in beside.items()}
    try:
        await open_node(store=MemoryStore(alone | {name: content}), mode="r")
    except Warning:  # where warnings are errors: it is heard of when the store is read
        return
    except Exception as problem:  # whatever Zarr and numcodecs raise of damage
        raise ValueError(first_line(problem)) from problem


def open_store(place: Place) -> CheckedStore:
    """Return the store of a folder, here or at a URL, to be read."""
    store: Any
    if isinstance(place, Remote):
        store = FsspecStore.from_url(place.url, read_only=True)
    else:
        store = LocalStore(place, read_only=True)
    return CheckedStore(store, place.name)
