"""What a worker claims where hosts have budgets: what could begin now, but long work is not passed over for short work for ever."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth
from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.offers import Place
from pipeline.logic.placement.seating import Seating
from pipeline.logic.planning import freeze
from pipeline.model.plans import Batch
from pipeline.model.tests import Test
from pipeline.ports import HarnessEnd
from pipeline.protocol import claiming, shifts
from pipeline.protocol.dismissing import note_end
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.rooms import Rooms
from pipeline.protocol.shifts import Shift
from pipeline.protocol.worker import Worker

QUEUES = (Place("h", "1"), Place("h", "2"), Place("h", "3"), Place("other", "1"))
HERE = frozenset({"h/1", "h/2", "h/3"})


class House:
    """Batches of (seconds, processors, queues) on `h` with three processors, beside another host with three."""

    def __init__(self, *batches: tuple[float, float, frozenset[str]]) -> None:
        tests = [Test(id=f"s::{at}", suite="s", native=str(at), seconds=each[0]) for at, each in enumerate(batches)]
        made = [Batch(number=at, bucket=0, tests=(at,), seconds=each[0]) for at, each in enumerate(batches)]
        self.plan = freeze(tests, made, [list(range(len(made)))], seed=0)
        seating = Seating(
            queues=QUEUES,
            places=tuple(each[2] for each in batches),
            amounts=tuple(Amount(each[1]) for each in batches),
            budgets={"h": Amount(3.0, None), "other": Amount(3.0, None)},
        )
        self.seating, self.rooms = seating, Rooms(seating, SystemClock())
        self.taken: set[int] = set()

    async def begin(self, slot: int, batch: int) -> None:
        """The worker of that slot has claimed it, and begins or waits."""
        self.taken.add(batch)
        entering = asyncio.ensure_future(self.rooms.enter(f"w{slot}", slot, batch, unless=asyncio.Event()))
        await asyncio.sleep(0)
        self.waiting = entering

    def worker(self) -> Worker:
        """The worker of slot 0."""
        anything: Any = SimpleNamespace(append=lambda _: None)
        birth = Birth(worker="w0-1", nonce="n", plan=self.plan.digest, term=1, slot=0, bucket=0)
        return Worker(
            run="r-1",
            birth=birth,
            plan=self.plan,
            view=anything,
            store=anything,
            journal=anything,
            launcher=anything,
            clock=SystemClock(),
            emit=lambda _: None,
            limits=Limits(lease_seconds=0.2),
            orders=Orders(),
            seating=self.seating,
            rooms=self.rooms,
        )

    def chosen(self, slot: int) -> int | None:
        """What the worker of that slot would claim."""
        worker: Any = SimpleNamespace(
            view=SimpleNamespace(taken=self.taken),
            foreign=frozenset(),
            plan=self.plan,
            birth=SimpleNamespace(bucket=0, queue=self.seating.queue(slot), slot=slot, suites=()),
            seating=self.seating,
            rooms=self.rooms,
        )
        return claiming._choose(worker, last=None)


@pytest.mark.parametrize(("seconds", "chosen"), [(10.0, 1), (100.0, 0)])
def test_a_far_longer_batch_waits_for_room(seconds: float, chosen: int) -> None:
    """Beside a short one that would fit; of batches that are about as long the fitting one goes first."""

    async def story() -> int | None:
        house = House((seconds, 3.0, HERE), (5.0, 1.0, HERE), (5.0, 1.0, HERE))
        await house.begin(0, 2)
        return house.chosen(1)

    assert asyncio.run(story()) == chosen


def test_behind_one_that_waits_nobody_claims() -> None:
    """But for what needs nothing: claimed batches would wait here, while others could run them."""

    async def story() -> tuple[int | None, int | None]:
        house = House((9.0, 3.0, HERE), (5.0, 3.0, HERE), (5.0, 1.0, HERE), (1.0, 0.0, frozenset({"h/3"})))
        await house.begin(0, 2)
        await house.begin(1, 0)
        found = house.chosen(1), house.chosen(2)
        house.waiting.cancel()
        return found

    assert asyncio.run(story()) == (None, 3)


def test_what_fits_elsewhere_is_left_to_others() -> None:
    """Until they have no room either."""

    async def story() -> tuple[int | None, int | None]:
        everywhere = HERE | {"other/1"}
        house = House((9.0, 3.0, everywhere), (5.0, 3.0, everywhere), (5.0, 3.0, everywhere))
        await house.begin(0, 2)
        before = house.chosen(1)
        await house.begin(3, 1)
        return before, house.chosen(1)

    assert asyncio.run(story()) == (None, 0)


@pytest.mark.parametrize("proof", [True, False])
def test_room_of_what_may_still_live_is_kept(proof: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch whose harness was not seen to die has ended, but its processes may go on until their permission ends."""

    async def loses(worker: Worker, _: Any, *, near_end: Any) -> None:
        note_end(worker, HarnessEnd(proof=proof, asked=True, cause="unreachable"))

    async def story() -> bool:
        house = House((5.0, 3.0, HERE))
        worker = house.worker()
        await Shift(worker)._carry_out(SimpleNamespace(batch=house.plan.batches[0]))  # type: ignore[arg-type]
        is_free = not house.rooms.too_large(1)
        async with asyncio.timeout(10):
            await house.rooms.enter("w1", 1, 0, unless=asyncio.Event())
        return is_free

    monkeypatch.setattr(shifts, "carry_out", loses)
    assert asyncio.run(story()) is proof
