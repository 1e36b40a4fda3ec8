"""Sees what really happens, and asserts every invariant of DESIGN 3 after each step.

It looks at the contents of the store and at the imagined harnesses directly; the protocol never sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field, frozen

from pipeline.logic.objects import Birth, Claim, Tomb, from_bytes
from pipeline.logic.trails import follow
from pipeline.model.runs import MergedRun
from pipeline.protocol import keys
from tests.simulation.tests_of_users import Manner

if TYPE_CHECKING:
    from tests.simulation.harnesses import SimHarness
    from tests.simulation.worlds import World


class Broken(AssertionError):
    """An invariant does not hold."""


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
    values: dict[str, bytes] = field(factory=dict)

    # What tests do.

    def begins(self, harness: SimHarness, test: int, *, careful: bool) -> None:
        """A test really begins."""
        others = self.running.setdefault(test, set())
        resource = self.world.plan.tests[test].exclusive
        if resource:
            for other, harnesses in self.running.items():
                if harnesses and self.world.plan.tests[other].exclusive == resource:
                    raise Broken(f"exclusive tests {other} and {test} run at once (invariant 4)")
        if careful and not self._start_is_durable(test):
            raise Broken(f"careful test {test} began before its start was durable (blame)")
        others.add(harness.number)
        self.begun[test] = self.begun.get(test, 0) + 1

    def ends(self, harness: SimHarness, test: int, *, how: str) -> None:
        """A test really ends."""
        self.running[test].discard(harness.number)
        if how == "passed":
            self.good.add(test)
        elif how == "failed":
            self.failed.add(test)
        elif harness.number not in self.world.killers:
            self.interrupted[test] = self.interrupted.get(test, 0) + 1

    def kills(self, harness: SimHarness, test: int) -> None:
        """A test kills its harness."""
        self.world.killers.add(harness.number)
        self.deaths[test] = self.deaths.get(test, 0) + 1

    def _start_is_durable(self, test: int) -> bool:
        needle = f" {test} ".encode()
        for journal in self.world.data.journals.values():
            for segment in journal.segments:
                if any(line.startswith(b"start ") and needle in line[:40] for line in segment):
                    return True
        return False

    # What is in the store.

    def wrote(self, key: str, data: bytes) -> None:
        """A value has been created or replaced."""
        if "/beats/" in key:
            return
        before = self.values.get(key)
        if before is not None and before != data:
            raise Broken(f"{key!r} was written twice with different values")
        self.values[key] = data
        if "/claims/" in key:
            self._claimed(key, from_bytes(Claim, data))
        elif "/workers/" in key:
            self._named_plan(key, from_bytes(Birth, data).plan)
        elif "/tombs/" in key:
            self._buried(key, from_bytes(Tomb, data))
        elif key.endswith("/plan") and key.removeprefix("runs/").count("/") == 1:
            pass

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
        self._only_unfinished(run, claim)

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
        if tomb.cause == "silent" and not tomb.proof:
            self.world.check_silence(tomb.worker)

    # What comes out.

    def judge(self, merged: MergedRun) -> None:
        """Compare a closed run with what really happened."""
        scripts = self.world.scenario.scripts
        numbers = {test.id: at for at, test in enumerate(self.world.plan.tests)}
        found = [outcome.result.test for outcome in merged.outcomes]
        missing = [test for test, _ in merged.missing]
        if sorted(found + missing) != sorted(numbers):
            raise Broken("not every planned test is named exactly once (invariant 6)")
        for outcome in merged.outcomes:
            test, verdict = numbers[outcome.result.test], outcome.result.verdict.value
            manner = scripts[test].manner
            if verdict == "passed" and test not in self.good:
                raise Broken(f"{test} passed without having run to a good end")
            if verdict == "failed" and test not in self.failed:
                raise Broken(f"{test} failed without having failed")
            if verdict == "crashed" and (manner is not Manner.CRASHES or self.deaths.get(test, 0) < 2):
                raise Broken(f"{test} is called crashed, but is innocent (invariant 8)")
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
