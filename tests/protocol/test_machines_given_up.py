"""Machines of tests that will not come any more: each is told of once, and all are named where none is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from attrs import define

from pipeline.adapters.clock import SystemClock
from pipeline.model import events as e
from pipeline.ports import Launcher
from pipeline.protocol.changing import ChangingHirer
from pipeline.protocol.finishing import Ending
from pipeline.protocol.leading import lead
from pipeline.protocol.limits import Limits
from pipeline.protocol.mandate import Mandate
from pipeline.protocol.orders import Stop
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform


@define(eq=False)
class Machines:
    """Two slots on each; none of them can be reached."""

    whys: Mapping[str, str]
    name: str = "machines"

    def heed(self, news: Callable[[], None]) -> None:
        news()

    def opened(self) -> int:
        return 2 * len(self.whys)

    def draining(self) -> frozenset[int]:
        return frozenset()

    def place(self, slot: int) -> str:
        return [*self.whys][slot // 2]

    def hopeless(self) -> Mapping[int, str]:
        return {slot: f"host {self.place(slot)!r} is set aside: {self.whys[self.place(slot)]}" for slot in range(4)}

    closed = hopeless

    def let_go(self, places: object) -> None:
        """Nobody is there."""


def led(machines: Machines, told: list[e.Event]) -> Ending:
    """How a run with these machines ends."""
    mandate = Mandate(
        run="r-1",
        plan=planned(uniform(8, 1.0), 4),
        store=MemoryStore(),
        launcher=cast("Launcher", machines),
        clock=SystemClock(),
        emit=told.append,
        limits=Limits(lease_seconds=2.0, stop_seconds=0.1, hear_seconds=0.05),
        workers=4,
        stop=Stop(),
    )
    hirer = lambda leader: ChangingHirer(cast("Any", machines), leader)  # noqa: E731
    return asyncio.run(asyncio.wait_for(lead(mandate, hirer), 20))


def test_each_has_its_own_reason_where_none_is_left() -> None:
    """One does not stand for all: they have to be mended one by one."""
    told: list[e.Event] = []
    ending = led(Machines({"lab1": "no route to it", "lab2": "it lets us not in"}), told)

    assert ending.exit_code == 2
    assert "host 'lab1' is set aside: no route to it" in ending.reason
    assert "host 'lab2' is set aside: it lets us not in" in ending.reason
    assert "more slot" not in ending.reason
    given_up = [(event.place, event.why) for event in told if isinstance(event, e.PlaceGivenUp)]
    assert sorted(given_up) == [
        ("lab1", "host 'lab1' is set aside: no route to it"),
        ("lab2", "host 'lab2' is set aside: it lets us not in"),
    ]
