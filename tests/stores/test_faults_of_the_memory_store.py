"""The in-memory store's faults do what they are named after, in the time they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from pipeline.errors import Fenced, StoreUnavailable
from tests.fakes.faults import Fate, Operation
from tests.fakes.memory_store import MemoryStore


def _fated(*fates: Fate, **hooks: object) -> MemoryStore:
    """A store whose operations meet these fates in turn, then none."""
    left = list(fates)
    return MemoryStore(decide=lambda _: left.pop(0) if left else Fate(), **hooks)  # type: ignore[arg-type]


def test_waiting_goes_through_the_injected_function() -> None:
    """Spans before and after the effect are waited for in virtual time, on the right side of the effect."""
    waited: list[tuple[float, int]] = []

    async def wait(seconds: float) -> None:
        waited.append((seconds, len(store.data.values)))

    store = _fated(Fate(before_seconds=1.0, after_seconds=2.0), wait=wait)

    assert asyncio.run(store.create("k", b"1"))
    assert waited == [(1.0, 0), (2.0, 1)]


def test_a_late_write_takes_effect_after_its_caller_gave_up() -> None:
    """The caller is told that there was no answer; when the time has come the value appears, unless it exists."""
    put_off: list[tuple[float, Callable[[], object]]] = []
    store = _fated(Fate(late_seconds=5.0), Fate(late_seconds=6.0), later=lambda *args: put_off.append(args))

    for data in (b"1", b"2"):
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            asyncio.run(store.create("k", data))
    before = asyncio.run(store.read("k"))
    for _, effect in put_off:
        effect()

    assert (before, [seconds for seconds, _ in put_off]) == (None, [5.0, 6.0])
    assert asyncio.run(store.read("k")) == b"1"


def test_a_late_flush_after_the_seal_is_counted_as_late_only() -> None:
    """Without `later`, late effects wait for `settle`; one that finds a seal changes nothing."""
    store = _fated(Fate(late_seconds=1.0))
    journal = store.journal("j")
    journal.append(b"1")
    with pytest.raises(StoreUnavailable):
        asyncio.run(journal.flush())
    position = asyncio.run(journal.seal())
    store.settle()

    assert (list(asyncio.run(journal.read(position))), asyncio.run(journal.late())) == ([], 1)
    with pytest.raises(Fenced):
        asyncio.run(journal.flush())


def test_a_torn_flush_leaves_a_prefix_that_a_repetition_completes() -> None:
    """Only the first records are there; the same writer's next flush makes the rest durable, once."""
    store = _fated(Fate(torn=1))
    journal = store.journal("j")
    for record in (b"1", b"2", b"3"):
        journal.append(record)
    with pytest.raises(StoreUnavailable, match="in part"):
        asyncio.run(journal.flush())
    torn = list(asyncio.run(journal.read()))
    asyncio.run(journal.flush())

    assert (torn, list(asyncio.run(journal.read()))) == ([b"1"], [b"1", b"2", b"3"])


def test_every_party_is_named_to_the_one_who_decides() -> None:
    """One seed can give each party troubles of its own."""
    seen: list[Operation] = []
    store = MemoryStore()

    def decide(operation: Operation) -> Fate:
        seen.append(operation)
        return Fate()

    view = store.view("w1", decide)
    asyncio.run(view.replace("beats/w1", b"1"))

    assert seen == [Operation(party="w1", kind="replace", key="beats/w1")]
    assert asyncio.run(store.read("beats/w1")) == b"1"
