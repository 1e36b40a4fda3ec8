"""Two parties that do not share one store, or share one that lies, find out before they rely on it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.adapters.directory_store import DirectoryStore
from pipeline.adapters.store_probe import probe
from pipeline.errors import UsageError
from pipeline.ports import Store
from tests.fakes.memory_store import MemoryStore


class _Clock:
    """Time passes by sleeping only."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class _Generous(MemoryStore):
    """Tells every creator that it won, as a store without conditional writes does."""

    async def create(self, key: str, data: bytes) -> bool:
        await super().replace(key, data)
        return True


def _meet(first: Store, second: Store) -> None:
    async def both() -> None:
        await asyncio.gather(
            probe(first, _Clock(), key="probes/1", me="a", other="b"),
            probe(second, _Clock(), key="probes/1", me="b", other="a"),
        )

    asyncio.run(both())


def test_one_directory_is_shared(tmp_path: Path) -> None:
    """Two handles of one directory pass."""
    _meet(DirectoryStore(tmp_path / "s", fsync=False), DirectoryStore(tmp_path / "s", fsync=False))


def test_two_directories_are_not(tmp_path: Path) -> None:
    """Two hosts with a local directory of one name each are refused."""
    with pytest.raises(UsageError, match="not to be seen after 5 s"):
        _meet(DirectoryStore(tmp_path / "s", fsync=False), DirectoryStore(tmp_path / "t", fsync=False))


def test_a_store_that_lets_everybody_win_is_refused() -> None:
    """Without put-if-absent a claim would be no lock."""
    store = _Generous()

    with pytest.raises(UsageError, match="not shared"):
        _meet(store, store)
