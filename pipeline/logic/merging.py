"""Merge journals up to their seals into one outcome per planned test.

Pure: the same births, tombs and records give the same merged run, whoever merges. Only final records count, and the
lowest attempt wins. A test without a verdict is named with the last worker that had it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from pipeline.errors import EXIT_GOOD, EXIT_TESTS_FAILED, EXIT_UNTRUSTWORTHY
from pipeline.logic.objects import DISRUPTIONS, Birth, Tomb
from pipeline.logic.place_times import first_start, lost_seconds, stages_of
from pipeline.logic.records import NOBODY, Record, read_record
from pipeline.model.codec import result_from_json
from pipeline.model.plans import Plan
from pipeline.model.runs import LOCAL, SSH, Loss, MergedRun, Outcome, Stage, WorkerSpan
from pipeline.model.verdicts import Result, Verdict
from pipeline.ports.places import PlaceStory

FAIL_FAST = "fail-fast"
"""The one reason for a close that leaves tests `not-run`."""


@frozen(kw_only=True)
class Book:
    """One worker's share: what counts of its journal, and how many records came too late."""

    birth: Birth
    tomb: Tomb | None
    records: Sequence[bytes]
    late: int = 0
    story: PlaceStory | None = None
    """What is known of its place."""


@frozen(kw_only=True)
class Circumstances:
    """What is known of the run beside its journals."""

    run: str
    reason: str = ""
    mixed: bool = False
    errors: tuple[str, ...] = ()
    owners: Mapping[int, str] = field(factory=dict)
    """The last worker that had each batch, as far as asked for."""
    allows_empty: bool = False


Choice = tuple[int, int, int, Record]
"""(attempt, worker's place, record's place, record): the least one decides."""


def merge(plan: Plan, books: Sequence[Book], about: Circumstances) -> MergedRun:
    """Merge. The books may come in any order."""
    books = sorted(books, key=lambda book: book.birth.worker)
    origin = min((book.birth.wall for book in books), default=0.0)
    chosen = choose(books)
    outcomes = tuple(
        outcome
        for test in range(len(plan.tests))
        if (outcome := _outcome(plan, books, chosen.get(test), test, about, origin)) is not None
    )
    found = {outcome.result.test for outcome in outcomes}
    holders = {test: about.owners.get(batch.number, "") for batch in plan.batches for test in batch.tests}
    missing = tuple((test.id, holders.get(at, "")) for at, test in enumerate(plan.tests) if test.id not in found)
    errors = about.errors + (("no tests were collected",) if not plan.tests and not about.allows_empty else ())
    return MergedRun(
        run=about.run,
        plan=plan.digest,
        suites=tuple(dict.fromkeys(test.suite for test in plan.tests)),
        outcomes=outcomes,
        missing=missing,
        errors=errors,
        losses=tuple(loss for book in books for loss in _losses(plan, book)),
        workers=tuple(_span(book, origin) for book in books),
        late=sum(book.late for book in books),
        mixed=about.mixed,
        exit_code=exit_code(outcomes, missing=missing, errors=errors, chosen=chosen),
        reason=about.reason,
        started=origin,
        seconds=max((_span(book, origin).ended for book in books), default=0.0),
        counts=_counts(outcomes),
    )


def choose(books: Sequence[Book]) -> dict[int, Choice]:
    """The record that decides each test."""
    chosen: dict[int, Choice] = {}
    for place, book in enumerate(books):
        for position, line in enumerate(book.records):
            record = read_record(line)
            if not counts(record):
                continue
            choice = (record.attempt, place, position, record)
            old = chosen.get(record.test)
            if old is None or decides(choice, old):
                chosen[record.test] = choice
    return chosen


def counts(record: Record) -> bool:
    """Whether a record carries a verdict."""
    return record.kind == "final" and record.test != NOBODY


def decides(choice: Choice, other: Choice) -> bool:
    """Whether a record wins over another of the same test: the lowest attempt, then the first written."""
    return choice[:3] < other[:3]


