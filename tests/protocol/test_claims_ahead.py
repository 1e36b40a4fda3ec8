"""A worker claims ahead behind what will end soon, and never what others may be idle for."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd, Launcher
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import a_test, planned
from tests.protocol.test_draining import RUN, Straight


class Counting(Straight):
    """One whose first two tests last until nothing more is claimed behind them; all others end at once."""

    def __init__(self, store: MemoryStore, seconds: float, *, keeps: bool) -> None:
        super().__init__(late=0.0, keeps=keeps)
        self._store, self._seconds = store, seconds
        self.claimed: list[int] = []
        """Claims there were at the end of each test."""

    async def _serve(self) -> None:
        while (message := await self._next())["do"] == "run":
            self.begun.append(message["tests"][0][0])
            self._said.put_nowait({"say": "start", "batch": message["batch"], "i": 0})
            if len(self.begun) <= 2:
                await asyncio.sleep(0.3)
            assert self.worker is not None
            self.worker.orders.is_over = len(self.begun) == len(self.worker.plan.tests)
            self.claimed.append(sum(key.startswith(keys.claims(RUN)) for key in self._store.data.values))
            end: Message = {"verdict": "passed", "seconds": self._seconds}
            self._said.put_nowait({"say": "result", "batch": message["batch"], "i": 0, "final": True, "result": end})
        self._said.put_nowait(HarnessEnd(proof=True, asked=True, code=0, cause="exited", in_flight=None))


def lived(tests: int, seconds: float, *, keeps: bool = True) -> Counting:
    """What one worker of two did with so many tests, each a batch, which take as long as estimated: it is told so."""
    store, clock = MemoryStore(), SystemClock()
    harness = Counting(store, seconds, keeps=keeps)
    plan = planned([a_test(f"test_{at}", seconds, file=f"f{at}.py") for at in range(tests)], 2)

    async def live() -> Life:
        certain = CertainStore(store, clock)
        worker = Worker(
            run=RUN,
            birth=Birth(worker="w0-1", nonce="n", plan=plan.digest, term=1, slot=0, bucket=0),
            plan=plan,
            view=RunView(RUN, plan, certain, clock, 1.0),
            store=certain,
            journal=store.journal(keys.journal(RUN, "w0-1")),
            launcher=cast("Launcher", harness),
            clock=clock,
            emit=lambda event: None,
            limits=Limits(lease_seconds=5.0, finish_seconds=0.1),
            orders=Orders(),
        )
        harness.worker = worker
        async with asyncio.timeout(20.0):
            return await supervise(worker)

    assert asyncio.run(live()).tests == tests
    return harness


@pytest.mark.parametrize(
    ("tests", "seconds", "claimed"),
    [(6, 0.01, 3), (4, 0.01, 2), (6, 100.0, 2)],
    ids=["many short tests wait", "as many wait as there are workers", "a long test runs"],
)
def test_the_next_batch_is_claimed_while_the_second_runs(tests: int, seconds: float, claimed: int) -> None:
    """Only when it will soon be needed, and others find more than it."""
    assert lived(tests, seconds).claimed[1] == claimed


def test_nothing_is_claimed_behind_the_first_test() -> None:
    """How long it takes is not known before one has ended."""
    assert lived(6, 0.01).claimed[0] == 1


def test_what_follows_is_known_when_the_last_test_begins() -> None:
    """To a harness that would tear down everything otherwise, however long its tests are."""
    assert lived(4, 100.0, keeps=False).claimed[:2] == [2, 3]
