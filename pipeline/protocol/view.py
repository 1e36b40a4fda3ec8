"""What one process knows of a run: claims, tombstones, what is done and what can be claimed.

Knowledge only grows, so stale knowledge costs a lost claim, never correctness. Supervisors in one process share a view.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from pipeline.errors import Fenced, StoreDamaged
from pipeline.logic.blame import OUT_OF_MEMORY, Charges, Judgement, add_charge
from pipeline.logic.objects import DISRUPTIONS, Birth, Claim, Tomb, from_bytes
from pipeline.logic.trails import Attempt, Trail, follow
from pipeline.model.plans import Plan
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.paces import Paces
from pipeline.protocol.progress import Progress
from pipeline.protocol.tombs import read_tomb

HARMLESS = frozenset({"finished", "stopped", "closed", "fenced"})
"""Causes of an end that spend nothing of the budget for losses."""

_TOGETHER = 16
"""Reads that are under way at once."""


class RunView:
    """A process's knowledge of one run. Call `refresh` to learn more."""

    def __init__(
        self,
        run: str,
        plan: Plan,
        store: CertainStore,
        clock: Clock,
        lease_seconds: float,
        *,
        joined: bool = False,
        put_off_seconds: float = 0.0,
    ) -> None:
        self.joined = joined
        """Terms stand beside each other: a test that takes one agent after the other along is charged with all of them."""
        self.run, self.plan, self.store, self.clock = run, plan, store, clock
        self.lease_seconds, self.put_off_seconds = lease_seconds, put_off_seconds
        """So long after its first sight a tombstone that says it is clean is not looked into. For whoever only seeks work:
        nothing is to be had there, and reading journals and claims costs a request for each."""
        self._put_off: dict[str, float] = {}
        """When clean tombstones were seen first."""
        self.attempts: dict[int, int] = {}
        self.owners: dict[Attempt, str] = {}
        self.careful: set[Attempt] = set()
        """Attempts whose every start is durable before its test begins, as far as their owners are known."""
        self.births: dict[str, Birth] = {}
        self.tombs: dict[str, Tomb] = {}
        self.seen: dict[str, float] = {}
        self.trails: dict[Attempt, Trail] = {}
        self.progress = Progress(len(plan.tests))
        self.paces = Paces()
        self.taken: set[int] = set()
        self.ending: int = 0
        """Number of the ending that stands, or 0."""
        self._lock = asyncio.Lock()
        self._refreshed = float("-inf")

    async def refresh(self, max_age_seconds: float = 0.0) -> None:
        """Learn of claims, tombstones and endings; claims first, so that every predecessor's tombstone is seen."""
        async with self._lock:
            if self.clock.monotonic() - self._refreshed < max_age_seconds:
                return
            for entry in await self.store.list(keys.claims(self.run)):
                self._learn_claim(*keys.read_claim(entry.key))
            names = [keys.last(entry.key) for entry in await self.store.list(keys.tombs(self.run))]
            await self._learn_tombs([name for name in names if name not in self.tombs])
            self.ending = standing_ending([entry.key for entry in await self.store.list(keys.endings(self.run))])
            self._refreshed = self.clock.monotonic()
            self.reckon()

    def reckon(self) -> None:
        """Work out again which batches can not be had."""
        self.taken = {batch for batch in self.attempts if not self.is_waiting(batch)}

    def is_waiting(self, batch: int) -> bool:
        """Whether the batch's next attempt may be claimed now."""
        attempt = self.attempts.get(batch, 0)
        if attempt == 0:
            return True
        tomb = self.tombs.get(self.owners.get((batch, attempt), ""))
        return is_released(tomb) and self.may_start(batch, tomb) and bool(self.remaining(batch))

    def may_start(self, batch: int, tomb: Tomb | None) -> bool:
        """Whether an exclusive batch is free: proof of death, or one lease since this process first saw the tomb."""
        if tomb is None or not self.plan.batches[batch].exclusive or tomb.proof:
            return True
        return self.clock.monotonic() - self.seen[tomb.worker] >= exclusive_wait_seconds(self.lease_seconds)

    def remaining(self, batch: int) -> tuple[int, ...]:
        """Tests of the batch without a final record in a sealed journal."""
        finals: set[int] = set()
        for attempt in range(1, self.attempts.get(batch, 0) + 1):
            trail = self.trails.get((batch, attempt))
            if trail is not None:
                finals |= trail.finals
        return tuple(test for test in self.plan.batches[batch].tests if test not in finals)

    def past(self, batch: int, term: int) -> tuple[dict[int, Charges], bool]:
        """Charges against the batch's tests so far, losses of this term only; whether any attempt went wrong."""
        charges: dict[int, Charges] = {}
        went_wrong = False
        for attempt in range(1, self.attempts.get(batch, 0) + 1):
            trail = self.trails.get((batch, attempt))
            tomb = self.tombs.get(self.owners.get((batch, attempt), ""))
            is_lost = tomb is not None and not tomb.is_orderly
            went_wrong = went_wrong or is_lost or bool(trail and trail.deaths)
            if trail is not None:
                of_term = tomb is not None and (self.joined or self._is_of_term(trail.worker, term))
                _add_charges(
                    charges, trail, loss_of(tomb, is_careful=(batch, attempt) in self.careful, of_term=of_term)
                )
        return charges, went_wrong

    def tombs_of(self, term: int) -> list[Tomb]:
        """Of workers of that term, as far as known."""
        return [tomb for name, tomb in self.tombs.items() if self._is_of_term(name, term)]

    def learn_own_claim(self, claim: Claim) -> None:
        """Take over a claim that this process made."""
        self._learn_claim(claim.batch, claim.attempt)
        self._learn_owner(claim)
        self.taken.add(claim.batch)

    def _learn_owner(self, claim: Claim) -> None:
        self.owners[claim.batch, claim.attempt] = claim.worker
        if claim.careful:
            self.careful.add((claim.batch, claim.attempt))

    def flying(self, worker: str) -> int | None:
        """The test that was in flight when that worker ended, as far as its sealed journal tells."""
        flying = [trail.flying for trail in self.trails.values() if trail.worker == worker]
        return next((test for test in flying if test is not None), None)

    def _is_of_term(self, worker: str, term: int) -> bool:
        birth = self.births.get(worker)
        return birth is not None and birth.term == term

    def _learn_claim(self, batch: int, attempt: int) -> None:
        if attempt > self.attempts.get(batch, 0):
            self.attempts[batch] = attempt
            self.taken.add(batch)

    async def _learn_tombs(self, names: Sequence[str]) -> None:
        for name in names:
            if not self._is_put_off(name):
                await self._learn_tomb(name)
        if self.tombs:
            await self._learn_owners()

    def _is_put_off(self, worker: str) -> bool:
        since = self._put_off.get(worker)
        return since is not None and self.clock.monotonic() - since < self.put_off_seconds

    def _puts_off(self, worker: str) -> bool:
        """Put off what is seen for the first time; later it is as if it were seen only now, which costs nothing but time."""
        if not self.put_off_seconds or worker in self._put_off:
            return False
        self._put_off[worker] = self.clock.monotonic()
        return True

    async def _learn_tomb(self, worker: str) -> None:
        tomb = await read_tomb(self.store, self.run, worker)
        if tomb is None or (tomb.is_clean and self._puts_off(worker)):
            return
        self.seen[worker] = self.clock.monotonic()
        birth = await self.read_birth(worker)
        lines = await self.store.records(keys.journal(self.run, worker), tomb.position)
        trails = follow(worker, [*lines, *(line.encode("utf-8", "surrogatepass") for line in tomb.salvaged)])
        self.trails.update(trails)
        finals = [test for trail in trails.values() for test in trail.finals]
        if not all(0 <= test < len(self.plan.tests) for test in finals):
            raise StoreDamaged(
                f"journal of worker {worker!r} is damaged: it is about tests that the plan does not have"
            )
        self.progress.settle(worker, finals, [test for trail in trails.values() for test in trail.bad])
        if birth is not None:
            self.births[worker] = birth
        self.tombs[worker] = tomb

    async def read_birth(self, worker: str) -> Birth | None:
        """A worker's birth, checked to be of this plan. Raises `Fenced` when it names another."""
        if worker in self.births:
            return self.births[worker]
        data = await self.store.read(keys.worker(self.run, worker))
        if data is None:
            return None
        birth = from_bytes(Birth, data)
        check_plan(birth.plan, self.plan)
        self.births[worker] = birth
        return birth

    async def _learn_owners(self) -> None:
        """Read claims whose owner is not known; only when somebody has died, for else nobody asks."""
        unknown = [(batch, attempt) for batch, attempt in self.attempts.items() if (batch, attempt) not in self.owners]
        for start in range(0, len(unknown), _TOGETHER):
            some = unknown[start : start + _TOGETHER]
            await asyncio.gather(*(self._learn_attempts(batch, attempt) for batch, attempt in some))

    async def _learn_attempts(self, batch: int, attempt: int) -> None:
        for number in range(attempt, 0, -1):
            if (batch, number) in self.owners:
                return
            claim = await self.read_claim(batch, number)
            if claim is not None:
                self._learn_owner(claim)

    async def read_claim(self, batch: int, attempt: int) -> Claim | None:
        """A claim's value."""
        bucket = self.plan.batches[batch].bucket
        data = await self.store.read(keys.claim(self.run, bucket, batch, attempt))
        return None if data is None else from_bytes(Claim, data)


