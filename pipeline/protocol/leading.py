"""The leader: keeps enough workers alive, buries the dead, decides when and how the run ends.

Its rules only decide who works when; two leaders at once are harmless, because claims, tombstones and the close are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from pipeline.errors import EngineError
from pipeline.logic.objects import Tomb
from pipeline.model.events import Event, Notice, RunStarted, TestFinished, WorkerEnded, WorkerLost, WorkerTaken
from pipeline.ports import Launcher
from pipeline.ports.places import PlaceEnd
from pipeline.protocol.budgets import Budgets
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.finishing import Ending, Finisher
from pipeline.protocol.growing import Growth
from pipeline.protocol.hearing import Hearer, list_births
from pipeline.protocol.hiring import Crew, Hirer
from pipeline.protocol.hopeless import reasons
from pipeline.protocol.local import LocalHirer
from pipeline.protocol.mandate import Mandate
from pipeline.protocol.observing import Observer
from pipeline.protocol.orders import Orders, first_of
from pipeline.protocol.outages import Outages
from pipeline.protocol.rooms import rooms_of
from pipeline.protocol.seats import take_seat
from pipeline.protocol.shares import Share
from pipeline.protocol.staffing import Staff
from pipeline.protocol.stories import read_stories
from pipeline.protocol.supervising import Life
from pipeline.protocol.terms import take_term
from pipeline.protocol.view import HARMLESS, RunView


async def lead(mandate: Mandate, hirer: Callable[[Leader], Hirer] | None = None) -> Ending:
    """Carry the run out, or go on with it; with workers of this process, if no other hirer is given."""
    leader = Leader(mandate)
    leader.hirer = hirer(leader) if hirer is not None else LocalHirer(leader)
    await leader.begin()
    mandate.emit(
        RunStarted(
            time=mandate.clock.wall(),
            run=mandate.run,
            plan=mandate.plan.digest,
            tests=len(mandate.plan.tests),
            batches=len(mandate.plan.batches),
            workers=mandate.workers,
            expected_seconds=mandate.expected_seconds,
            done_before=leader.view.progress.done,
            store=mandate.store_name,
        )
    )
    leader.attend()
    try:
        return await leader.carry_on()
    finally:
        await leader.let_go()


class Leader:
    """One agent's term."""

    def __init__(self, mandate: Mandate) -> None:
        run, plan, clock, limits = mandate.run, mandate.plan, mandate.clock, mandate.limits
        self.run, self.plan, self.clock, self.limits = run, plan, clock, limits
        self.launcher: Launcher = mandate.launcher
        outages = Outages(clock, self.notice)
        self.store = CertainStore(mandate.store, clock, limits.retry_seconds, limits.outage_seconds, outages)
        self.workers, self.pools, self.seating = mandate.workers, mandate.pools, mandate.seating
        self.stop, self.joining = mandate.stop, mandate.joining
        self.share = Share(self.plan, mandate.joining.share if mandate.joining is not None else ())
        self.nonces, self.sources_unchanged, self.errors = mandate.nonces, mandate.sources_unchanged, mandate.errors
        self.view = RunView(run, plan, self.store, clock, limits.lease_seconds, joined=mandate.joining is not None)
        self.orders = Orders()
        self.crew = Crew(range(mandate.workers))
        self.nonce = mandate.nonces()
        self.term = 0
        self._told: set[str] = set()
        self.fault = ""
        self.living: list[str] = []
        self.hirer: Hirer
        self._emit = mandate.emit
        self.news = asyncio.Event()
        self._observer: Observer
        self._sides: list[asyncio.Task[None]] = []
        self._ended_elsewhere: dict[str, Life] = {}
        self.budgets = Budgets(self.view)
        self.hopeless: dict[int, str] = {}
        """Slots in which no worker elsewhere can be had, and why."""
        self._has_lived = False
        """Whether any worker of this term was born elsewhere."""
        self._taken: set[str] = set()
        """Workers that are to be told of as taken away."""
        self._troubles: set[str] = set()
        """Why, each told once."""
        self._begun = clock.monotonic()
        self._watched = float("-inf")
        self._has_watched = False
        self.growth = Growth(self, mandate.spare, mandate.room)
        self.rooms = rooms_of(self.seating, clock)
        self._staff = Staff(self)
        self._finisher = Finisher(self)
        self.hearer = Hearer(
            run=run,
            store=self.store,
            view=self.view,
            clock=clock,
            emit=self.emit,
            slow_after_seconds=limits.slow_after_seconds,
            is_own=self.is_own,
            births=self._births,
        )
        self.stop.wakes(self.news)

    def emit(self, event: Event) -> None:
        """Count what the leader decides by, and pass the event on."""
        if type(event) is TestFinished and (self.view.progress.is_complete or self.fails_fast()):
            self.news.set()
        self._emit(event)

    def is_own(self, worker: str) -> bool:
        """Whether that worker is or was a part of this process, and tells of itself."""
        return self.hirer.is_local and worker in self.crew.names

    async def _births(self) -> Sequence[str]:
        """Who may have to be heard. Nobody of ours is elsewhere where all are hired here: others' are seen by `watch`."""
        return self._observer.watched if self.hirer.is_local else await list_births(self.store, self.run)

    def fails_fast(self) -> bool:
        """Whether there are so many bad verdicts that the rest is not run."""
        return 0 < self.plan.fail_fast <= self.view.progress.bad

    def beats(self) -> dict[str, str]:
        """The newest heartbeat seen of each worker, by name."""
        return {name: sight.version for name, sight in self._observer.sights.items()}

    def age(self) -> float:
        """Seconds since this leader began."""
        return self.clock.monotonic() - self._begun

    def has_just_watched(self) -> bool:
        """Whether this step has looked at the store."""
        return self._has_watched

    async def begin(self) -> None:
        """Take a term and learn what there is."""
        if self.joining is None:
            self.term = await take_term(self.store, self.run, self.plan, nonce=self.nonce, clock=self.clock)
        else:
            await take_seat(self, self.joining)
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
        if not self.hirer.is_local:
            stories = await read_stories(self.store, self.run)
            self.budgets.before = {worker: story.disruption for worker, story in stories.items() if story.disruption}
        await self.watch()
        await self.hearer.catch_up()

    def attend(self) -> None:
        """Look and listen from now on."""
        hearing = self.hearer.hear_for_ever(self.limits.hear_seconds)
        self._sides = [asyncio.ensure_future(each) for each in (self._observer.look_for_ever(), hearing)]

    async def carry_on(self) -> Ending:
        """Step until the run ends."""
        while True:
            self.news.clear()
            for side in self._sides:
                if side.done():
                    side.result()
            self.reap()
            self._has_watched = self.clock.monotonic() - self._watched >= self.limits.watch_seconds
            if self._has_watched:
                await self.watch()
            reason = await self._finisher.reason()
            if reason:
                ending = await self._finisher.end(reason)
                if ending is not None:
                    return ending
                continue
            self.growth.consider(await self._staff.hire(self.living))
            await first_of(self.news, self.clock, self.limits.watch_seconds)

    async def let_go(self) -> None:
        """Leave no supervisor behind."""
        self.orders.is_stopped.set()
        if self.rooms is not None:
            self.rooms.close()
        tasks = [*self.crew.tasks, *self._sides, *self.growth.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.hirer.let_go()

    async def watch(self) -> None:
        """Learn who lives and bury who does not."""
        await self.view.refresh()
        self.living, buried = await self._observer.watch(self.crew.holds)
        await self.view.refresh(0.0 if buried else self.limits.watch_seconds / 2)
        self._tell_losses()
        self._tell_unborn()
        self._tell_taken()
        self._dismiss_absent()
        self._watched = self.clock.monotonic()

    def _tell_losses(self) -> None:
        """Tell of each worker of this process that somebody had to bury, once; wake who waits for its work."""
        for name, tomb in self.view.tombs.items():
            if name in self._told:
                continue
            self._told.add(name)
            self.orders.wake()
            if not tomb.is_orderly and self.is_own(name):
                self._tell_loss(tomb)

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
        now = self.clock.monotonic()
        self.crew.touch(self.hirer.waiting(), now)
        unborn = self.crew.hired_before(now - self.limits.birth_seconds) - set(self.living)
        for name in self.crew.hired:
            if name in self.view.tombs or name in unborn:
                self.crew.dismiss(name)

    def reap(self) -> None:
        """Take out the workers whose supervisor has ended, and tell how; those elsewhere are told of by `Hearer`."""
        for name, slot, task in self.crew.reap():
            self._watched = float("-inf")
            life = _life(task)
            self._observer.asked.discard(name)
            if life.error is not None and life.error.permanent:
                self._give_up(slot, str(life.error))
            if not self.hirer.is_local:
                self._ended_elsewhere[name] = life
            elif not life.was_born:
                self.crew.forget(name)  # From now on it is heard as any worker elsewhere.
            elif life.cause in ("finished", "stopped"):
                self.emit(
                    WorkerEnded(
                        time=self.clock.wall(), worker=name, tests=life.tests, busy_seconds=round(life.seconds, 3)
                    )
                )
            else:
                self._told.add(name)
                self._emit_loss(name, life)

    def _tell_unborn(self) -> None:
        """Tell of workers elsewhere that ended before they were born: they have no tombstone, but cost the budget."""
        ended, self._ended_elsewhere = self._ended_elsewhere, {}
        for name, life in ended.items():
            if name not in self.living and name not in self.view.tombs and life.cause not in HARMLESS:
                self.budgets.unborn += self._has_lived  # Else none can be had at all: each slot gives up by itself.
                if life.detail not in self._troubles:
                    self._emit_loss(name, life)
                self._troubles.add(life.detail)

    def _give_up(self, slot: int, why: str) -> None:
        """No worker can be had: here at all, elsewhere in that slot, while others live or may start."""
        if not self.hirer.fails_by_slot:
            self.fault = self.fault or why
        else:
            self.hopeless[slot] = why

    def place_ended(self, worker: str, end: PlaceEnd) -> None:
        """The place of a worker elsewhere is gone; it may have been given up before."""
        known = self.budgets.ends.get(worker)
        if known is not None and known.disruption:
            return  # It was lost with its node; what came of it later is our own doing.
        self.budgets.ends[worker] = end
        if end.disruption:
            self._taken.add(worker)
            self.news.set()

    def cannot_go_on(self) -> bool:
        """Whether what is left to do can be done by nobody who lives or may start."""
        if not self.hirer.fails_by_slot:
            return self.crew.size == 0 and bool(self.fault)
        return bool(self.hopeless) and self._staff.is_stuck(self.living)

    def why_not(self) -> str:
        """Why nobody can start, for people."""
        return self.fault or reasons(self.hopeless)

    def _tell_taken(self) -> None:
        """Tell of each worker that was taken away once. `Hearer` tells of those that could not end in order."""
        for name in sorted(self._taken - set(self.living)):
            tomb, end = self.view.tombs.get(name), self.budgets.ends[name]
            self._taken.discard(name)
            if tomb is None or tomb.is_orderly:
                told = WorkerTaken(time=self.clock.wall(), worker=name, cause=end.disruption, detail=end.detail)
                self.emit(told)

    def _emit_loss(self, name: str, life: Life) -> None:
        self.emit(WorkerLost(time=self.clock.wall(), worker=name, cause=life.cause, detail=life.detail))

    async def go_on(self) -> None:
        """A verdict was lacking: work again with new workers."""
        self.notice("a test's record did not become durable: the run goes on")
        self.orders.is_over = False
        self.orders.is_stopped.clear()
        await self.watch()

    def look_again(self) -> None:
        """Workers elsewhere may have ended of whom nobody here waits: ask about all of them now."""
        self._observer.asked.clear()
        self._watched = float("-inf")
        self.news.set()

    def notice(self, text: str) -> None:
        """Tell a person."""
        self.emit(Notice(time=self.clock.wall(), level="warning", text=text))


def _life(task: asyncio.Task[Life]) -> Life:
    if task.cancelled():
        return Life("stopped", 0, 0.0)
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, EngineError):
        return Life("engine", 0, 0.0, str(error), error)
    return Life("unknown", 0, 0.0, f"{type(error).__name__}: {error}")
