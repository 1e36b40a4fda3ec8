"""Sees what really happens, and asserts every invariant of DESIGN 3 after each step.

It looks at the contents of the store and at the imagined harnesses directly; the protocol never sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from pipeline.logic.blame import OUT_OF_MEMORY
from pipeline.logic.objects import Birth, Claim, Tomb, from_bytes
from pipeline.logic.placement.seating import Seating
from pipeline.logic.trails import follow
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.protocol import keys
from pipeline.protocol.view import HARMLESS
from tests.simulation.scenarios import PROCESSORS
from tests.simulation.telling import Broken
from tests.simulation.tests_of_users import Manner

__all__ = ("Broken", "Oracle")

if TYPE_CHECKING:
    from pipeline.protocol.finishing import Ending
    from pipeline.protocol.leading import Leader
    from tests.simulation.harnesses import SimHarness
    from tests.simulation.worlds import World


@frozen
class Stay:
    """One time a test really ran."""

    test: int
    harness: int
    begun: float


@define(eq=False)
class Oracle:
    """Everything that really happened."""

    world: World
    running: dict[int, set[int]] = field(factory=dict)
    """Harnesses by test."""
    begun: dict[int, int] = field(factory=dict)
    good: set[int] = field(factory=set)
    failed: set[int] = field(factory=set)
    deaths: dict[int, int] = field(factory=dict)
    """Times a test itself killed its harness."""
    interrupted: dict[int, int] = field(factory=dict)
    """Times a test was cut off by another cause."""
    hungry: set[int] = field(factory=set)
    """Tests that have killed at all."""
    finished: set[tuple[int, int]] = field(factory=set)
    """(test, harness) of tests that ran to their end."""
    values: dict[str, bytes] = field(factory=dict)
    written: dict[str, float] = field(factory=dict)
    """When each value was first written."""
    company: dict[int, set[int]] = field(factory=dict)
    """Tests that ran on each harness."""
    deleted: list[str] = field(factory=list)

    # What tests do.

    def begins(self, harness: SimHarness, test: int, *, careful: bool) -> None:
        """A test really begins."""
        self._is_of_the_pool(harness, test)
        self._has_its_queue(harness, test)
        others = self.running.setdefault(test, set())
        resource = self.world.plan.tests[test].exclusive
        if resource:
            for other, harnesses in self.running.items():
                if harnesses and self.world.plan.tests[other].exclusive == resource:
                    raise Broken(f"exclusive tests {other} and {test} run at once (invariant 4)")
        if careful and not self._start_is_durable(test):
            raise Broken(f"careful test {test} began before its start was durable (blame)")
        company = self.company.setdefault(harness.number, set())
        if company - {test} and (self.deaths or self.interrupted) and test in self._charged():
            raise Broken(f"suspect {test} runs after {company} in one harness (invariant 8)")
        company.add(test)
        others.add(harness.number)
        self.begun[test] = self.begun.get(test, 0) + 1

    def _is_of_the_pool(self, harness: SimHarness, test: int) -> None:
        """A worker runs its own pools' tests only."""
        pools = self.world.pools.get(harness.process.name, ())
        suite = self.world.plan.tests[test].suite
        if pools and not any(suite in pool.suites and harness.slot in pool.slots for pool in pools):
            raise Broken(f"{test} of suite {suite!r} runs in slot {harness.slot}, of another pool (pools)")

    def _has_its_queue(self, harness: SimHarness, test: int) -> None:
        """It may run in that queue, nobody else does, and the host has room for all that run there."""
        seating = self.world.seatings.get(harness.process.name)
        if seating is None:
            return
        queue, needed = seating.queue(harness.slot), self._processors(seating, test)
        if not seating.may_run(queue, self._batch(test)):
            raise Broken(f"{test} runs in queue {queue}, which may not run it (queues)")
        for other, number in ((other, number) for other, numbers in self.running.items() for number in numbers):
            (neighbour,) = (each for each in self.world.harnesses if each.number == number)
            theirs = self.world.seatings[neighbour.process.name]
            assert theirs is not None
            if theirs.queue(neighbour.slot) == queue or theirs.layout != seating.layout:
                raise Broken(f"tests {other} and {test} run at once in queue {queue} or with other ranges (queues)")
            needed += self._processors(seating, other)
        if needed > PROCESSORS:
            raise Broken(f"{test} begins where {needed:g} processors are needed then (budgets)")

    def _batch(self, test: int) -> int:
        return next(batch.number for batch in self.world.plan.batches if test in batch.tests)

    def _processors(self, seating: Seating, test: int) -> float:
        return seating.amounts[self._batch(test)].cpus or 0.0

    def hires(self, leader: Leader, birth: Birth) -> None:
        """A worker elsewhere is hired: nobody that the leader has had time to see lives in its slot and serves there."""
        try:
            self._has_a_slot_of_its_own(leader, birth)
            self._gets_on(leader)
        except Broken as fault:
            self.world.fail(fault)
            raise

    def _has_a_slot_of_its_own(self, leader: Leader, birth: Birth) -> None:
        seen = self.world.now - 4 * leader.limits.watch_seconds
        for key, data in self.values.items():
            if not key.startswith(keys.workers(leader.run)) or self.written[key] > seen:
                continue
            other = from_bytes(Birth, data)
            serves = not other.suites or not birth.suites or set(other.suites) & set(birth.suites)
            if other.slot == birth.slot and serves and keys.tomb(leader.run, other.worker) not in self.values:
                raise Broken(f"{birth.worker} is hired for the slot in which {other.worker} lives (pools)")

    def _gets_on(self, leader: Leader) -> None:
        """Where too many places were taken away nobody is hired any more."""
        seen = self.world.now - 4 * leader.limits.watch_seconds
        taken = [
            worker
            for worker in self._taken_of(leader.run, leader.term)
            if self.written.get(keys.tomb(leader.run, worker), seen + 1) < seen
        ]
        if len(taken) > leader.limits.max_disruptions:
            raise Broken(f"{taken} were taken away, more than are borne, yet workers are hired (disruptions)")

    def _taken_of(self, run: str, term: int) -> list[str]:
        """Workers of a term whose places were really taken away."""
        births = [from_bytes(Birth, data) for key, data in self.values.items() if key.startswith(keys.workers(run))]
        return [
            birth.worker
            for birth in births
            if birth.term == term and str(birth.identity.get("process")) in self.world.taken
        ]

    def left_open(self, run: str, ending: Ending) -> None:
        """A budget that is said to be spent is spent, by what is said."""
        if not ending.reason.startswith("budget spent"):
            return
        limits = self.world.scenario.limits
        births = [from_bytes(Birth, data) for key, data in self.values.items() if key.startswith(keys.workers(run))]
        terms = {birth.term for birth in births}
        if "taken away" in ending.reason:
            if all(len(self._taken_of(run, term)) <= limits.max_disruptions for term in terms):
                raise Broken(f"{ending.reason!r}, but no term has lost so many places (disruptions)")
        elif "never born" not in ending.reason and all(self._lost_of(run, term) <= limits.max_losses for term in terms):
            raise Broken(f"{ending.reason!r}, but no term has lost so many workers (disruptions)")

    def _lost_of(self, run: str, term: int) -> int:
        """Workers of a term that ended as they should not, and were not taken away."""
        taken, lost = self._taken_of(run, term), 0
        for key, data in self.values.items():
            if key.startswith(keys.tombs(run)):
                tomb = from_bytes(Tomb, data)
                born = from_bytes(Birth, self.values[keys.worker(run, tomb.worker)])
                lost += tomb.cause not in HARMLESS and born.term == term and tomb.worker not in taken
        return lost

    def _sits_apart(self, birth: Birth) -> None:
        """Agents that have joined one run share no slot."""
        for key, data in self.values.items() if self.world.scenario.joined_at else ():
            other = from_bytes(Birth, data) if "/workers/" in key else birth
            if other.slot == birth.slot and other.term != birth.term:
                raise Broken(f"{birth.worker} has a slot that {other.worker} of another agent has, too (joining)")

    def ends(self, harness: SimHarness, test: int, *, how: str) -> None:
        """A test really ends."""
        self.running[test].discard(harness.number)
        if how != "killed":
            self.finished.add((test, harness.number))
        if how == "passed":
            self.good.add(test)
        elif how == "failed":
            self.failed.add(test)
        elif harness.number not in self.world.killers and harness.process.name not in self.world.taken:
            self.interrupted[test] = self.interrupted.get(test, 0) + 1

    def kills(self, harness: SimHarness, test: int) -> None:
        """A test kills its harness."""
        self.world.killers.add(harness.number)
        self.hungry.add(test)
        self.deaths[test] = self.deaths.get(test, 0) + 1

    def _start_is_durable(self, test: int) -> bool:
        needle = f" {test} ".encode()
        for journal in self.world.data.journals.values():
            for segment in journal.segments:
                if any(line.startswith(b"start ") and needle in line[:40] for line in segment):
                    return True
        return False

    def _charged(self) -> set[int]:
        """Tests with a durable charge of having killed their harness."""
        return {
            int(line.split(b" ", 4)[3])
            for name, journal in self.world.data.journals.items()
            if keys.closed(name.split("/")[1]) not in self.values
            for segment in journal.segments
            for line in segment
            if line.startswith(b"death ") and (b'"crash"' in line or b'"kill"' in line)
        }

    # What is in the store.

    def leads(self, run: str, plan: Plan) -> None:
        """An agent is about to carry out this plan."""
        if plan.digest.encode() not in self.values[keys.plan(run)][:90]:
            raise Broken("an agent leads another plan than the one that stands (invariant 1)")

    def see_write(self, key: str, data: bytes) -> None:
        """Check a write; what it breaks is remembered, for whoever wrote may swallow it."""
        try:
            self.wrote(key, data)
        except Exception as fault:
            self.world.fail(fault)
            raise

    def wrote(self, key: str, data: bytes) -> None:
        """A value has been created or replaced."""
        if "/beats/" in key:
            return
        before = self.values.get(key)
        if before is not None and before != data:
            raise Broken(f"{key!r} was written twice with different values")
        if before is None:
            self.written[key] = self.world.now
        self.values[key] = data
        if "/claims/" in key:
            self._claimed(key, from_bytes(Claim, data))
        elif "/workers/" in key:
            self._named_plan(key, from_bytes(Birth, data).plan)
            self._sits_apart(from_bytes(Birth, data))
        elif "/tombs/" in key:
            self._buried(key, from_bytes(Tomb, data))
        elif key.endswith("/plan"):
            self._planned(key)
        elif key.endswith("/closed"):
            self._closed(key.split("/")[1])

    def removed(self, key: str) -> None:
        """A value is deleted."""
        run = key.split("/")[1]
        if not self.deleted and keys.plan(run) != key:
            raise Broken(f"deletion begins with {key!r}, not with the plan (deletion)")
        if keys.closed(run) in self.deleted:
            raise Broken(f"{key!r} is deleted after the closed mark (deletion)")
        self.deleted.append(key)

    def _planned(self, key: str) -> None:
        for other in self.values:
            if other != key and other.endswith("/plan") and keys.closed(other.split("/")[1]) not in self.values:
                raise Broken(f"{key!r} begins while {other!r} is unfinished (invariant 9)")

    def _closed(self, run: str) -> None:
        endings = [key for key in self.values if key.startswith(keys.endings(run))]
        if not endings:
            raise Broken("closed without an ending (closing)")
        begun = self.written[min(endings)]
        for key in self.values:
            worker = keys.last(key)
            is_earlier = key.startswith(keys.workers(run)) and self.written[key] < begun
            if is_earlier and keys.tomb(run, worker) not in self.values:
                raise Broken(f"closed, but {worker} is not sealed (closing)")

    def _named_plan(self, key: str, plan: str) -> None:
        run = key.split("/")[1]
        standing = self.values.get(keys.plan(run))
        if standing is not None and plan.encode() not in standing[:90]:
            raise Broken(f"{key!r} names another plan (invariant 1)")

    def _claimed(self, key: str, claim: Claim) -> None:
        self._named_plan(key, claim.plan)
        run = key.split("/")[1]
        bucket = self.world.plan.batches[claim.batch].bucket
        for attempt in range(1, claim.attempt):
            value = self.values.get(keys.claim(run, bucket, claim.batch, attempt))
            if value is None:
                raise Broken(f"attempt {claim.attempt} of batch {claim.batch} without attempt {attempt} (invariant 2)")
            owner = from_bytes(Claim, value).worker
            if keys.tomb(run, owner) not in self.values:
                raise Broken(f"attempt {claim.attempt} of batch {claim.batch}, but {owner} lives (invariant 2)")
        if keys.worker(run, claim.worker) not in self.values:
            raise Broken(f"{claim.worker} claims before it is born (closing)")
        self._not_after_ending(run, claim)
        self._is_careful_after_loss(run, claim)
        self._only_unfinished(run, claim)

    def _not_after_ending(self, run: str, claim: Claim) -> None:
        born = self.written[keys.worker(run, claim.worker)]
        for key in self.values:
            name = keys.last(key)
            is_earlier = key.startswith(keys.endings(run)) and "." not in name and self.written[key] < born
            if is_earlier and keys.withdrawal(run, int(name)) not in self.values:
                raise Broken(f"{claim.worker} was born after the ending began, yet claims (closing)")

    def _is_careful_after_loss(self, run: str, claim: Claim) -> None:
        bucket = self.world.plan.batches[claim.batch].bucket
        for attempt in range(1, claim.attempt):
            owner = from_bytes(Claim, self.values[keys.claim(run, bucket, claim.batch, attempt)]).worker
            tomb = from_bytes(Tomb, self.values[keys.tomb(run, owner)])
            if tomb.cause in ("silent", "fenced", "unknown", "given up") and not claim.careful:
                raise Broken(f"attempt {claim.attempt} of batch {claim.batch} is careless after a loss (blame)")
            self._repeats(owner, tomb, claim)

    def _repeats(self, owner: str, tomb: Tomb, claim: Claim) -> None:
        """With proof and a salvaged outbox, nothing that its harness had finished runs again."""
        process = self.world.places.get(owner)
        if process is None or not tomb.proof or tomb.cause != "silent":
            return
        ours = {harness.number for harness in self.world.harnesses if harness.process is process}
        again = {test for test, harness in self.finished if harness in ours} & set(claim.tests)
        if again:
            raise Broken(f"{again} ran to their end at {owner}, whose outbox was salvaged, yet run again (invariant 9)")

    def _only_unfinished(self, run: str, claim: Claim) -> None:
        """After a loss only unfinished tests run again (invariant 7)."""
        counted: set[int] = set()
        bucket = self.world.plan.batches[claim.batch].bucket
        for attempt in range(1, claim.attempt):
            owner = from_bytes(Claim, self.values[keys.claim(run, bucket, claim.batch, attempt)]).worker
            tomb = from_bytes(Tomb, self.values[keys.tomb(run, owner)])
            lines = [*self.world.data.journal(keys.journal(run, owner)).read(tomb.position), *_lines(tomb)]
            trail = follow(owner, lines).get((claim.batch, attempt))
            counted |= trail.finals if trail is not None else set()
        expected = tuple(test for test in self.world.plan.batches[claim.batch].tests if test not in counted)
        if claim.tests != expected:
            raise Broken(f"attempt {claim.attempt} of batch {claim.batch} names {claim.tests}, not {expected}")

    def _buried(self, key: str, tomb: Tomb) -> None:
        self._named_plan(key, tomb.plan)
        run = key.split("/")[1]
        journal = self.world.data.journal(keys.journal(run, tomb.worker))
        if journal.sealed is None or str(journal.sealed) != tomb.position:
            raise Broken(f"{tomb.worker} has a tombstone, but its journal is not sealed there (invariant 3)")
        self._proves(run, tomb)
        self._within_budget(run, tomb)
        if tomb.cause == "silent" and not tomb.proof:
            self.world.check_silence(tomb.worker)
        if tomb.cause == OUT_OF_MEMORY:
            self._blames_the_hungry(run, tomb)
        if tomb.cause == "closed":
            self._could_not_end(run, tomb)

    def _blames_the_hungry(self, run: str, tomb: Tomb) -> None:
        """Where each start was durable, the test in flight is the one that used the memory up."""
        lines = [*self.world.data.journal(keys.journal(run, tomb.worker)).read(tomb.position), *_lines(tomb)]
        trails = follow(tomb.worker, lines)
        for key, data in self.values.items():
            if not key.startswith(keys.claims(run)):
                continue
            claim = from_bytes(Claim, data)
            trail = trails.get((claim.batch, claim.attempt)) if claim.worker == tomb.worker else None
            if trail is not None and claim.careful and trail.flying not in (None, *self.hungry):
                raise Broken(f"{trail.flying} would be blamed for what another test's hunger did (memory)")

    def _could_not_end(self, run: str, tomb: Tomb) -> None:
        """Where nothing goes wrong, each worker ends in order before it is sealed: it learns of the ending in time."""
        scenario, process = self.world.scenario, self.world.places.get(tomb.worker)
        is_calm = not (scenario.slow_rate or scenario.outage[1] or scenario.stalls_at or scenario.nod_rate)
        if process is None or process.is_gone or not is_calm or scenario.buried_at or len(self.world.agents) > 1:
            return
        begun = min((self.written[key] for key in self.values if key.startswith(keys.endings(run))), default=0.0)
        if self.written[keys.worker(run, tomb.worker)] < begun - scenario.lease_seconds / 4:
            raise Broken(f"{tomb.worker} was sealed although it could have ended in order (orders)")

    def _proves(self, run: str, tomb: Tomb) -> None:
        """Proof means that nothing of that worker lives."""
        if not tomb.proof:
            return
        birth = from_bytes(Birth, self.values[keys.worker(run, tomb.worker)])
        home = (birth.identity["process"], birth.identity["slot"])
        living = [each.number for each in self.world.harnesses if each.home == home and not each.is_over]
        if living:
            raise Broken(f"{tomb.worker} is proven dead, but its harness {living} lives (proof)")

    def _within_budget(self, run: str, tomb: Tomb) -> None:
        if tomb.cause in HARMLESS:
            return
        term = from_bytes(Birth, self.values[keys.worker(run, tomb.worker)]).term
        lost = self._lost_of(run, term)
        scenario = self.world.scenario
        grown = len(self.world.plan.batches) if scenario.grows else 0  # Nobody has more workers than work.
        most = scenario.limits.max_losses + max(scenario.workers, scenario.resumed_workers, grown)
        if lost > most:
            raise Broken(
                f"term {term} has lost {lost} workers, its budget is {scenario.limits.max_losses} (invariant 7)"
            )

    # What comes out.

    def judge(self, merged: MergedRun) -> None:
        """Compare a closed run with what really happened."""
        scripts = self.world.scenario.scripts
        numbers = {test.id: at for at, test in enumerate(self.world.plan.tests)}
        found = [outcome.result.test for outcome in merged.outcomes]
        missing = [test for test, _ in merged.missing]
        if sorted(found + missing) != sorted(numbers):
            raise Broken("not every planned test is named exactly once (invariant 6)")
        if missing and merged.reason == "complete":
            raise Broken(f"closed as complete, but {missing} lack a verdict (closing)")
        for outcome in merged.outcomes:
            test, verdict = numbers[outcome.result.test], outcome.result.verdict.value
            manner = scripts[test].manner
            if verdict == "passed" and test not in self.good:
                raise Broken(f"{test} passed without having run to a good end")
            if verdict == "failed" and test not in self.failed:
                raise Broken(f"{test} failed without having failed")
            if verdict == "crashed" and (manner is not Manner.CRASHES or self.deaths.get(test, 0) < 2):
                raise Broken(f"{test} is called crashed, but is innocent (invariant 8)")
            if verdict == "lost" and self.world.scenario.starves and not self.interrupted.get(test, 0):
                raise Broken(f"{test} used up the memory of every container, but is called lost (memory)")
            if verdict == "lost" and not (self.interrupted.get(test, 0) or self.deaths.get(test, 0)):
                raise Broken(f"{test} is called lost, but never was (invariant 7)")
            if verdict == "timed-out" and manner is not Manner.HANGS:
                raise Broken(f"{test} is called timed out, but does not hang")
            if manner is Manner.PASSES and verdict not in ("passed", "not-run", "lost"):
                raise Broken(f"{test} is good, but is called {verdict} (invariant 7)")
        green = all(outcome.result.verdict.is_good for outcome in merged.outcomes) and not missing
        if (merged.exit_code == 0) != (green and bool(numbers)):
            raise Broken(f"exit code {merged.exit_code} does not fit the verdicts (invariant 6)")


def _lines(tomb: Tomb) -> list[bytes]:
    return [line.encode("ascii") for line in tomb.salvaged]
