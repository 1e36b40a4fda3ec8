"""Hire supervisors that live elsewhere, through a launcher of whole workers; what they did is known from the store only.

It must not know what a place is. A place that has ended without a tombstone is buried by the observer, with proof.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve

from pipeline.errors import EngineError, FleetError, StoreUnavailable
from pipeline.logic.objects import Birth
from pipeline.ports import Launcher
from pipeline.ports.places import Changing, Elsewhere, Hiring, PlaceEnd, Telling, Waiting
from pipeline.protocol import keys
from pipeline.protocol.changing import ChangingHirer
from pipeline.protocol.conditions import state_conditions
from pipeline.protocol.hiring import Hirer
from pipeline.protocol.stories import keep_stories
from pipeline.protocol.supervising import Life
from pipeline.protocol.tombs import read_tomb
from pipeline.protocol.waits import Waits

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader

LOOKS_PER_LEASE = 4
"""At places that should have ended."""
NODE_LOST = "node-lost"
HOPELESS = "this does not pass by itself: change the setting or the cluster, then run the same command again"
LEAVE_SECONDS = 8.0
"""For the place of a worker that has ended to end, too. One that is cut off, or frozen, does not."""
MOST_WAIT_SECONDS = 15.0
"""Between two tries to have a worker in a slot where none could be had."""


def hirer_of(launcher: Launcher) -> Callable[[Leader], Hirer] | None:
    """The hirer for a launcher of whole workers, or of machines that come and go; None: supervisors live with the leader, and so
    do their tests."""
    if isinstance(launcher, Changing):
        return partial(ChangingHirer, launcher)
    return partial(ApartHirer, launcher) if isinstance(launcher, Elsewhere) else None


class ApartHirer:
    """Starts workers in places."""

    is_local = False
    fails_by_slot = True

    def __init__(self, places: Elsewhere, leader: Leader) -> None:
        self._places, self._leader = places, leader
        self._lives: dict[str, asyncio.Task[Life]] = {}
        self._in_slot: dict[int, asyncio.Task[Life]] = {}
        """The latest."""
        self._stated: set[int] = set()
        self._stating = asyncio.Lock()
        self._failures: dict[int, int] = {}
        """In a row, by slot."""
        self._pauses: dict[int, int] = {}
        """Of places in a row that ended before their worker was born, by slot: so often the next one is waited for."""
        self._has_begun = False
        """Whether any worker could be had yet."""
        self._stopped: set[str] = set()
        """Workers that were ended from here."""
        self._waits = Waits(leader, places) if isinstance(places, Telling) else None
        if (heed := getattr(places, "heed", None)) is not None:
            heed(leader.look_again)

    def start(self, birth: Birth) -> asyncio.Task[Life]:
        """Start a worker. Cancelling the task does not end it: `let_go` does."""
        hiring = Hiring(
            run=self._leader.run,
            term=birth.term,
            worker=birth.worker,
            nonce=birth.nonce,
            slot=birth.slot,
            identity=birth.identity,
        )
        life = asyncio.ensure_future(self._live(hiring, self._in_slot.get(birth.slot)))
        self._lives[birth.worker] = self._in_slot[birth.slot] = life
        return asyncio.ensure_future(_outlived(life))

    async def dismiss(self, workers: Sequence[str], *, kindly: bool) -> None:
        """Unkindly: stop workers. Kindly: nothing, for they see the ending in the store."""
        if not kindly:
            await self._stop(workers, self._grace)

    def waiting(self) -> Collection[str]:
        """Workers whose places are known not to be there yet."""
        return self._waits.known() if self._waits is not None else ()

    def closed(self) -> Mapping[int, str]:
        """None: an engine that has no room says so when it is asked."""
        return {}

    async def keep_stories(self) -> None:
        """Write into the store what is known of the places of all workers there were."""
        leader, limits = self._leader, self._leader.limits
        if not isinstance(self._places, Telling) or leader.stop.count > 1:
            return
        with suppress(FleetError, TimeoutError):  # For people only.
            async with asyncio.timeout(limits.stop_seconds if leader.stop.count else limits.finish_seconds):
                await self._keep_stories(self._places)

    async def _keep_stories(self, places: Telling) -> None:
        leader = self._leader
        workers = [keys.last(entry.key) for entry in await leader.store.list(keys.workers(leader.run))]
        kept = {keys.last(entry.key) for entry in await leader.store.list(keys.places(leader.run))}
        left = [worker for worker in workers if worker not in kept]
        await keep_stories(leader.store, leader.view, places, left, by=f"term {leader.term}")

    async def _stop(self, workers: Sequence[str], grace_seconds: float) -> None:
        self._stopped.update(workers)
        try:
            await self._places.stop(self._leader.run, workers, grace_seconds=grace_seconds)
        except EngineError as error:
            self._leader.notice(f"workers could not be stopped: {error}")

    async def let_go(self) -> None:
        """Leave no place of this term, nor of the run when it is closed or nobody else leads it."""
        living = [worker for worker, life in self._lives.items() if not life.done()]
        self._stopped.update(living)
        if self._waits is not None:
            self._waits.close()
        closed, leads = await self._standing()
        try:
            await self._places.stop(
                self._leader.run, living, grace_seconds=0.0 if closed or self._leader.stop.count > 1 else self._grace
            )
            await asyncio.wait_for(asyncio.gather(*self._lives.values(), return_exceptions=True), self._grace)
        except (TimeoutError, EngineError):
            pass  # What is left is cleared next, or told.
        for life in self._lives.values():
            life.cancel()
        await asyncio.gather(*self._lives.values(), return_exceptions=True)
        try:
            await self._places.clear(self._leader.run, term=None if closed or leads else self._leader.term)
        except EngineError as error:  # What the tests have come to does not depend on it.
            if error.message in self._leader.why_not() and not self._has_begun:
                return  # There is no place, and why there is none is told.
            self._leader.notice(f"workers' places could not be removed, `doit sweep` does it: {error}")

    @property
    def _grace(self) -> float:
        return 2 * self._leader.limits.stop_seconds

    async def _standing(self) -> tuple[bool, bool]:
        """(whether the run is closed, whether this is the newest term), read once: the store may be what has failed."""
        leader = self._leader
        try:
            closed = await leader.store.store.read(keys.closed(leader.run)) is not None
            entries = await leader.store.store.list(keys.agents(leader.run))
        except StoreUnavailable:
            return False, False
        return closed, max((int(keys.last(entry.key)) for entry in entries), default=0) == leader.term

    async def _live(self, hiring: Hiring, before: asyncio.Task[Life] | None) -> Life:
        leader = self._leader
        begun = leader.clock.monotonic()
        try:
            await self._succeed(hiring, before)
            pauses = self._pauses.get(hiring.slot, 0)
            if pauses:
                await leader.clock.sleep(min(2.0 ** (pauses - 1), MOST_WAIT_SECONDS))
            await self._state(hiring.term)
            await self._places.begin(evolve(hiring, preemptions=leader.budgets.preemptions()))
            self._has_begun = True
            end = await self._ended(hiring)
        except EngineError as error:
            return self._not_had(hiring, error)
        return await self._told(hiring, end, leader.clock.monotonic() - begun)

    async def _succeed(self, hiring: Hiring, before: asyncio.Task[Life] | None) -> None:
        """Where an engine replaces places by itself: say which name is the slot's newest, and let the place of the worker
        before end. Its last word comes a moment sooner, and only its place tells what befell it and whether it is replaced."""
        if getattr(self._places, "replaces", False):
            leader = self._leader
            await leader.store.create(keys.hiring(leader.run, hiring.worker), hiring.nonce.encode("ascii"))
            if before is not None:
                await asyncio.wait({before}, timeout=LEAVE_SECONDS)

    def _watch_wait(self, hiring: Hiring) -> asyncio.Future[Waiting]:
        """Done when waiting for this worker has become hopeless."""
        hopeless: asyncio.Future[Waiting] = asyncio.get_running_loop().create_future()
        if self._waits is not None:
            self._waits.begin(hiring, lambda waiting: None if hopeless.done() else hopeless.set_result(waiting))
        return hopeless

    async def _ended(self, hiring: Hiring) -> PlaceEnd:
        """Wait for a place's end. One that others had to bury is killed at once: frozen, it could go on while another runs
        its exclusive test. One that goes on for a lease after its own tombstone is stopped."""
        leader = self._leader
        ending, hopeless = asyncio.ensure_future(self._places.ended(hiring)), self._watch_wait(hiring)
        either: set[asyncio.Future[Any]] = {ending, hopeless}
        looks = 0
        try:
            while not ending.done():
                pause = leader.limits.lease_seconds / LOOKS_PER_LEASE
                await asyncio.wait(either, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                if hopeless.done() and not ending.done():
                    await self._give_up(hiring, hopeless.result())
                tomb = leader.view.tombs.get(hiring.worker)
                looks += tomb is not None
                if tomb is not None and not tomb.is_orderly and not ending.done():
                    await self._see_lost_node(hiring)
                if tomb is not None and not ending.done() and (looks > LOOKS_PER_LEASE or not tomb.is_orderly):
                    await self._stop([hiring.worker], self._grace if tomb.is_orderly else 0.0)
            return ending.result()
        finally:
            ending.cancel()
            if self._waits is not None:
                self._waits.end(hiring.worker)

    async def _see_lost_node(self, hiring: Hiring) -> None:
        """A node may be known as lost only after its workers were buried as silent: then they were no losses."""
        birth = self._leader.view.births.get(hiring.worker)
        if birth is None or not isinstance(self._places, Telling):
            return
        story = await self._places.story(birth.identity)
        if story is not None and story.disruption == NODE_LOST:
            self._leader.place_ended(hiring.worker, PlaceEnd(code=None, cause=NODE_LOST, disruption=NODE_LOST))

    async def _give_up(self, hiring: Hiring, waiting: Waiting) -> None:
        """Nobody could help this place but a person. Raises `EngineError`; nothing of it is left then."""
        await self._stop([hiring.worker], 0.0)
        raise EngineError(f"no worker can start in slot {hiring.slot}: {waiting.text}", hint=HOPELESS)

    async def _state(self, term: int) -> None:
        leader = self._leader
        async with self._stating:
            if term not in self._stated:
                await state_conditions(
                    leader.store,
                    leader.run,
                    leader.plan,
                    term=term,
                    nonce=leader.nonce,
                    slots=leader.growth.most_slots,
                    limits=leader.limits,
                    specs=self._places.specs_there(),
                    pools=(*leader.pools, *leader.growth.spare),
                )
                self._stated.add(term)

    async def _told(self, hiring: Hiring, end: PlaceEnd, seconds: float) -> Life:
        """Whether a worker ever began. How it was then, the store tells: its tombstone, or the observer's with proof."""
        leader = self._leader
        if self._is_our_doing(hiring) and end.disruption != "fenced":
            end = evolve(end, disruption="")
        try:
            is_born = await leader.store.read(keys.worker(leader.run, hiring.worker)) is not None
            tomb = await read_tomb(leader.store, leader.run, hiring.worker) if is_born else None
        except FleetError as error:
            return Life("engine", 0, seconds, str(error))
        if is_born and isinstance(self._places, Telling):
            await keep_stories(leader.store, leader.view, self._places, [hiring.worker], by=f"term {leader.term}")
        if is_born and (tomb is None or tomb.cause != "engine"):
            self._failures.pop(hiring.slot, None)
            self._pauses.pop(hiring.slot, None)
            leader.place_ended(hiring.worker, end)
            return Life("finished", 0, seconds, end.detail)
        if leader.orders.is_stopped.is_set():
            return Life("stopped", 0, seconds)
        if tomb is None and end.disruption:
            self._pauses[hiring.slot] = self._pauses.get(hiring.slot, 0) + 1
            leader.place_ended(hiring.worker, end)
            return Life("stopped", 0, seconds, end.detail)
        why = tomb.detail if tomb is not None else f"ended before it began: {end.detail or end.code}"
        return self._failed(hiring, EngineError(f"worker {hiring.worker!r}: {why}"), seconds)

    def _is_our_doing(self, hiring: Hiring) -> bool:
        """Whether this leader has ended the worker, or is about to end all: then its engine had no reasons of its own."""
        return hiring.worker in self._stopped or self._leader.orders.is_over

    def _not_had(self, hiring: Hiring, error: EngineError) -> Life:
        """An engine that comes back is waited for; one that has never given us a worker is wrongly named, or not running."""
        failures = self._count_failure(hiring)
        if not self._has_begun and not isinstance(error, StoreUnavailable):
            error.permanent = error.permanent or failures >= self._leader.limits.max_failed_starts
        return Life("engine", 0, 0.0, "; ".join(filter(None, (error.message, error.hint))), error)

    def _failed(self, hiring: Hiring, fault: EngineError, seconds: float) -> Life:
        """A slot that fails again and again is no passing trouble."""
        fault.permanent = self._count_failure(hiring) >= self._leader.limits.max_failed_starts
        return Life("engine", 0, seconds, str(fault), fault)

    def _count_failure(self, hiring: Hiring) -> int:
        """In a row, for that slot."""
        self._failures[hiring.slot] = self._failures.get(hiring.slot, 0) + 1
        self._pauses[hiring.slot] = self._pauses.get(hiring.slot, 0) + 1
        return self._failures[hiring.slot]


async def _outlived(life: asyncio.Task[Life]) -> Life:
    return await asyncio.shield(life)
