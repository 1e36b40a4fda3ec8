"""The store of addresses such as `copy:///var/fleet`: a folder that also counts how many values were created."""

from __future__ import annotations

from collections.abc import Sequence

from extensions.plugins import load
from pipeline.ports import Entry, Journal, Store


def store(url: str) -> Store:
    """What the entry point names."""
    return CountingStore(load("stores", "file")(url.removeprefix("copy://")))


class CountingStore:
    """Another store, and a count."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.created = 0

    async def create(self, key: str, data: bytes) -> bool:
        """As the other store, counted."""
        is_new = await self._inner.create(key, data)
        self.created += is_new
        return is_new

    async def replace(self, key: str, data: bytes) -> None:
        """As the other store."""
        await self._inner.replace(key, data)

    async def read(self, key: str) -> bytes | None:
        """As the other store."""
        return await self._inner.read(key)

    async def list(self, prefix: str) -> Sequence[Entry]:
        """As the other store."""
        return await self._inner.list(prefix)

    async def delete(self, prefix: str) -> int:
        """As the other store."""
        return await self._inner.delete(prefix)

    def journal(self, prefix: str) -> Journal:
        """As the other store."""
        return self._inner.journal(prefix)
