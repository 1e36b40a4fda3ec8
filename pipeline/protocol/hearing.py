"""Follow the journals of workers elsewhere, and tell of them as workers in this process tell of themselves.

Each record is read once, whatever the journal's length. What a worker did before this agent came is counted, not told. A
record that was heard may turn out not to be sealed: then the worker's tombstone takes it back (see `progress`). It must
not decide anything: the leader looks at what is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from attrs import define, field, frozen

from pipeline.errors import StoreDamaged, StoreUnavailable
from pipeline.logic.objects import Birth, Tomb
from pipeline.logic.records import NOBODY, Record, read_record
from pipeline.logic.trails import is_bad
from pipeline.model.codec import result_from_json
from pipeline.model.events import (
    BatchClaimed,
    TestFinished,
    TestSlow,
    TestStarted,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
    WorkerStarted,
)
from pipeline.model.verdicts import Result, Verdict
from pipeline.ports import Clock, Emit
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.view import RunView

TOGETHER = 16
"""Journals that are read at once."""


@define(eq=False)
class Ear:
    """What is known of one worker elsewhere."""

    birth: Birth
    since: float
    position: str = ""
    attempts: set[tuple[int, int]] = field(factory=set)
    finals: set[tuple[int, int]] = field(factory=set)
    """(test, attempt) of the final records heard."""
    flying: tuple[int, int] | None = None
    """(test, attempt) that has started and not ended."""
    flying_since: float = 0.0
    warned: int = 0
    is_told: bool = False


@frozen(kw_only=True)
class Hearer:
    """Hears workers that are not this process's own."""

    run: str
    store: CertainStore
    view: RunView
    clock: Clock
    emit: Emit
    slow_after_seconds: float
    is_own: Callable[[str], bool]
    """Whether that worker shares the view, and so tells of itself."""
    births: Callable[[], Awaitable[Sequence[str]]]
    """Names of all workers; may leave out some that were born since the last look."""
    ears: dict[str, Ear] = field(factory=dict)
    done: set[str] = field(factory=set)
    """Workers that have ended, of which everything has been told."""
    turn: asyncio.Lock = field(factory=asyncio.Lock)
    """One look at a time: each goes on where the last one ended."""

    async def catch_up(self) -> None:
        """Count what living workers elsewhere have done before; nothing of it will be told. Waits out outages."""
        for name in await self._living():
            await self._meet(name)
            ear = self.ears.get(name)
            if ear is not None:
                lines, ear.position = await self.store.records_from(keys.journal(self.run, name), ear.position)
                self._take(name, ear, lines, told=False)
        self.done.update(self.view.tombs)

    async def hear_for_ever(self, seconds: float) -> None:
        """Hear, again and again. What the store refuses to tell now is heard the next time."""
        while True:
            try:
                await self.hear()
            except StoreUnavailable:
                pass
            await self.clock.sleep(seconds)

    async def hear(self) -> None:
        """Tell what is new. Raises `StoreUnavailable`."""
        async with self.turn:
            living = await self._living()
            for start in range(0, len(living), TOGETHER):
                some = [self._hear_one(name) for name in living[start : start + TOGETHER]]
                faults = [each for each in await asyncio.gather(*some, return_exceptions=True) if each is not None]
                if faults:
                    raise faults[0]
            for name in [name for name in self.view.tombs if not (name in self.done or self.is_own(name))]:
                await self._hear_last(name, self.view.tombs[name])

    async def _hear_one(self, name: str) -> None:
        await self._meet(name)
        ear = self.ears.get(name)
        if ear is not None:
            self._introduce(name, ear)
            await self._follow(name, ear)
            self._warn_of_slow(name, ear)

    async def _living(self) -> list[str]:
        births = await self.births()
        return [name for name in births if not (name in self.view.tombs or name in self.done or self.is_own(name))]

    async def _meet(self, name: str) -> None:
        if name not in self.ears and (birth := await self.view.read_birth(name)) is not None:
            self.ears[name] = Ear(birth, self.clock.monotonic())

    async def _follow(self, name: str, ear: Ear) -> None:
        journal = self.store.store.journal(keys.journal(self.run, name))
        lines, position = await journal.read_from(ear.position)
        if may_count(self.view, name):
            ear.position = position
            self._take(name, ear, lines, told=True)

    async def _hear_last(self, name: str, tomb: Tomb) -> None:
        """Tell what was sealed and salvaged, then the end. Its tombstone has been counted by then."""
        await self._meet(name)
        ear = self.ears.get(name)
        if ear is None:
            self.done.add(name)
            return
        lines, _ = await self.store.store.journal(keys.journal(self.run, name)).read_from(ear.position)
        self.done.add(name)
        self._introduce(name, ear)
        self._take(name, ear, [*lines, *(line.encode("utf-8", "surrogatepass") for line in tomb.salvaged)], told=True)
        self._tell_end(name, ear, tomb)

    # Telling.

    def _introduce(self, name: str, ear: Ear) -> None:
        if ear.is_told:
            return
        ear.is_told = True
        birth = ear.birth
        self.emit(
            WorkerStarted(
                time=self.clock.wall(),
                worker=name,
                slot=birth.slot,
                launcher=birth.launcher,
                place=birth.place,
                log=birth.log,
            )
        )
        if ear.flying is not None:
            self._tell_start(name, *ear.flying)

    def _take(self, name: str, ear: Ear, lines: Sequence[bytes], *, told: bool) -> None:
        for line in lines:
            record = self._read(line)
            if told:
                self._tell(name, ear, record)
            self._note(name, ear, record)

    def _read(self, line: bytes) -> Record:
        """A record of this plan: tests may write where their worker writes. Raises `StoreDamaged`."""
        record, plan = read_record(line), self.view.plan
        if not NOBODY <= record.test < len(plan.tests) or not NOBODY <= record.batch < len(plan.batches):
            raise StoreDamaged(f"journal record is damaged: {line[:40]!r} is about nothing that the plan has")
        if record.test == NOBODY and record.kind in ("start", "final"):
            raise StoreDamaged(f"journal record is damaged: {line[:40]!r} is about no test")
        return record

    def _note(self, name: str, ear: Ear, record: Record) -> None:
        """Count a record, and remember which test is in flight."""
        ear.attempts.add((record.batch, record.attempt))
        if record.kind == "start":
            ear.flying, ear.flying_since, ear.warned = (record.test, record.attempt), self.clock.monotonic(), 0
        elif record.kind in ("final", "death") and ear.flying == (record.test, record.attempt):
            ear.flying = None
        if record.kind == "final":
            ear.finals.add((record.test, record.attempt))
            self.view.progress.add(name, record.test, bad=is_bad(record))

    def _tell(self, name: str, ear: Ear, record: Record) -> None:
        if record.kind == "ready":
            seconds = record.body.get("seconds")
            seconds = float(seconds) if isinstance(seconds, int | float) else 0.0
            self.emit(WorkerReady(time=self.clock.wall(), worker=name, seconds=seconds))
        if record.batch == NOBODY:
            return
        if (record.batch, record.attempt) not in ear.attempts:
            self._tell_claim(name, ear, record)
        if record.kind == "start":
            self._tell_start(name, record.test, record.attempt)
        elif record.kind == "final" and (record.test, record.attempt) not in ear.finals:
            self._tell_result(name, record)
        elif record.kind == "death" and record.body.get("charge"):
            self._tell_death(name, ear, record)

    def _tell_claim(self, name: str, ear: Ear, record: Record) -> None:
        batch = self.view.plan.batches[record.batch]
        tests = len(self.view.remaining(record.batch)) if record.attempt > 1 else len(batch.tests)
        self.emit(
            BatchClaimed(
                time=self.clock.wall(),
                worker=name,
                batch=record.batch,
                attempt=record.attempt,
                tests=tests,
                stolen=batch.bucket != ear.birth.bucket,
            )
        )

    def _tell_start(self, name: str, test: int, attempt: int) -> None:
        self.emit(TestStarted(time=self.clock.wall(), worker=name, test=self._id(test), attempt=attempt))

    def _tell_result(self, name: str, record: Record) -> None:
        test = self._id(record.test)
        try:
            result = result_from_json(test, record.body)
        except ValueError as error:
            result = Result(test=test, verdict=Verdict.ERROR, message=f"its record is damaged: {error}")
        self.view.progress.add(name, record.test, bad=result.verdict.is_bad)  # Before the leader looks.
        self.emit(TestFinished(time=self.clock.wall(), worker=name, result=result, attempt=record.attempt))

    def _tell_death(self, name: str, ear: Ear, record: Record) -> None:
        body, code = record.body, record.body.get("code")
        cause = str(body.get("cause", ""))
        self.emit(
            WorkerLost(
                time=self.clock.wall(),
                worker=name,
                cause="crashed",
                test="" if record.test == NOBODY else self._id(record.test),
                proof=bool(body.get("proof")),
                repeated_seconds=self._flying_seconds(ear),
                detail=cause if code is None else f"{cause}, status {code}",
            )
        )

    def _tell_end(self, name: str, ear: Ear, tomb: Tomb) -> None:
        age = round(self.clock.monotonic() - ear.since, 3)
        if tomb.is_orderly and tomb.cause != "engine":
            self.emit(
                WorkerEnded(
                    time=self.clock.wall(), worker=name, tests=len({test for test, _ in ear.finals}), busy_seconds=age
                )
            )
            return
        self.emit(
            WorkerLost(
                time=self.clock.wall(),
                worker=name,
                cause=tomb.cause,
                test="" if ear.flying is None else self._id(ear.flying[0]),
                proof=tomb.proof,
                repeated_seconds=self._flying_seconds(ear),
                detail=tomb.detail,
            )
        )

    def _warn_of_slow(self, name: str, ear: Ear) -> None:
        """By this process's own clock, from when the start was heard."""
        seconds = self._flying_seconds(ear)
        times = int(seconds // self.slow_after_seconds)
        if ear.flying is not None and times > ear.warned:
            ear.warned = times
            test = self._id(ear.flying[0])
            self.emit(TestSlow(time=self.clock.wall(), worker=name, test=test, seconds=round(seconds, 1)))

    def _flying_seconds(self, ear: Ear) -> float:
        return self.clock.monotonic() - ear.flying_since if ear.flying is not None else 0.0

    def _id(self, test: int) -> str:
        return self.view.plan.tests[test].id


async def list_births(store: CertainStore, run: str) -> list[str]:
    """Names of all workers of a run. Raises `StoreUnavailable`."""
    return [keys.last(entry.key) for entry in await store.store.list(keys.workers(run))]


def may_count(view: RunView, worker: str) -> bool:
    """Whether what was heard counts as it is: not once the tombstone is known, which says what counts."""
    return worker not in view.tombs
