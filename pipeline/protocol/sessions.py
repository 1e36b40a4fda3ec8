"""One harness in use: opened with a first permission, renewed with every beat.

A renewal is: stamp taken, beat written, then own tombstone read as absent; only then may the harness live on.
"""

from __future__ import annotations

import json

from attrs import define, field

from pipeline.errors import Fenced, StoreUnavailable
from pipeline.ports import Harness
from pipeline.protocol import keys
from pipeline.protocol.assignments import Portion
from pipeline.protocol.worker import Worker

STAMP_POLL_SECONDS = 0.01


@define(eq=False)
class Session:
    """What a supervisor knows of its harness."""

    harness: Harness
    suite: str
    opened: float
    portions: dict[str, Portion] = field(factory=dict)
    flying: tuple[Portion, int] | None = None
    """The test that has started and not ended, by the messages so far."""
    since: float = 0.0
    overdue: int | None = None
    """The test it is killed for."""
    heard: bool = False
    keeps: bool = False
    """What is set up there stays while it is not known which test comes next."""
    offset: float = float("inf")
    """Own clock minus the harness's seconds since hello: the least seen, because messages only come late."""
    warned: int = 0
    is_listening: bool = False
    """Its supervisor waits for its next message: else silence may be the supervisor's own."""
    is_dismissed: bool = False
    """It is being ended: no further test may begin."""


async def open_session(worker: Worker, suite: str) -> Session:
    """Ask for a harness and give it its first permission. Raises `EngineError` or `Fenced`."""
    harness = await worker.launcher.harness(worker.birth.slot, suite)
    session = Session(harness=harness, suite=suite, opened=worker.clock.monotonic())
    worker.session = session
    await _wait_for_stamp(worker, session)
    await _first_permission(worker)
    return session


async def _first_permission(worker: Worker) -> None:
    """Renew once before any test is sent, however long the store takes to answer."""
    while True:
        try:
            return await renew(worker)
        except StoreUnavailable:
            await worker.clock.sleep(worker.limits.retry_seconds)


async def _wait_for_stamp(worker: Worker, session: Session) -> None:
    until = worker.clock.monotonic() + worker.limits.finish_seconds
    while session.harness.stamp() is None and worker.clock.monotonic() < until:
        await worker.clock.sleep(STAMP_POLL_SECONDS)


async def renew(worker: Worker) -> None:
    """Beat, look for the own tombstone, and let the harness live on. Raises `Fenced`, `StoreUnavailable`."""
    session = worker.session
    stamp = session.harness.stamp() if session is not None else None
    await worker.store.store.replace(keys.beat(worker.run, worker.name), _beat(worker))
    await see_tomb(worker)
    if session is not None and stamp is not None:
        permit(session, stamp, worker.limits.permission_seconds)


async def see_tomb(worker: Worker) -> None:
    """Raises `Fenced` when the own tombstone exists; after the beat, so that no later one can be missed for long."""
    if await worker.store.store.read(keys.tomb(worker.run, worker.name)) is not None:
        raise Fenced(f"worker {worker.name!r} has been given up by another party")


def permit(session: Session, stamp: float, span_seconds: float) -> None:
    """Let the harness live for that span from the stamp, which was taken before the beat was sent."""
    session.harness.renew(stamp, span_seconds)


def _beat(worker: Worker) -> bytes:
    beat = {
        "worker": worker.name,
        "plan": worker.plan.digest,
        "at": worker.clock.monotonic(),
        "finished": worker.finished,
    }
    return json.dumps(beat, sort_keys=True).encode("ascii")
