"""Work off one batch attempt: send its tests, hear them, start again after a death, until each has a final record.

The killer is blamed, never a bystander: after a death the rest of the batch goes on, the suspect runs alone after it.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import EngineError
from pipeline.logic.blame import Judgement, Part, add_charge, convict, judge
from pipeline.logic.records import NOBODY
from pipeline.model.events import WorkerLost
from pipeline.model.labels import told_to_tests
from pipeline.model.verdicts import Verdict
from pipeline.ports import HarnessEnd
from pipeline.protocol.assignments import Assignment, Portion
from pipeline.protocol.dismissing import finish_session, kill_session, note_end
from pipeline.protocol.draining import let_out
from pipeline.protocol.listening import finish, listen
from pipeline.protocol.sessions import Session, open_session
from pipeline.protocol.worker import Worker

QUEUE_BUSY = 75
"""Exit status of a harness that could not have its queue; see `harness/queue_place.py`."""


async def carry_out(worker: Worker, assignment: Assignment, *, near_end: Callable[[Portion], None]) -> None:
    """Give every test of the attempt its final record, or those that run when the worker drains. Raises `EngineError`, `Fenced`."""
    sentence(worker, assignment)
    while assignment.left and (not worker.draining.is_set() or is_sent(worker, assignment)):
        portion = await next_portion(worker, assignment)
        session = worker.session
        if session is None:
            continue
        if worker.draining.is_set():
            await let_out(session)
        end = await listen(worker, session, portion, near_end=near_end)
        if end is None and portion.left:
            end = await give_up(worker)
        if end is not None and worker.draining.is_set() and flying_test(session, end) is None:
            note_end(worker, end)
        elif end is not None:
            await take_end(worker, session, portion, end)
        elif portion.careful:
            await after_careful(worker)


def is_sent(worker: Worker, assignment: Assignment) -> bool:
    """Whether the harness in use was sent a part of it ahead of time: a test of that may run already."""
    ready, session = assignment.ready, worker.session
    return ready is not None and session is not None and ready.label in session.portions


async def after_careful(worker: Worker) -> None:
    """Make the last final durable before tests of another batch begin, so that no bystander seems to be in flight."""
    await worker.flush()


async def give_up(worker: Worker) -> HarnessEnd:
    """End a harness that has lost results: what is left must run elsewhere, and nobody is known to be to blame."""
    end = await kill_session(worker, grace_seconds=0.0)
    return HarnessEnd(proof=end is not None and end.proof, asked=False, cause="unreachable")


async def next_portion(worker: Worker, assignment: Assignment) -> Portion:
    """The part of the attempt that runs now, in a harness fit for it."""
    was_sent = is_sent(worker, assignment)
    ready, assignment.ready = assignment.ready, None
    if ready is not None and was_sent:
        return ready
    part = assignment.parts()[0]
    await fit_session(worker, assignment.suite, alone=part.alone)
    return await send_part(worker, assignment, part)


async def fit_session(worker: Worker, suite: str, *, alone: bool) -> None:
    """Have a harness of that suite; a fresh one for a test that must run alone."""
    session = worker.session
    if session is not None and (session.suite != suite or (alone and needs_fresh_harness(session))):
        await finish_session(worker)
        await worker.flush()
    if worker.session is None:
        await wait_for_queue(worker)
        await open_session(worker, suite)


async def wait_for_queue(worker: Worker) -> None:
    """A queue is one test's at a time: what may still live of the last harness has ended when its permission has."""
    if worker.birth.queue and (seconds := worker.haunted_seconds()):
        await worker.clock.sleep(seconds)


def needs_fresh_harness(session: Session) -> bool:
    """Whether a test that must run alone cannot use this harness: it has run others."""
    return bool(session.portions)


async def send_part(worker: Worker, assignment: Assignment, part: Part) -> Portion:
    """Send a `run` message. A further one of an attempt is journaled first, so that others can read its labels."""
    session = worker.session
    assert session is not None
    portion = assignment.portion(part, sum(worker.plan.tests[test].seconds for test in part.tests))
    if assignment.parts_sent > 1 or part.tests != assignment.claim.tests:
        claim = assignment.claim
        body = {"part": assignment.parts_sent - 1, "tests": list(part.tests)}
        worker.record("part", claim.batch, claim.attempt, NOBODY, body)
        await worker.flush()
    session.portions[portion.label] = portion
    tests = [worker.plan.tests[test] for test in part.tests]
    await session.harness.send(
        {
            "do": "run",
            "batch": portion.label,
            "tests": [[test.native, test.occurrence, test.file] for test in tests],
            "attempt": assignment.claim.attempt,
            "retries": worker.limits.retries.get(assignment.suite, worker.plan.retries),
            "careful": part.careful,
            "environment": told_to_tests(worker.run),
        }
    )
    return portion


