"""A worker that cannot have its queue says why: another run has it, and no harness of its own is to blame."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.errors import EngineError
from pipeline.harness import queue_place
from pipeline.logic.objects import Birth
from pipeline.model.events import Event, Notice, WorkerLost
from pipeline.ports import HarnessEnd
from pipeline.protocol import carrying
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Orders
from pipeline.protocol.sessions import Session
from pipeline.protocol.worker import Worker
from tests.logic.suites import planned, uniform


def tried(queue: str, times: int) -> list[Event]:
    """What is told when harnesses end as in a busy queue. Raises `EngineError`."""
    anything: Any = SimpleNamespace(append=lambda _: None, log="/there/worker.log")
    plan, events = planned(uniform(1, 1.0), 1), list[Event]()
    worker = Worker(
        run="r-1",
        birth=Birth(worker="w0-1", nonce="n", plan=plan.digest, term=1, slot=0, bucket=0, queue=queue),
        plan=plan,
        view=anything,
        store=anything,
        journal=anything,
        launcher=anything,
        clock=SystemClock(),
        emit=events.append,
        limits=Limits(),
        orders=Orders(),
    )
    session = Session(harness=anything, suite="s", opened=worker.clock.monotonic() - 60.0)
    for _ in range(times):
        carrying._count_failed_start(
            worker, session, HarnessEnd(proof=True, asked=False, cause="exited", code=queue_place.BUSY)
        )
    return events


def test_who_waits_for_a_queue_says_so() -> None:
    """Once for each time that it has waited, as a warning."""
    (told,) = tried("lab1/q1", 1)
    assert isinstance(told, Notice)
    assert told.level == "warning"
    assert (
        told.text
        == "w0-1: queue 'lab1/q1' is in use by another run, or by what one has left running; waited 60 s for it"
    )


def test_who_gives_up_says_what_to_do() -> None:
    """The log is named, too."""
    with pytest.raises(EngineError, match="queue 'lab1/q1' is in use") as caught:
        tried("lab1/q1", 3)
    assert caught.value.hint.endswith("doit sweep; its output is in /there/worker.log")


def test_without_queues_that_status_is_any_other() -> None:
    """The project's own harness has ended with it."""
    (told,) = tried("", 1)
    assert isinstance(told, WorkerLost)
