"""Tell a harness that the kernel killed for want of memory from one that somebody else killed.

A launcher around another: the container's counter is read when a harness begins and when it has been killed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

from attrs import evolve

from pipeline.logic.blame import OUT_OF_MEMORY
from pipeline.model.messages import Message
from pipeline.ports import Harness, HarnessEnd, Launcher, Remains

Kills = Callable[[], int | None]


class MemoryHarness:
    """One harness; its end says why."""

    def __init__(self, harness: Harness, kills: Kills) -> None:
        self._harness, self._kills, self._before = harness, kills, kills()

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return self._harness.place

    @property
    def log(self) -> str:
        """Path of its live log."""
        return self._harness.log

    async def send(self, message: Message) -> None:
        """Hand over a message."""
        await self._harness.send(message)

    async def receive(self) -> Message | HarnessEnd:
        """The next message; an end by the kernel's hand is called so."""
        said = await self._harness.receive()
        if isinstance(said, HarnessEnd) and said.code == -signal.SIGKILL and said.cause == "signalled":
            after = self._kills()
            if not said.asked and self._before is not None and after is not None and after > self._before:
                return evolve(said, cause=OUT_OF_MEMORY)
        return said

    def stamp(self) -> float | None:
        """The guard's newest stamp."""
        return self._harness.stamp()

    def renew(self, stamp: float, span_seconds: float) -> None:
        """Permit the harness to live on."""
        self._harness.renew(stamp, span_seconds)

    async def dump_stacks(self) -> None:
        """Write the stacks of all threads into the log."""
        await self._harness.dump_stacks()

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        """TERM, then KILL."""
        await self._harness.kill(grace_seconds=grace_seconds)


class MemoryLauncher:
    """Harnesses of another launcher."""

    def __init__(self, launcher: Launcher, kills: Kills) -> None:
        self._launcher, self._kills = launcher, kills
        self.name = launcher.name

    async def harness(self, slot: int, suite: str) -> MemoryHarness:
        """A harness. Raises `EngineError`."""
        return MemoryHarness(await self._launcher.harness(slot, suite), self._kills)

    def identity(self, slot: int) -> dict[str, str | int]:
        """As the other says."""
        return self._launcher.identity(slot)

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """As the other says."""
        return await self._launcher.salvage(identity)

    async def close(self) -> None:
        """Close the other."""
        await self._launcher.close()
