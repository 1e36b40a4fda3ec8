"""The leader: keeps enough workers alive, buries the dead, decides when and how the run ends.

Its rules only decide who works when; two leaders at once are harmless, because claims, tombstones and the close are.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from attrs import evolve, frozen

from pipeline.errors import EXIT_UNTRUSTWORTHY, EngineError
from pipeline.logic.merging import FAIL_FAST
from pipeline.logic.objects import Tomb
from pipeline.model.events import Event, Notice, RunClosed, RunStarted, TestFinished, WorkerEnded, WorkerLost
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.ports import Clock, Emit, Launcher, Store
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.closing import COMPLETE, Closer, close, is_closed
from pipeline.protocol.gathering import gather
from pipeline.protocol.hiring import Crew, Hirer
from pipeline.protocol.limits import Limits
from pipeline.protocol.local import LocalHirer
from pipeline.protocol.observing import Observer
from pipeline.protocol.orders import Orders, Stop, first_of
from pipeline.protocol.outages import Outages
from pipeline.protocol.staffing import Staff
from pipeline.protocol.supervising import Life
from pipeline.protocol.terms import take_term
from pipeline.protocol.view import RunView


@frozen(kw_only=True)
class Ending:
    """How the leader's work ended."""

    merged: MergedRun
    closed: bool
    """Whether the run is over; if not, the same command goes on with it."""
    exit_code: int
    reason: str = ""
    """Why it ended, for people."""


def new_nonce() -> str:
    """A word nobody else has."""
    return secrets.token_hex(8)


async def lead(
    *,
    run: str,
    plan: Plan,
    store: Store,
    launcher: Launcher,
    clock: Clock,
    emit: Emit,
    limits: Limits,
    workers: int,
    stop: Stop,
    sources_unchanged: Callable[[], bool] = lambda: True,
    errors: tuple[str, ...] = (),
    hirer: Callable[[Leader], Hirer] | None = None,
    nonces: Callable[[], str] = new_nonce,
    store_name: str = "",
    expected_seconds: float = 0.0,
) -> Ending:
    """Carry the run out, or go on with it. `errors` make its result untrustworthy whatever the verdicts are."""
    leader = Leader(run, plan, store, launcher, clock, emit, limits, workers, stop, nonces)
    leader.sources_unchanged, leader.errors = sources_unchanged, errors
    leader.hirer = hirer(leader) if hirer is not None else LocalHirer(leader)
    await leader.begin()
    emit(
        RunStarted(
            time=clock.wall(),
            run=run,
            plan=plan.digest,
            tests=len(plan.tests),
            batches=len(plan.batches),
            workers=workers,
            expected_seconds=expected_seconds,
            done_before=leader.view.progress.done,
            store=store_name,
        )
    )
    try:
        return await leader.carry_on()
    finally:
        await leader.let_go()


