"""Two parties that do not share one store, or share one that lies, find out before they rely on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.adapters.directory_store import DirectoryStore
from pipeline.adapters.proven_store import ProvenStore
from pipeline.adapters.store_probe import probe, prove
from pipeline.errors import UsageError
from pipeline.ports import Entry, Store
from tests.fakes.faults import Fate, Operation
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


class _Stale(MemoryStore):
    """Gives listings as they were when first asked for, as a cache in between does."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: dict[str, Sequence[Entry]] = {}

    async def list(self, prefix: str) -> Sequence[Entry]:
        return self.listed.setdefault(prefix, await super().list(prefix))


class _Deaf(MemoryStore):
    """Keeps the first value whatever replaces it."""

    async def replace(self, key: str, data: bytes) -> None:
        await super().create(key, data)


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


def test_a_sound_store_is_proven_and_left_as_it_was(tmp_path: Path) -> None:
    """Nothing of the trial stays behind."""
    for store in (MemoryStore(), DirectoryStore(tmp_path / "s", fsync=False)):
        asyncio.run(prove(store, "mine"))

        assert list(asyncio.run(store.list(""))) == []


@pytest.mark.parametrize(
    ("kind", "promise"),
    [
        (_Generous, "16 were told that it is theirs"),
        (_Stale, "listings do not tell that a value was replaced"),
        (_Deaf, "just replaced is still read"),
    ],
)
def test_a_broken_promise_is_named(kind: type[MemoryStore], promise: str) -> None:
    """The refusal says which promise, and whose."""
    with pytest.raises(UsageError, match=f"'mine' is not fit for runs: .*{promise}"):
        asyncio.run(prove(kind(), "mine"))


def test_a_store_is_tried_out_before_its_first_write_and_not_again_that_day(tmp_path: Path) -> None:
    """An unfit store takes no value; a fit one is remembered by name, for other processes too."""
    for _ in range(2):
        unfit = _Generous()
        with pytest.raises(UsageError, match="not fit"):
            asyncio.run(ProvenStore(unfit, "unfit", tmp_path).create("k", b"1"))
        assert asyncio.run(unfit.read("k")) is None

    asked: list[str] = []

    def decide(operation: Operation) -> Fate:
        asked.append(operation.key)
        return Fate()

    store = MemoryStore(decide=decide)
    for _ in range(2):
        asyncio.run(ProvenStore(store, "fit", tmp_path).replace("k", b"1"))
    trials = [key for key in asked if key.startswith("probes/")]

    assert len({key.split("/")[1] for key in trials}) == 1
    assert [key for key in asked if key == "k"] == ["k", "k"]