def exit_code(
    outcomes: Iterable[Outcome],
    *,
    missing: Sequence[tuple[str, str]],
    errors: Sequence[str],
    chosen: Mapping[int, Choice],
) -> int:
    """0: every planned test has a good verdict; 1: some test failed; 2: the run itself is not trustworthy."""
    verdicts = {outcome.result.verdict for outcome in outcomes}
    reported_absent = any(outcome.result.verdict is Verdict.NOT_RUN and outcome.worker for outcome in outcomes)
    if missing or errors or Verdict.LOST in verdicts or reported_absent:
        return EXIT_UNTRUSTWORTHY
    if any(verdict.is_bad for verdict in verdicts):
        return EXIT_TESTS_FAILED
    return EXIT_UNTRUSTWORTHY if Verdict.NOT_RUN in verdicts else EXIT_GOOD


def verdicts_digest(run: MergedRun) -> str:
    """SHA-256 (hex) over `test, tab, verdict` lines: equal for two agents that merged the same."""
    hasher = hashlib.sha256()
    for outcome in run.outcomes:
        hasher.update(f"{outcome.result.test}\t{outcome.result.verdict.value}\n".encode("utf-8", "surrogatepass"))
    return hasher.hexdigest()


def _outcome(
    plan: Plan, books: Sequence[Book], choice: Choice | None, test: int, about: Circumstances, origin: float
) -> Outcome | None:
    name = plan.tests[test].id
    if choice is None:
        if about.reason != FAIL_FAST:
            return None
        message = "the run was closed before, because of earlier failures"
        return Outcome(result=Result(test=name, verdict=Verdict.NOT_RUN, message=message), worker="", attempt=0)
    birth = books[choice[1]].birth
    result = _result(name, choice[3])
    start = birth.wall - origin + result.started
    return Outcome(result=result, worker=birth.worker, attempt=choice[0], start=start)


def _result(name: str, record: Record) -> Result:
    try:
        return result_from_json(name, record.body)
    except ValueError as error:
        return Result(test=name, verdict=Verdict.ERROR, message=f"its record is damaged: {error}")


def _losses(plan: Plan, book: Book) -> Iterable[Loss]:
    worker = book.birth.worker
    for line in book.records:
        if line.startswith(b"death "):
            record = read_record(line)
            body = record.body
            test = "" if record.test == NOBODY else plan.tests[record.test].id
            detail = f"{body.get('cause', '')}, status {body.get('code')}"
            yield Loss(worker=worker, cause="crashed", test=test, detail=detail)
    if book.tomb is not None and not book.tomb.is_orderly:
        lost = _lost_seconds(book)
        yield Loss(worker=worker, cause=book.tomb.cause, repeated_seconds=lost, detail=book.tomb.detail)


def _span(book: Book, origin: float) -> WorkerSpan:
    birth, story = book.birth, book.story or PlaceStory()
    ended = book.tomb.wall if book.tomb is not None else birth.wall
    started = birth.wall - origin
    return WorkerSpan(
        worker=birth.worker,
        slot=birth.slot,
        place=birth.place,
        started=started,
        ended=max(started, ended - origin),
        log=birth.log,
        node=story.node,
        stages=_stages(book, origin),
        pull_seconds=story.pull_seconds,
        taken=_taken(book),
        lost_seconds=_lost_seconds(book),
        host=story.node or (birth.place if birth.launcher in (LOCAL, SSH) else ""),
        queue=birth.queue.rpartition("/")[2],
        is_remote=birth.launcher == SSH,
    )


def _stages(book: Book, origin: float) -> tuple[Stage, ...]:
    if book.story is None:
        return ()
    birth, first = book.birth.wall, first_start(book.records)
    found = stages_of(book.story, birth, birth + first if first is not None else None)
    return tuple(Stage(name=each.name, began=each.began - origin, ended=each.ended - origin) for each in found)


def _taken(book: Book) -> str:
    """By its engine's word, or by what its tombstone says."""
    if book.story is not None and book.story.disruption:
        return book.story.disruption
    return book.tomb.cause if book.tomb is not None and book.tomb.cause in DISRUPTIONS else ""


def _lost_seconds(book: Book) -> float:
    """Nothing is lost of who ended when all was done."""
    if book.tomb is None or not book.tomb.wall or book.tomb.cause in ("finished", "closed"):
        return 0.0
    return round(lost_seconds(book.records, max(0.0, book.tomb.wall - book.birth.wall)), 3)


def _counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    found: dict[str, int] = {}
    for outcome in outcomes:
        found[outcome.result.verdict.value] = found.get(outcome.result.verdict.value, 0) + 1
    return found
