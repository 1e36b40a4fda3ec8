"""Budgets of hosts: nobody begins without room, and who waits longest is let in first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pipeline.adapters.clock import SystemClock
from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.offers import Place
from pipeline.logic.placement.seating import Seating
from pipeline.protocol.rooms import Rooms, rooms_of

SEATING = Seating(
    queues=(Place("h", "1"), Place("h", "2"), Place("h", "3"), Place("other", "1")),
    places=(frozenset({"h/1", "h/2", "h/3", "other/1"}), frozenset({"h/1"}), frozenset({"h/1"}), frozenset()),
    amounts=(Amount(1.0), Amount(2.0), Amount(3.0), Amount()),
    budgets={"h": Amount(3.0, None), "other": Amount(1.0, None)},
)


def played(scene: Callable[[Rooms], Awaitable[None]]) -> None:
    """Play it with rooms of three processors and of one."""

    async def main() -> None:
        rooms = Rooms(SEATING, SystemClock())
        await scene(rooms)
        rooms.close()

    asyncio.run(main())


async def settled() -> None:
    """Let everybody who can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_who_waits_longest_is_let_in_first() -> None:
    """A large batch is not passed over by a small one that came later."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 1, unless=asyncio.Event())
        large = asyncio.ensure_future(rooms.enter("b", 1, 2, unless=asyncio.Event()))
        await settled()
        small = asyncio.ensure_future(rooms.enter("c", 2, 0, unless=asyncio.Event()))
        await settled()
        assert not large.done()
        assert not small.done()
        rooms.leave("a")
        await settled()
        assert large.done()
        assert not small.done()
        rooms.leave("b")
        await settled()
        assert small.done()

    played(scene)


def test_who_needs_nothing_never_waits() -> None:
    """Nor does anybody on another host."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 2, unless=asyncio.Event())
        waiting = asyncio.ensure_future(rooms.enter("b", 1, 0, unless=asyncio.Event()))
        await settled()
        await rooms.enter("c", 2, 3, unless=asyncio.Event())
        await rooms.enter("d", 3, 0, unless=asyncio.Event())
        assert not waiting.done()
        assert rooms.too_large(0) == {0, 1, 2}
        assert rooms.too_large(3) == {0, 1, 2}
        waiting.cancel()

    played(scene)


def test_who_gives_up_waiting_takes_nothing() -> None:
    """The next one is let in at once."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 1, unless=asyncio.Event())
        large = asyncio.ensure_future(rooms.enter("b", 1, 2, unless=asyncio.Event()))
        await settled()
        small = asyncio.ensure_future(rooms.enter("c", 2, 0, unless=asyncio.Event()))
        await settled()
        large.cancel()
        await settled()
        assert small.done()
        rooms.leave("a")
        rooms.leave("c")
        rooms.leave("b")
        assert rooms.too_large(0) == set()

    played(scene)


def test_who_drains_waits_no_more() -> None:
    """It goes without room, and the next one is let in."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 1, unless=asyncio.Event())
        draining = asyncio.Event()
        large = asyncio.ensure_future(rooms.enter("b", 1, 2, unless=draining))
        await settled()
        small = asyncio.ensure_future(rooms.enter("c", 2, 0, unless=asyncio.Event()))
        await settled()
        assert not large.done()
        draining.set()
        await settled()
        assert large.done()
        assert small.done()
        rooms.leave("b")
        rooms.leave("a")
        rooms.leave("c")
        assert rooms.too_large(0) == set()

    played(scene)


def test_one_waits_for_each_host_and_none_where_another_has_room() -> None:
    """Whoever else is free leaves the batch to a host that can begin it."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 2, unless=asyncio.Event())
        assert not rooms.may_wait(1, 0), "the other host has room for it"
        assert rooms.may_wait(1, 1), "it runs nowhere else"
        await rooms.enter("d", 3, 0, unless=asyncio.Event())
        assert rooms.may_wait(1, 0), "nobody has room now"
        waiting = asyncio.ensure_future(rooms.enter("b", 1, 1, unless=asyncio.Event()))
        await settled()
        assert not rooms.may_wait(2, 0), "one waits already"
        assert rooms.may_wait(2, 3), "it needs nothing"
        waiting.cancel()

    played(scene)


def test_what_may_still_live_keeps_its_room_for_a_while() -> None:
    """Then it comes free by itself."""

    async def scene(rooms: Rooms) -> None:
        await rooms.enter("a", 0, 2, unless=asyncio.Event())
        rooms.leave("a", after_seconds=0.05)
        waiting = asyncio.ensure_future(rooms.enter("b", 1, 0, unless=asyncio.Event()))
        await settled()
        assert not waiting.done()
        async with asyncio.timeout(10):
            await waiting

    played(scene)


def test_without_budgets_there_is_nothing_to_wait_for() -> None:
    """Nor without demands."""
    clock = SystemClock()
    assert rooms_of(None, clock) is None
    assert (
        rooms_of(Seating(queues=(), places=(), amounts=(Amount(1.0),), budgets={"h": Amount(None, None)}), clock)
        is None
    )
    assert rooms_of(Seating(queues=(), places=(), amounts=(Amount(),), budgets={"h": Amount(1.0, 1)}), clock) is None