async def take_end(worker: Worker, session: Session, portion: Portion, end: HarnessEnd) -> None:
    """Draw the consequences of a harness's end in the middle of a batch."""
    note_end(worker, end)
    flying = flying_test(session, end)
    if session.overdue is not None and session.overdue in portion.left:
        finish(worker, portion, session.overdue, _timed_out(worker, session), started=session.since - worker.born)
        await worker.flush()
    elif not session.heard and flying is None:
        _count_failed_start(worker, session, end)
    else:
        await _blame(worker, session, portion, end, flying)
    await wait_for_death(worker, portion.assignment, end)


async def _blame(worker: Worker, session: Session, portion: Portion, end: HarnessEnd, flying: int | None) -> None:
    assignment = portion.assignment
    certain = portion.careful or end.in_flight is not None
    head = next((test for test in portion.tests if test in portion.left), None)
    judgement = judge(end, flying=flying, certain=certain, head=head)
    claim = assignment.claim
    add_charge(assignment.charges, judgement)
    assignment.careful = True
    body = {"charge": judgement.charge, "proof": end.proof, "cause": end.cause, "code": end.code}
    worker.record("death", claim.batch, claim.attempt, NOBODY if judgement.test is None else judgement.test, body)
    _tell_loss(worker, session, end, judgement)
    sentence(worker, assignment)
    await worker.flush()


def sentence(worker: Worker, assignment: Assignment) -> None:
    """Give a verdict to each test that patience has ended with."""
    for test in [test for test in assignment.left if test in assignment.charges]:
        charges = assignment.charges[test]
        verdict = convict(charges, worker.limits.patience)
        if verdict is not None:
            deaths = charges.crashes + charges.kills
            starved = f", {charges.starved} times out of memory" if charges.starved else ""
            message = (
                f"killed its harness {deaths} times{starved}"
                if verdict is Verdict.CRASHED
                else f"its worker was lost {deaths + charges.losses} times"
            )
            part = assignment.portion(Part(tests=(test,)), 0.0)
            finish(worker, part, test, {"verdict": verdict.value, "message": message})


def flying_test(session: Session, end: HarnessEnd) -> int | None:
    """The test in flight when the harness ended: as its last bytes tell, else by the messages heard."""
    if end.in_flight is not None:
        portion = session.portions.get(end.in_flight[0])
        test = portion.test_at(end.in_flight[1]) if portion is not None else None
        if portion is not None and test in portion.assignment.left:
            return test
    if session.flying is not None and session.flying[1] in session.flying[0].assignment.left:
        return session.flying[1]
    return None


async def wait_for_death(worker: Worker, assignment: Assignment, end: HarnessEnd) -> None:
    """Exclusive tests go on only when their old harness is dead for certain, or its permission has long ended."""
    if assignment.batch.exclusive and not end.proof:
        await worker.clock.sleep(worker.limits.lease_seconds)


def _count_failed_start(worker: Worker, session: Session, end: HarnessEnd) -> None:
    if end.asked:
        return
    worker.failed_starts += 1
    why, hint = f"harness of suite {session.suite!r} ended without a word: {end.cause}, status {end.code!r}", ""
    if is_busy := bool(worker.birth.queue) and end.code == QUEUE_BUSY:
        why = f"queue {worker.birth.queue!r} is in use by another run, or by what one has left running"
        hint = "wait for that run to end, or end what it has left: doit sweep"
    if is_busy:
        worker.notice("warning", f"{why}; waited {worker.clock.monotonic() - session.opened:.0f} s for it")
    else:
        _tell_loss(worker, session, end, Judgement())
    if worker.failed_starts >= worker.limits.max_failed_starts:
        output = f"its output is in {session.harness.log}" if session.harness.log else ""
        raise EngineError(why, hint="; ".join(filter(None, (hint, output))))


def _tell_loss(worker: Worker, session: Session, end: HarnessEnd, judgement: Judgement) -> None:
    if end.asked:
        return
    test = judgement.test
    worker.emit(
        WorkerLost(
            time=worker.clock.wall(),
            worker=worker.name,
            cause="crashed",
            test="" if test is None else worker.plan.tests[test].id,
            proof=end.proof,
            repeated_seconds=worker.clock.monotonic() - session.since if session.flying is not None else 0.0,
            detail=f"{end.cause}, status {end.code}" if end.code is not None else end.cause,
        )
    )


def _timed_out(worker: Worker, session: Session) -> dict[str, object]:
    seconds = worker.limits.test_timeout_seconds[session.suite]
    return {
        "verdict": Verdict.TIMED_OUT.value,
        "seconds": round(worker.clock.monotonic() - session.since, 6),
        "message": f"ran longer than {seconds:g} s",
    }
