"""What a worker sends home comes after its verdicts and before its tombstone, and never at the tombstone's cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from pipeline.adapters.clock import SystemClock
from pipeline.errors import EngineError
from pipeline.logic.objects import Birth
from pipeline.model.events import Event, Notice
from pipeline.ports import Launcher
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.supervising import Life, supervise
from pipeline.protocol.view import RunView
from pipeline.protocol.worker import Worker
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned

RUN = "r-1"


def lived(store: MemoryStore, parting: Callable[[], Coroutine[Any, Any, None]]) -> tuple[Life, list[str]]:
    """A worker whose run is over when it is born lives; what it told people."""
    told: list[Event] = []

    async def live() -> Life:
        clock, plan = SystemClock(), planned([], 1)
        certain = CertainStore(store, clock)
        orders = Orders()
        orders.is_over = True
        worker = Worker(
            run=RUN,
            birth=Birth(worker="w0-1", nonce="n", plan=plan.digest, term=1, slot=0, bucket=0),
            plan=plan,
            view=RunView(RUN, plan, certain, clock, 1.0),
            store=certain,
            journal=store.journal(keys.journal(RUN, "w0-1")),
            launcher=cast("Launcher", None),
            clock=clock,
            emit=told.append,
            limits=Limits(lease_seconds=1.0, finish_seconds=0.1),
            orders=orders,
            parting=parting,
        )
        return await supervise(worker)

    life = asyncio.run(live())
    return life, [event.text for event in told if isinstance(event, Notice)]


def test_it_comes_after_the_journal_and_before_the_tombstone() -> None:
    """Verdicts are durable by then, and the worker still beats."""
    store = MemoryStore()
    seen: list[tuple[int, bool]] = []

    async def parting() -> None:
        journal = store.data.journal(keys.journal(RUN, "w0-1"))
        seen.append((len(journal.records()), keys.tomb(RUN, "w0-1") in store.data.values))

    life, told = lived(store, parting)

    assert (life.cause, seen, told) == ("finished", [(1, False)], [])
    assert keys.tomb(RUN, "w0-1") in store.data.values


def test_what_takes_too_long_is_given_up() -> None:
    """The tombstone is written, and a person is told."""
    store = MemoryStore()

    async def parting() -> None:
        await asyncio.Event().wait()

    _, told = lived(store, parting)

    assert "not enough time" in told[0]
    assert keys.tomb(RUN, "w0-1") in store.data.values


def test_what_cannot_be_sent_stays() -> None:
    """An error is told, and no more."""
    store = MemoryStore()

    async def parting() -> None:
        raise EngineError("a file changed while it was read")

    life, told = lived(store, parting)

    assert (life.cause, "stays behind" in told[0]) == ("finished", True)
    assert keys.tomb(RUN, "w0-1") in store.data.values
