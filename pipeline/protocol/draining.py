"""A worker whose place is to be given up: what runs goes on to its end, nothing more begins, the rest is released to others."""

from __future__ import annotations

from pipeline.protocol.sessions import Session
from pipeline.protocol.worker import Worker


async def drain(worker: Worker) -> None:
    """Have it end behind the test that runs; it says so itself, with its tombstone."""
    if worker.draining.is_set():
        return
    worker.draining.set()
    if worker.session is not None:
        await let_out(worker.session)
    worker.orders.wake()


async def let_out(session: Session) -> None:
    """Tell a harness to begin nothing more."""
    await session.harness.send({"do": "yield"})
