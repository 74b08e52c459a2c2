"""A Zarr store whose metadata are checked as they are read, before Zarr makes codecs of them."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from zarr.abc.store import ByteRequest, Store
from zarr.core.buffer import Buffer, BufferPrototype
from zarr.storage import FsspecStore, LocalStore, WrapperStore

from wellgram.io.places import Place, Remote
from wellgram.io.zarr_codecs import HARMLESS, check_codecs


class CheckedStore(WrapperStore[Store]):
    """A store that keeps back metadata which name a codec that is not allowed.

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
        return self._checked(key, prototype, await self._store.get(key, prototype, byte_range))

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return ranges of the bytes of keys."""
        asked = list(key_ranges)
        values = await self._store.get_partial_values(prototype, asked)
        pairs = zip(asked, values, strict=True)
        return [self._checked(key, prototype, value) for (key, _), value in pairs]

    async def _get_many(
        self, requests: Iterable[tuple[str, BufferPrototype, ByteRequest | None]]
    ) -> AsyncGenerator[tuple[str, Buffer | None], None]:
        for key, prototype, byte_range in requests:
            yield key, await self.get(key, prototype, byte_range)

    def _checked(self, key: str, prototype: BufferPrototype, value: Buffer | None) -> Buffer | None:
        harmless = HARMLESS.get(key.rpartition("/")[2])
        if value is None or harmless is None:
            return value
        try:
            check_codecs(key, value.to_bytes(), self._name)
        except ValueError as problem:
            self._problem = self._problem or problem
            return prototype.buffer.from_bytes(harmless)
        return value


def open_store(place: Place) -> CheckedStore:
    """Return the store of a folder, here or at a URL, to be read."""
    store: Any
    if isinstance(place, Remote):
        store = FsspecStore.from_url(place.url, read_only=True)
    else:
        store = LocalStore(place, read_only=True)
    return CheckedStore(store, place.name)
