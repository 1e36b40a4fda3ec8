"""A store as it is seen through a mount that keeps what it knows for a while, in imagined time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.ports import Entry, Journal
from tests.fakes.memory_store import MemoryStore


class SlowView:
    """Writes are seen by all at once; what a listing or a read has shown is shown again for so many seconds."""

    def __init__(self, kept: MemoryStore, seconds: float) -> None:
        self._kept, self._seconds = kept, seconds
        self._listed: dict[str, tuple[float, Sequence[Entry]]] = {}
        self._read: dict[str, tuple[float, bytes | None]] = {}

    async def create(self, key: str, data: bytes) -> bool:
        """Put if absent: the server decides."""
        return await self._kept.create(key, data)

    async def replace(self, key: str, data: bytes) -> None:
        """Put."""
        await self._kept.replace(key, data)

    async def read(self, key: str) -> bytes | None:
        """As it was."""
        now = asyncio.get_running_loop().time()
        if key not in self._read or now - self._read[key][0] >= self._seconds:
            self._read[key] = now, await self._kept.read(key)
        return self._read[key][1]

    async def list(self, prefix: str) -> Sequence[Entry]:
        """As it was."""
        now = asyncio.get_running_loop().time()
        if prefix not in self._listed or now - self._listed[prefix][0] >= self._seconds:
            self._listed[prefix] = now, await self._kept.list(prefix)
        return self._listed[prefix][1]

    async def delete(self, prefix: str) -> int:
        """Remove."""
        return await self._kept.delete(prefix)

    def journal(self, prefix: str) -> Journal:
        """A journal."""
        return self._kept.journal(prefix)