class Leader:
    """One agent's term."""

    def __init__(
        self,
        run: str,
        plan: Plan,
        store: Store,
        launcher: Launcher,
        clock: Clock,
        emit: Emit,
        limits: Limits,
        workers: int,
        stop: Stop,
        nonces: Callable[[], str],
    ) -> None:
        self.run, self.plan, self.launcher, self.clock, self.limits = run, plan, launcher, clock, limits
        outages = Outages(clock, self._notice)
        self.store = CertainStore(store, clock, limits.retry_seconds, limits.outage_seconds, outages)
        self.workers, self.stop, self.nonces = workers, stop, nonces
        self.view = RunView(run, plan, self.store, clock, limits.lease_seconds)
        self.orders = Orders()
        self.crew = Crew(workers)
        self.nonce = nonces()
        self.term = 0
        self._told: set[str] = set()
        self._begun_watching = False
        self.fault = ""
        self.living: list[str] = []
        self.hirer: Hirer
        self.sources_unchanged: Callable[[], bool]
        self.errors: tuple[str, ...] = ()
        self._emit = emit
        self.news = asyncio.Event()
        self._observer: Observer
        self._looking: asyncio.Task[None]
        self._begun = clock.monotonic()
        self._watched = float("-inf")
        self._staff = Staff(self)
        stop.wakes(self.news)

    def emit(self, event: Event) -> None:
        """Count what the leader decides by, and pass the event on."""
        if type(event) is TestFinished and (self.view.progress.is_complete or self._fails_fast()):
            self.news.set()
        self._emit(event)

    async def begin(self) -> None:
        """Take a term and learn what there is."""
        self.term = await take_term(self.store, self.run, self.plan, nonce=self.nonce, clock=self.clock)
        self._observer = Observer(
            run=self.run,
            plan=self.plan,
            store=self.store,
            launcher=self.launcher,
            clock=self.clock,
            view=self.view,
            lease_seconds=self.limits.lease_seconds,
            nonce=self.nonce,
            by=f"term {self.term}",
            sights={},
            watched=[],
            asked=set(),
        )
        await self._watch()
        self._looking = asyncio.ensure_future(self._observer.look_for_ever())

    async def carry_on(self) -> Ending:
        """Step until the run ends."""
        while True:
            self.news.clear()
            if self._looking.done():
                self._looking.result()
            self._reap()
            if self.clock.monotonic() - self._watched >= self.limits.watch_seconds:
                await self._watch()
            reason = await self._reason_to_end()
            if reason:
                ending = await self._end(reason)
                if ending is not None:
                    return ending
                continue
            await self._staff.hire(self.living)
            await first_of(self.news, self.clock, self.limits.watch_seconds)

    async def let_go(self) -> None:
        """Leave no supervisor behind."""
        self.orders.is_stopped.set()
        tasks = [*self.crew.tasks, self._looking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.hirer.let_go()

    async def _watch(self) -> None:
        await self.view.refresh()
        self.living, _ = await self._observer.watch(self.crew.holds)
        await self.view.refresh(self.limits.watch_seconds / 2)
        self._tell_losses()
        self._dismiss_absent()
        await self._hear_foreigners()
        self._watched = self.clock.monotonic()

    def _tell_losses(self) -> None:
        """Tell of each worker that somebody had to bury, once."""
        for name, tomb in self.view.tombs.items():
            if name in self._told:
                continue
            self._told.add(name)
            self.orders.wake()
            if not tomb.is_orderly and self._begun_watching:
                self._tell_loss(tomb)
        self._begun_watching = True

    def _tell_loss(self, tomb: Tomb) -> None:
        flying = self.view.flying(tomb.worker)
        test = "" if flying is None else self.plan.tests[flying].id
        time = self.clock.wall()
        self.emit(
            WorkerLost(time=time, worker=tomb.worker, cause=tomb.cause, test=test, proof=tomb.proof, detail=tomb.detail)
        )

    def _dismiss_absent(self) -> None:
        """Free the slots of workers that live elsewhere and have a tombstone, whoever wrote it, or were never born."""
        if self.hirer.is_local:
            return
        unborn = self.crew.hired_before(self.clock.monotonic() - self.limits.birth_seconds) - set(self.living)
        for name in self.crew.hired:
            if name in self.view.tombs or name in unborn:
                self.crew.dismiss(name)

    async def _hear_foreigners(self) -> None:
        """Count what living workers have done that do not share this process's view."""
        for name in self.living:
            if not (self.hirer.is_local and self.crew.holds(name)):
                await self.view.hear(name)

    def _reap(self) -> None:
        for name, task in self.crew.reap():
            self._watched = float("-inf")
            life = _life(task)
            self._observer.asked.discard(name)
            if not life.cause:
                continue  # Known from its tombstone, which the next look writes.
            if life.error is not None and life.error.permanent:
                self.fault = self.fault or str(life.error)
            if life.cause in ("finished", "stopped"):
                self.emit(
                    WorkerEnded(
                        time=self.clock.wall(), worker=name, tests=life.tests, busy_seconds=round(life.seconds, 3)
                    )
                )
            else:
                self._told.add(name)
                self.emit(WorkerLost(time=self.clock.wall(), worker=name, cause=life.cause, detail=life.detail))

    async def _reason_to_end(self) -> str:
        if self.stop.count:
            return "stopped"
        if self.view.ending or await self._is_closed_by_others():
            return "ending"
        if self._fails_fast():
            return FAIL_FAST
        if self.view.progress.is_complete:
            return COMPLETE
        limit = self.limits.run_timeout_seconds
        if limit is not None and self.clock.monotonic() - self._begun >= limit:
            return "run timed out"
        if self.crew.size == 0 and self.fault:
            return "engine failed"
        return "budget spent" if is_budget_spent(self.view.losses(self.term), self.limits) else ""

    async def _is_closed_by_others(self) -> bool:
        return self._watched == self.clock.monotonic() and await is_closed(self.store, self.run)

    def _fails_fast(self) -> bool:
        return 0 < self.plan.fail_fast <= self.view.progress.bad

    async def _end(self, reason: str) -> Ending | None:
        """End for that reason; None: the run goes on after all."""
        if reason == "stopped" and self.stop.count > 1:
            return await self._leave_open(reason)
        await self._dismiss(kindly=reason == COMPLETE)
        if reason in (COMPLETE, FAIL_FAST, "ending"):
            return await self._close(reason)
        return await self._leave_open(reason)

    async def _dismiss(self, *, kindly: bool) -> None:
        """Let own workers finish their harnesses, or stop them; a signal cuts this short."""
        self.orders.is_over = True
        if not kindly:
            self.orders.is_stopped.set()
        self.orders.wake()
        count = self.stop.count
        until = self.clock.monotonic() + self.limits.finish_seconds + 2 * self.limits.lease_seconds
        awaited = self.crew.tasks if self.hirer.is_local else self.crew.tasks_of(self.living)
        telling = asyncio.ensure_future(self.hirer.dismiss(self.living, kindly=kindly))
        while self.stop.count == count and self.clock.monotonic() < until:
            self.news.clear()
            if all(task.done() for task in awaited):
                break
            await first_of(self.news, self.clock, self.limits.watch_seconds)
        telling.cancel()
        self._reap()

    async def _close(self, reason: str) -> Ending | None:
        closer = Closer(self.run, self.plan, self.store, self.clock, self.nonce, f"term {self.term}")
        mixed = is_mixed(self.sources_unchanged)
        if mixed:
            self._notice("sources changed while the run went on: its result is shown, but nothing is up to date by it")
        stated = COMPLETE if reason == "ending" else reason
        merged = await close(closer, reason=stated, mixed=mixed, errors=self.errors)
        if merged is None:
            await self._go_on()
            return None
        return self._tell(merged, closed=True, exit_code=merged.exit_code, reason=merged.reason)

    async def _go_on(self) -> None:
        """A verdict was lacking: work again with new workers."""
        self._notice("a test's record did not become durable: the run goes on")
        self.orders.is_over = False
        self.orders.is_stopped.clear()
        await self._watch()

    async def _leave_open(self, reason: str) -> Ending:
        merged = await gather(self.store, self.run, self.plan)
        code = 128 + self.stop.signal_number if self.stop.count else EXIT_UNTRUSTWORTHY
        if reason == "engine failed":
            reason = f"{reason}: {self.fault}"
        return self._tell(evolve(merged, reason=reason), closed=False, exit_code=code, reason=reason)

    def _tell(self, merged: MergedRun, *, closed: bool, exit_code: int, reason: str) -> Ending:
        self.emit(
            RunClosed(
                time=self.clock.wall(),
                run=self.run,
                exit_code=exit_code,
                counts=merged.counts,
                missing=tuple(test for test, _ in merged.missing),
                seconds=round(self.clock.monotonic() - self._begun, 3),
                open=not closed,
                reason=reason,
            )
        )
        return Ending(merged=merged, closed=closed, exit_code=exit_code, reason=reason)

    def _notice(self, text: str) -> None:
        self.emit(Notice(time=self.clock.wall(), level="warning", text=text))


def is_mixed(sources_unchanged: Callable[[], bool]) -> bool:
    """Whether sources are not what the run was named by: asked again at close."""
    return not sources_unchanged()


def is_budget_spent(losses: int, limits: Limits) -> bool:
    """Whether so many workers have been lost in this term that the run is left open."""
    return losses > limits.max_losses


def _life(task: asyncio.Task[Life]) -> Life:
    if task.cancelled():
        return Life("stopped", 0, 0.0)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, EngineError):
        return Life("engine", 0, 0.0, str(error), error)
    return Life("unknown", 0, 0.0, f"{type(error).__name__}: {error}")
