"""Hear what a harness says and journal it. Runs once or twice per test, so it is plain and quick.

Messages are hostile: nonsense is dropped or becomes an `error` verdict, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.logic.records import NOBODY
from pipeline.model.codec import result_from_json
from pipeline.model.events import TestFinished, TestStarted, WorkerReady
from pipeline.model.messages import Message
from pipeline.model.verdicts import Result, Verdict
from pipeline.ports import HarnessEnd
from pipeline.protocol.assignments import Portion
from pipeline.protocol.sessions import Session
from pipeline.protocol.worker import Worker


async def listen(
    worker: Worker, session: Session, portion: Portion, *, near_end: Callable[[Portion], None]
) -> HarnessEnd | None:
    """Hear until every test of the portion has its final record (None), or the harness has ended.

    A harness that calls the portion done without some results is None too: then tests are left.
    """
    receive = session.harness.receive
    left = portion.left
    near_end(portion)
    while left and not portion.is_done:
        session.is_listening = True
        message = await receive()
        session.is_listening = False
        if isinstance(message, HarnessEnd):
            return message
        await take(worker, session, message)
        near_end(portion)
    return None


async def take(worker: Worker, session: Session, message: Message) -> None:
    """Do what one message asks for."""
    say = message.get("say")
    if say == "result":
        if is_final(message):
            _take_result(worker, session, message)
    elif say == "start":
        await _take_start(worker, session, message)
    elif say == "done":
        _take_done(session, message)
    elif say == "hello":
        _take_hello(worker, session, message)
    elif say == "log":
        worker.notice(str(message.get("level", "info")), str(message.get("text", "")))


def is_final(message: Message) -> bool:
    """Whether a result counts; a failed try with retries left does not."""
    return message.get("final") is True


def _take_hello(worker: Worker, session: Session, message: Message) -> None:
    session.heard, session.keeps = True, message.get("keeps") is True
    worker.failed_starts = 0
    now = worker.clock.monotonic()
    seconds = now - session.opened
    worker.record("ready", NOBODY, NOBODY, NOBODY, {"seconds": round(seconds, 3)})
    worker.emit(WorkerReady(time=worker.clock.wall(), worker=worker.name, seconds=seconds))


async def _take_start(worker: Worker, session: Session, message: Message) -> None:
    portion = session.portions.get(str(message.get("batch")))
    test = portion.test_at(message.get("i")) if portion is not None else None
    if portion is None or test is None or test not in portion.left:
        return
    now = worker.clock.monotonic()
    at = message.get("at")
    if isinstance(at, int | float):
        session.offset = min(session.offset, now - at)
    session.heard = True
    worker.failed_starts = 0
    session.flying, session.since, session.warned = (portion, test), now, 0
    claim = portion.assignment.claim
    worker.record("start", claim.batch, claim.attempt, test, {"at": round(_started(worker, session, at), 6)})
    worker.emit(
        TestStarted(
            time=worker.clock.wall(), worker=worker.name, test=worker.plan.tests[test].id, attempt=claim.attempt
        )
    )
    if portion.careful and not session.is_dismissed:
        await before_go(worker)
        await session.harness.send({"do": "go", "i": message["i"]})
        session.since = worker.clock.monotonic()


async def before_go(worker: Worker) -> None:
    """Make the start durable before its test may begin. Raises `Fenced`."""
    await worker.flush()


def _take_result(worker: Worker, session: Session, message: Message) -> None:
    portion = session.portions.get(str(message.get("batch")))
    test = portion.test_at(message.get("i")) if portion is not None else None
    if portion is None or test is None:
        return
    body = message.get("result")
    _mend_offset(worker, session, body)
    started = _started(worker, session, body.get("started") if isinstance(body, dict) else None)
    if session.flying is not None and session.flying[1] == test:
        session.flying = None
    finish(worker, portion, test, body, started=started)


def _mend_offset(worker: Worker, session: Session, body: object) -> None:
    """Learn from a result too how the harness's clock stands: a short test's start may never have been told."""
    if isinstance(body, dict):
        at, seconds = body.get("started"), body.get("seconds", 0.0)
        if isinstance(at, int | float) and isinstance(seconds, int | float):
            session.offset = min(session.offset, worker.clock.monotonic() - at - seconds)


def finish(worker: Worker, portion: Portion, test: int, body: object, *, started: float = 0.0) -> None:
    """Journal the final record of a test, once."""
    assignment = portion.assignment
    if test not in assignment.left:
        portion.left.discard(test)
        return
    if started and isinstance(body, dict):
        body["started"] = round(started, 6)
    result, plain = _checked(worker.plan.tests[test].id, body)
    claim = assignment.claim
    worker.record("final", claim.batch, claim.attempt, test, plain)
    del assignment.left[test]
    portion.left.discard(test)
    portion.seconds_left -= worker.plan.tests[test].seconds
    worker.finished += 1
    worker.view.progress.add(worker.name, test, bad=result.verdict.is_bad)
    worker.view.paces.note(worker, result.seconds, worker.plan.tests[test].seconds)
    worker.emit(TestFinished(time=worker.clock.wall(), worker=worker.name, result=result, attempt=claim.attempt))


def _checked(test: str, body: object) -> tuple[Result, dict[str, Any]]:
    try:
        result = result_from_json(test, body)
        assert isinstance(body, dict)
        return result, body
    except ValueError as error:
        message = f"the harness sent a result that is none: {error}"
        return Result(test=test, verdict=Verdict.ERROR, message=message), {"verdict": "error", "message": message}


def _take_done(session: Session, message: Message) -> None:
    portion = session.portions.get(str(message.get("batch")))
    if portion is not None:
        portion.is_done = True


def _started(worker: Worker, session: Session, at: object) -> float:
    """Seconds from the worker's birth to the test's start; `at` is what the harness says: seconds since its hello."""
    if isinstance(at, int | float) and session.offset != float("inf"):
        return max(0.0, at + session.offset - worker.born)
    return max(0.0, session.since - worker.born)
