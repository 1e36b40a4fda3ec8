"""Unknown outcomes made definite: every operation is repeated until the store has answered.

A create is repeated with identical bytes; "exists" is read back, and equal means mine (all values hold a nonce). It
must not know what the values are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from attrs import frozen

from pipeline.errors import StoreUnavailable
from pipeline.ports import Clock, Entry, Journal, Store

T = TypeVar("T")


@frozen
class CertainStore:
    """A store whose answers are definite: it waits out outages."""

    store: Store
    clock: Clock
    retry_seconds: float = 0.2
    patience_seconds: float = float("inf")
    """An outage that lasts longer is raised: then the run stays open, for the same command to go on with."""
    tell: Callable[[StoreUnavailable], None] = lambda error: None
    """Called when a call meets an outage for the first time."""

    async def create(self, key: str, data: bytes) -> bool:
        """Whether the value that stands at `key` is this one, now or from an earlier try."""
        if await self._until_definite(lambda: self.store.create(key, data)):
            return True
        return is_mine(await self.read(key), data)

    async def read(self, key: str) -> bytes | None:
        """The value, or None."""
        return await self._until_definite(lambda: self.store.read(key))

    async def list(self, prefix: str) -> Sequence[Entry]:
        """Keys below `prefix`."""
        return await self._until_definite(lambda: self.store.list(prefix))

    async def delete(self, prefix: str) -> int:
        """Remove keys below `prefix`."""
        return await self._until_definite(lambda: self.store.delete(prefix))

    async def seal(self, prefix: str) -> str:
        """Seal the journal at `prefix`."""
        return await self._until_definite(lambda: self.store.journal(prefix).seal())

    async def records(self, prefix: str, upto: str | None) -> Sequence[bytes]:
        """Records of the journal at `prefix`."""
        return await self._until_definite(lambda: self.store.journal(prefix).read(upto))

    async def records_from(self, prefix: str, position: str) -> tuple[Sequence[bytes], str]:
        """Records of the journal at `prefix` behind a position, and the next position."""
        return await self._until_definite(lambda: self.store.journal(prefix).read_from(position))

    async def late(self, prefix: str) -> int:
        """How many records came after the seal of the journal at `prefix`."""
        return await self._until_definite(lambda: self.store.journal(prefix).late())

    async def flush(self, journal: Journal) -> None:
        """Flush a journal; raises `Fenced`."""
        await self._until_definite(journal.flush)

    async def _until_definite(self, call: Callable[[], Awaitable[T]]) -> T:
        since: float | None = None
        while True:
            try:
                return await call()
            except StoreUnavailable as error:
                now = self.clock.monotonic()
                if since is None:
                    since = now
                    self.tell(error)
                if now - since >= self.patience_seconds:
                    raise
                await self.clock.sleep(self.retry_seconds)


def is_mine(found: bytes | None, sent: bytes) -> bool:
    """Whether what stands is what was sent: a create whose answer was lost had succeeded."""
    return found == sent
