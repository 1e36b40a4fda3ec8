"""What a supervisor does beside its tests: beat, renew the guard's permission, warn of slow tests, end overdue ones.

Time here is the supervisor's own; after a stall what has been said meanwhile is heard before anything is called late.
"""

from __future__ import annotations

from pipeline.errors import StoreUnavailable
from pipeline.model.events import TestSlow
from pipeline.protocol.sessions import Session, renew
from pipeline.protocol.worker import Worker

CONFIRM_SECONDS = 0.05


async def beat_for_ever(worker: Worker) -> None:
    """Renew every quarter of a lease, sooner after a failure. Raises `Fenced`."""
    limits = worker.limits
    while True:
        try:
            await renew(worker)
            await worker.clock.sleep(limits.beat_seconds)
        except StoreUnavailable:
            await worker.clock.sleep(min(limits.retry_seconds, limits.beat_seconds))


async def watch_for_ever(worker: Worker) -> None:
    """Look at the running test now and then."""
    limits = worker.limits
    shortest = min([limits.slow_after_seconds, *limits.test_timeout_seconds.values()])
    look_seconds = min(1.0, max(CONFIRM_SECONDS, shortest / 10))
    while True:
        await worker.clock.sleep(look_seconds)
        session = worker.session
        if session is not None and session.flying is not None and session.is_listening:
            _warn_of_slow(worker, session)
            await _end_overdue(worker, session)


def _warn_of_slow(worker: Worker, session: Session) -> None:
    assert session.flying is not None
    seconds = worker.clock.monotonic() - session.since
    times = int(seconds // worker.limits.slow_after_seconds)
    if times > session.warned:
        session.warned = times
        test = worker.plan.tests[session.flying[1]].id
        worker.emit(TestSlow(time=worker.clock.wall(), worker=worker.name, test=test, seconds=round(seconds, 1)))


async def _end_overdue(worker: Worker, session: Session) -> None:
    """Dump stacks, then kill; a second look makes sure that no message was waiting."""
    flying = session.flying
    if flying is None or session.overdue is not None or not is_overdue(worker, session):
        return
    await worker.clock.sleep(CONFIRM_SECONDS)
    if session.flying is not flying or worker.session is not session or not session.is_listening:
        return
    session.overdue = flying[1]
    await session.harness.dump_stacks()
    await session.harness.kill()


def is_overdue(worker: Worker, session: Session) -> bool:
    """Whether the running test has used up its time."""
    limit = worker.limits.test_timeout_seconds.get(session.suite)
    return limit is not None and worker.clock.monotonic() - session.since >= limit
