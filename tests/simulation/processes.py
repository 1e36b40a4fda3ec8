"""Simulated processes: each reaches the world through ports that can stall or be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pipeline.ports import Entry, Journal
from tests.fakes.memory_store import MemoryStore


class Gone(BaseException):
    """The process has crashed: nothing of it takes effect any more."""


class Process:
    """A process that may stall (its port calls wait, its clocks go on) or crash."""

    def __init__(self, name: str, *, offset: float = 0.0, rate: float = 1.0) -> None:
        self.name = name
        self.is_gone = False
        self.offset, self.rate = offset, rate
        self._stalled: asyncio.Event | None = None
        self._when_gone: list[object] = []

    @property
    def is_stalled(self) -> bool:
        """Whether it stands still."""
        return self._stalled is not None

    def stall(self, seconds: float) -> None:
        """Stand still for that long."""
        if self._stalled is None and not self.is_gone:
            self._stalled = asyncio.Event()
            asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        stalled, self._stalled = self._stalled, None
        if stalled is not None:
            stalled.set()

    def crash(self) -> None:
        """Be gone."""
        self.is_gone = True
        self._wake()

    async def gate(self) -> None:
        """Pass through a port."""
        while self._stalled is not None:
            await self._stalled.wait()
        self.check()

    def check(self) -> None:
        """Pass through a port that does not wait."""
        if self.is_gone:
            raise Gone(self.name)


class SimClock:
    """Time as one process sees it: own offset, own rate."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def monotonic(self) -> float:
        """Own seconds."""
        return self._process.offset + asyncio.get_running_loop().time() * self._process.rate

    def wall(self) -> float:
        """A wall clock that nobody may rely on."""
        return 1e9 + 7 * self.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Own seconds later, if the process still runs."""
        await self._process.gate()
        await asyncio.sleep(seconds / self._process.rate)
        await self._process.gate()


class SimStore:
    """The shared store through one process's port."""

    def __init__(
        self, process: Process, inner: MemoryStore, after_read: Callable[[str], None] = lambda key: None
    ) -> None:
        self._process, self._inner, self._after_read = process, inner, after_read

    async def create(self, key: str, data: bytes) -> bool:
        await self._process.gate()
        answer = await self._inner.create(key, data)
        await self._process.gate()
        return answer

    async def replace(self, key: str, data: bytes) -> None:
        await self._process.gate()
        await self._inner.replace(key, data)
        await self._process.gate()

    async def read(self, key: str) -> bytes | None:
        await self._process.gate()
        answer = await self._inner.read(key)
        self._after_read(key)
        await self._process.gate()
        return answer

    async def list(self, prefix: str) -> Sequence[Entry]:
        await self._process.gate()
        answer = await self._inner.list(prefix)
        await self._process.gate()
        return answer

    async def delete(self, prefix: str) -> int:
        await self._process.gate()
        answer = await self._inner.delete(prefix)
        await self._process.gate()
        return answer

    def journal(self, prefix: str) -> Journal:
        return SimJournal(self._process, self._inner.journal(prefix))


class SimJournal:
    """One journal through one process's port."""

    def __init__(self, process: Process, inner: Journal) -> None:
        self._process, self._inner = process, inner

    def append(self, record: bytes) -> None:
        self._process.check()
        self._inner.append(record)

    async def flush(self) -> None:
        await self._process.gate()
        await self._inner.flush()
        await self._process.gate()

    async def seal(self) -> str:
        await self._process.gate()
        answer = await self._inner.seal()
        await self._process.gate()
        return answer

    async def read(self, upto: str | None = None) -> Sequence[bytes]:
        await self._process.gate()
        answer = await self._inner.read(upto)
        await self._process.gate()
        return answer

    async def read_from(self, position: str) -> tuple[Sequence[bytes], str]:
        await self._process.gate()
        answer = await self._inner.read_from(position)
        await self._process.gate()
        return answer

    async def late(self) -> int:
        await self._process.gate()
        return await self._inner.late()
