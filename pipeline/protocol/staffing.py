"""How many workers there should be, and who may start them: never more than there is work, only the newest term.

Each pool is staffed for its own work. Two agents that misjudge this do double work at worst, never harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define

from pipeline.logic.objects import Birth
from pipeline.logic.pooling import suites_of
from pipeline.protocol import keys
from pipeline.protocol.seated import serves_anything, wanted_seats
from pipeline.protocol.terms import newest_term, take_term

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader

Present = Mapping[str, tuple[int, Collection[str]]]
"""Who lives, by name: slot, and the suites it may run, none named: all."""


@define
class _Need:
    """What one pool still needs."""

    slots: Sequence[int]
    workers: int
    """As many more may it have."""
    batches: int
    """As many wait for a worker."""

    def is_open(self) -> bool:
        """Whether it needs anybody."""
        return self.workers > 0 and self.batches > 0

    def hire(self) -> None:
        """Count one that is hired."""
        self.workers -= 1
        self.batches -= 1


class Staff:
    """Hires for one leader."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._ordinals: dict[int, int] = {}
        suites = (leader.plan.tests[batch.tests[0]].suite for batch in leader.plan.batches)
        self._batches = Counter(suites)

    async def hire(self, living: Sequence[str]) -> Mapping[str, int]:
        """Start workers up to the number asked for, but never more than there is work.

        Batches that wait where all slots are taken, by pool.
        """
        leader = self._leader
        await self._make_way()
        present = await self._present(living)
        wanted = self._wanted(present)
        if not wanted:
            return self._waiting(present) if leader.growth.spare else {}
        if not await self._leads(present):
            return {}
        for slot in wanted:
            birth = await self._birth(slot)
            task = leader.hirer.start(birth)
            task.add_done_callback(lambda _: leader.news.set())
            leader.crew.add(birth, task, leader.clock.monotonic())
        return {}

    async def _present(self, living: Sequence[str]) -> Present:
        """Ours, and those of other terms that live."""
        leader = self._leader
        ours = {name: (slot, suites_of(leader.pools, slot)) for name, slot in leader.crew.slots.items()}
        births = [await leader.view.read_birth(name) for name in living if name not in ours]
        others = {birth.worker: (birth.slot, birth.suites) for birth in births if birth is not None}
        if leader.joining is not None:  # Others staff their own slots, whatever is done here.
            others = {name: other for name, other in others.items() if other[0] in leader.crew.all_slots}
        return {**ours, **others}

    def _wanted(self, present: Present) -> list[int]:
        """Slots that need a worker now: for each of them, some pool has work that nobody idle will take."""
        leader = self._leader
        unfit = {*leader.hopeless, *leader.hirer.closed()}
        free = [slot for slot in leader.crew.free_slots(self._held(present)) if slot not in unfit]
        if leader.seating is not None:
            return wanted_seats(leader, leader.seating, free)
        needs = [*self._needs(present).values()] if free else []
        wanted = []
        for slot in free:
            own = [need for need in needs if slot in need.slots]
            if any(need.is_open() for need in own):
                wanted.append(slot)
                for need in own:
                    need.hire()
        return wanted

    def is_stuck(self, living: Sequence[str]) -> bool:
        """Whether none of what is left to do is for anybody who lives, or for a slot in which a worker can be had."""
        leader = self._leader
        if leader.seating is not None:
            return not serves_anything(leader, leader.seating, living)
        births = [birth for name in living if (birth := leader.view.births.get(name)) is not None]
        able = [suites_of(leader.pools, slot) for slot in leader.crew.all_slots if slot not in leader.hopeless]
        able += [birth.suites for birth in births]
        left = {test.suite for at, test in enumerate(leader.plan.tests) if not leader.view.progress.is_done(at)}
        return not any(serves(suites, [suite]) for suites in able for suite in left)

    def _held(self, present: Present) -> set[int]:
        """Slots of living workers, whoever hired them: two would else be one `gw<n>`. One that can do no work of the
        slot's pool, because pools were changed, does not keep that pool waiting."""
        pools = self._leader.pools
        return {slot for slot, suites in present.values() if serves(suites, suites_of(pools, slot))}

    def _waiting(self, present: Present) -> dict[str, int]:
        return {name: need.batches for name, need in self._needs(present).items() if need.workers < 1}

    def _needs(self, present: Present) -> dict[str, _Need]:
        """By pool; one that has grown has slots in several rows."""
        leader = self._leader
        names = dict.fromkeys(pool.name for pool in leader.pools) or {"": None}
        if len(names) == 1:
            return {name: self._need(leader.crew.all_slots, (), present) for name in names}
        own = {name: [pool for pool in leader.pools if pool.name == name] for name in names}
        return {
            name: self._need([slot for pool in pools for slot in pool.slots], pools[0].suites, present)
            for name, pools in own.items()
        }

    def _need(self, slots: Sequence[int], suites: Sequence[str], present: Present) -> _Need:
        able = {name for name, (_, own) in present.items() if serves(own, suites)}
        return _Need(slots, len(slots) - len(able), self._open_batches(suites) - len(self._idle() & able))

    def _idle(self) -> set[str]:
        """Hired workers without a batch: they will take what is waiting."""
        view = self._leader.view
        owners = {view.owners.get(each, "") for each in view.attempts.items()}
        return {name for name in self._leader.crew.hired if name not in owners}

    def _open_batches(self, suites: Sequence[str]) -> int:
        """Batches of these suites, none named: of all, that wait."""
        plan = self._leader.plan
        taken = self._leader.view.taken | frozenset(self._leader.share.foreign)
        if not suites:
            return len(plan.batches) - len(taken)
        gone = Counter(plan.tests[plan.batches[number].tests[0]].suite for number in taken)
        return sum(self._batches[suite] - gone[suite] for suite in suites)

    async def _make_way(self) -> None:
        """Whoever has nothing to do in a queue ends when a newer term stands, whose agent may not staff queues while it lives, or when
        this one may take the next term only then."""
        leader = self._leader
        if leader.seating is None or leader.joining is not None or not (leader.has_just_watched() and leader.crew.size):
            return
        leader.orders.is_superseded = await newest_term(leader.store, leader.run) > leader.term
        if leader.orders.is_superseded:
            leader.orders.wake()

    async def _leads(self, present: Collection[str]) -> bool:
        """Whether this term is the newest, or has its slots to itself; with nobody left alive, the next one is taken. Behind
        that one looks again: whoever led before may have hired meanwhile."""
        leader = self._leader
        if leader.joining is not None or await newest_term(leader.store, leader.run) == leader.term:
            return True
        if present:
            return False
        leader.term = await take_term(leader.store, leader.run, leader.plan, nonce=leader.nonce, clock=leader.clock)
        leader.orders.is_superseded = False
        leader.look_again()
        return False

    async def _birth(self, slot: int) -> Birth:
        leader = self._leader
        ordinal = self._ordinals.get(slot, 0) or await self._last_ordinal(slot)
        self._ordinals[slot] = ordinal + 1
        identity = leader.launcher.identity(slot)
        return Birth(
            worker=f"w{slot}-{ordinal + 1}",
            nonce=leader.nonces(),
            plan=leader.plan.digest,
            term=leader.term,
            slot=slot,
            bucket=leader.share.bucket(leader.crew.all_slots.index(slot), slot),
            launcher=leader.launcher.name,
            place=str(identity.get("place", "")),
            log=str(identity.get("log", "")),
            identity=identity,
            wall=leader.clock.wall(),
            suites=suites_of(leader.pools, slot),
            queue=leader.seating.queue(slot) if leader.seating is not None else "",
            layout=leader.seating.layout if leader.seating is not None else "",
        )

    async def _last_ordinal(self, slot: int) -> int:
        entries = await self._leader.store.list(f"{keys.workers(self._leader.run)}w{slot}-")
        return max((int(entry.key.rsplit("-", 1)[1]) for entry in entries), default=0)


def serves(worker: Collection[str], wanted: Collection[str]) -> bool:
    """Whether a worker of some suites can do anything for other suites; none named: all."""
    return not worker or not wanted or not set(worker).isdisjoint(wanted)
