"""The end of a harness: in order after its tear-down, or killed. What it still says until then counts."""

from __future__ import annotations

import asyncio

from pipeline.ports import HarnessEnd
from pipeline.protocol.listening import take
from pipeline.protocol.sessions import Session
from pipeline.protocol.worker import Worker


async def finish_session(worker: Worker) -> HarnessEnd | None:
    """Let the harness tear down and end; kill it when that takes too long. None: there was none."""
    session = worker.session
    if session is None:
        return None
    await session.harness.send({"do": "finish"})
    try:
        return await _end_within(worker, session, worker.limits.finish_seconds)
    except TimeoutError:
        worker.notice("warning", f"tear-down took longer than {worker.limits.finish_seconds:g} s: killed")
        return await kill_session(worker, grace_seconds=0.0)


async def kill_session(worker: Worker, *, grace_seconds: float) -> HarnessEnd | None:
    """Kill the harness and hear its end; None: there was none, or it could not be heard."""
    session = worker.session
    if session is None:
        return None
    await session.harness.kill(grace_seconds=grace_seconds)
    try:
        return await _end_within(worker, session, grace_seconds + worker.limits.stop_seconds)
    except TimeoutError:
        worker.note_unproven_end()
        worker.session = None
        return None


async def _end_within(worker: Worker, session: Session, seconds: float) -> HarnessEnd:
    async def end() -> HarnessEnd:
        while True:
            message = await session.harness.receive()
            if isinstance(message, HarnessEnd):
                return message
            await take(worker, session, message)

    session.is_dismissed = True
    wait = asyncio.ensure_future(end())
    limit = asyncio.ensure_future(worker.clock.sleep(seconds))
    try:
        await asyncio.wait((wait, limit), return_when=asyncio.FIRST_COMPLETED)
        if not wait.done():
            if limit.done():
                limit.result()
            raise TimeoutError
        note_end(worker, wait.result())
        return wait.result()
    finally:
        wait.cancel()
        limit.cancel()


def note_end(worker: Worker, end: HarnessEnd) -> None:
    """Remember an end; one without proof stays on this worker's record."""
    if not end.proof:
        worker.note_unproven_end()
    worker.session = None
