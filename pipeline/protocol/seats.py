"""A launcher whose slots are counted on behind those of other agents: each of them has its own machine's slots from 0.

So tests see `gw0`, `gw1`, … on each machine, as in jobs that know nothing of each other. It must not know why.
"""

from __future__ import annotations

from pipeline.ports import Harness, Launcher, Remains


class SeatedLauncher:
    """Slots from `first` on of a launcher that has them from 0."""

    def __init__(self, launcher: Launcher, first: int, root: str) -> None:
        self._launcher, self._first, self._root = launcher, first, root
        self.name = launcher.name

    async def harness(self, slot: int, suite: str) -> Harness:
        """A harness. Raises `EngineError`."""
        return await self._launcher.harness(slot - self._first, suite)

    def identity(self, slot: int) -> dict[str, str | int]:
        """As the other says, with the project's folder here: paths in what the worker leaves begin with it."""
        return {**self._launcher.identity(slot - self._first), "root": self._root}

    async def salvage(self, identity: dict[str, str | int]) -> Remains | None:
        """As the other says of workers since this machine's last start.

        Never of those before: machines made from one image may share the name that an earlier start is known by.
        """
        if identity.get("boot") != self._launcher.identity(0).get("boot"):
            return None
        return await self._launcher.salvage(identity)

    async def close(self) -> None:
        """Close the other."""
        await self._launcher.close()
