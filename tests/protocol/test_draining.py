"""A worker whose place is to be given up ends behind the test that runs, also when that is one of a batch sent ahead of time."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Birth
from pipeline.model.events import Event, TestFinished
from pipeline.model.messages import Message
from pipeline.ports import Harness, HarnessEnd, Launcher
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.draining import drain
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import a_test, planned

RUN = "r-1"


class Straight:
    """A harness, and the launcher that gives it: it begins whatever it is sent at once, and heeds `yield` between tests.

    A test ends when the one behind it was sent, and the last one `late` seconds after it was told to begin nothing more.
    """

    place, log = "here", ""

    def __init__(self, late: float, *, keeps: bool = False) -> None:
        self.worker: Worker | None = None
        self._late = late
        self._sent: deque[Message] = deque()
        self._said: asyncio.Queue[Message | HarnessEnd] = asyncio.Queue()
        self._said.put_nowait({"say": "hello", "keeps": keeps})
        self.begun = list[str]()
        self.is_killed = False
        self._first: Message = {}
        self._more = asyncio.Event()

    async def harness(self, slot: int, suite: str) -> Harness:
        """The one."""
        self._serving = asyncio.ensure_future(self._serve())
        return cast("Harness", self)

    async def send(self, message: Message) -> None:
        """Heard between tests."""
        self._sent.append(message)
        self._more.set()

    async def receive(self) -> Message | HarnessEnd:
        """The next one."""
        return await self._said.get()

    def stamp(self) -> float:
        """Any."""
        return 1.0

    def renew(self, stamp: float, span_seconds: float) -> None:
        """It lives."""

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        """At once."""
        self.is_killed = not self._serving.done()
        self._serving.cancel()
        self._said.put_nowait(HarnessEnd(proof=True, asked=True, code=-9, cause="stopped by us", in_flight=None))

    async def _serve(self) -> None:
        while True:
            message = await self._next()
            if message["do"] != "run":
                break
            assert self.worker is not None
            (native, _, _), batch = message["tests"][0], message["batch"]
            self.begun.append(native)
            if len(self.begun) == 2:  # It was sent ahead: its predecessor's end has not been heard.
                self._said.put_nowait(self._first)
                await drain(self.worker)
            self._said.put_nowait({"say": "start", "batch": batch, "i": 0})
            end: Message = {"say": "result", "batch": batch, "i": 0, "final": True, "result": {"verdict": "passed"}}
            if len(self.begun) == 1:
                self._first = end
                continue
            await asyncio.sleep(self._late)
            self._said.put_nowait(end)
        self._said.put_nowait(HarnessEnd(proof=True, asked=True, code=0, cause="exited", in_flight=None))

    async def _next(self) -> Message:
        while not self._sent:
            self._more.clear()
            await self._more.wait()
        return self._sent.popleft()


def test_a_test_that_was_sent_ahead_runs_to_its_end() -> None:
    """It began before the harness was told to begin nothing more: nobody kills it, however long it takes."""
    store = MemoryStore()
    told: list[Event] = []

    async def live() -> tuple[Life, Straight]:
        clock, plan = SystemClock(), planned([a_test(f"test_{at}", file=f"f{at}.py") for at in range(3)], 1)
        harness = Straight(late=0.5)
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
            emit=told.append,
            limits=Limits(lease_seconds=5.0, finish_seconds=0.1, test_timeout_seconds={"unit": 60.0}),
            orders=Orders(),
        )
        harness.worker = worker
        async with asyncio.timeout(20.0):
            return await supervise(worker), harness

    life, harness = asyncio.run(live())

    assert not harness.is_killed
    assert len(harness.begun) == 2, "the third is somebody else's"
    assert (life.cause, life.tests) == ("finished", 2)
    assert len([event for event in told if isinstance(event, TestFinished)]) == 2
    assert keys.tomb(RUN, "w0-1") in store.data.values