def is_released(tomb: Tomb | None) -> bool:
    """Whether the next attempt of a batch may be claimed: its owner has a tombstone."""
    return tomb is not None


def exclusive_wait_seconds(lease_seconds: float) -> float:
    """How long after first sight of a tombstone without proof an exclusive test may start again."""
    return lease_seconds


def check_plan(named: str, plan: Plan) -> None:
    """Refuse what belongs to another plan. Raises `Fenced`."""
    if named != plan.digest:
        raise Fenced(f"plan of the run is {named[:16]!r}, mine is {plan.digest[:16]!r}", hint="start the run again")


def standing_ending(found: Sequence[str]) -> int:
    """The number of the ending that has not been withdrawn, or 0."""
    names = {keys.last(key) for key in found}
    numbers = [int(name) for name in names if "." not in name and f"{name}.withdrawn" not in names]
    return max(numbers, default=0)


def loss_of(tomb: Tomb | None, *, is_careful: bool, of_term: bool) -> str:
    """What the end of a worker charges the test with that was in flight: `crash`, `loss` or nothing.

    A runtime that says with proof that the whole container was out of memory convicts, but only where each start was
    durable before its test began: else a later test may have done it. Losses count in their own term only. Whoever was
    taken away was not lost by a test.
    """
    if tomb is None or tomb.is_orderly or tomb.cause in DISRUPTIONS:
        return ""
    if tomb.cause == OUT_OF_MEMORY and tomb.proof and is_careful:
        return "crash"
    return "loss" if of_term else ""


def _add_charges(charges: dict[int, Charges], trail: Trail, charge: str) -> None:
    for test, new in trail.charges.items():
        old = charges.get(test, Charges())
        charges[test] = Charges(
            crashes=old.crashes + new.crashes,
            kills=old.kills + new.kills,
            losses=old.losses + new.losses,
            starved=old.starved + new.starved,
        )
    if charge and trail.flying is not None:
        add_charge(
            charges, Judgement(charge=charge, test=trail.flying, cause=OUT_OF_MEMORY if charge == "crash" else "")
        )
