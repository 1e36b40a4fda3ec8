"""Broken versions of the protocol, at least two for each rule of DESIGN 3: what a simulation must be able to catch.

Each replaces small functions or constants by name while a world is played.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import frozen

from tests.simulation import broken

Make = Callable[[Any], Any]
"""From what stands to its broken version."""


@frozen
class Mutation:
    """One broken rule. `seed` is known to catch it; 0: search from the first."""

    rule: str
    name: str
    patches: tuple[tuple[str, str, Make], ...]
    """(module below `pipeline`, attribute path, maker of the broken version)."""
    seed: int = 0

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.rule}: {self.name}"


@contextmanager
def applied(mutation: Mutation) -> Iterator[None]:
    """Apply a mutation for a while."""
    with ExitStack() as stack:
        for module, path, make in mutation.patches:
            holder: Any = importlib.import_module(f"pipeline.{module}")
            *outer, name = path.split(".")
            for part in outer:
                holder = getattr(holder, part)
            original = holder.__dict__[name]
            setattr(holder, name, make(original))
            stack.callback(setattr, holder, name, original)
        yield


def always(value: Any) -> Make:
    """A function that answers the same for ever."""
    return lambda _: lambda *_args, **_named: value


def always_later(value: Any) -> Make:
    """A coroutine function that answers the same for ever."""

    async def answer(*_args: Any, **_named: Any) -> Any:
        return value

    return lambda _: answer


def constant(value: Any) -> Make:
    """Another constant."""
    return lambda _: value


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        "plan", "a worker of another plan is let in", (("protocol.resuming", "adopt_run", broken.other_plan),), seed=0
    ),
    Mutation(
        "plan",
        "the plan that stands is not adopted",
        (
            ("protocol.resuming", "open_run", broken.own_plan),
            ("protocol.resuming", "find_unfinished", always_later(None)),
        ),
        seed=0,
    ),
    Mutation("claims", "a lost race counts as won", (("protocol.certain", "is_mine", always(True)),), seed=0),
    Mutation(
        "claims",
        "what was created with a lost answer is forgotten",
        (("protocol.certain", "is_mine", always(False)),),
        seed=38,
    ),
    Mutation(
        "claims", "a living worker's batch is taken over", (("protocol.view", "is_released", always(True)),), seed=0
    ),
    Mutation(
        "seals",
        "a tombstone seals nothing",
        (("protocol.certain", "CertainStore.seal", always_later("999999")),),
        seed=0,
    ),
    Mutation(
        "seals",
        "a tombstone names a position before the seal",
        (("protocol.certain", "CertainStore.seal", broken.short),),
        seed=0,
    ),
    Mutation(
        "exclusive",
        "no wait after a tombstone without proof",
        (("protocol.view", "exclusive_wait_seconds", always(0.0)),),
        seed=63,
    ),
    Mutation(
        "exclusive",
        "no wait for a harness that may live",
        (("protocol.view", "RunView.may_start", always(True)),),
        seed=63,
    ),
    Mutation(
        "queues", "who may still live is not waited for", (("protocol.seated", "may_haunt", always(False)),), seed=21
    ),
    Mutation(
        "queues",
        "every queue may run everything",
        (("logic.placement.seating", "Seating.barred", always(frozenset())),),
    ),
    Mutation("budgets", "there is always room", (("protocol.rooms", "_Room.has", always(True)),)),
    Mutation(
        "budgets",
        "hosts are staffed that another leader's workers use",
        (("logic.placement.seating", "Seating.host_of", always("")),),
        seed=338,
    ),
    Mutation("budgets", "room is given back at once", (("protocol.rooms", "Rooms.enter", always_later(None)),)),
    Mutation(
        "guard",
        "a renewal does not look for the own tombstone",
        (
            ("protocol.sessions", "see_tomb", always_later(None)),
            ("protocol.worker", "Worker._flush", broken.unfenced_flush),
        ),
        seed=0,
    ),
    Mutation(
        "guard",
        "a permission lasts for many leases",
        (("protocol.limits", "PERMISSION_PER_LEASE", constant(9.0)),),
        seed=264,
    ),
    Mutation("silence", "own gaps are ignored", (("logic.silence", "is_gap", always(False)),), seed=5),
    Mutation(
        "silence",
        "a tenth of a lease is enough",
        (("protocol.observing", "is_dead", lambda _: lambda sight, lease: sight.sent - sight.since > lease / 10),),
        seed=0,
    ),
    Mutation("silence", "nobody is ever dead", (("protocol.observing", "is_dead", always(False)),), seed=4),
    Mutation("verdicts", "the exit code is always good", (("logic.merging", "exit_code", always(0)),), seed=0),
    Mutation(
        "verdicts",
        "a start counts as a verdict",
        (("logic.merging", "counts", lambda _: lambda record: record.kind in ("final", "start")),),
        seed=0,
    ),
    Mutation(
        "verdicts",
        "a failed try that is not final counts",
        (("protocol.listening", "is_final", always(True)),),
        seed=11,
    ),
    Mutation(
        "losses",
        "finished tests run again",
        (("protocol.view", "RunView.remaining", lambda _: lambda view, batch: tuple(view.plan.batches[batch].tests)),),
        seed=2,
    ),
    Mutation("losses", "the budget never ends", (("protocol.budgets", "is_budget_spent", always(False)),), seed=199),
    Mutation(
        "disruptions",
        "who was taken away counts as lost",
        (("protocol.budgets", "is_disruption", always(False)),),
        seed=18,
    ),
    Mutation(
        "disruptions",
        "places may be taken away for ever",
        (("protocol.budgets", "is_patience_spent", always(False)),),
        seed=18,
    ),
    Mutation(
        "disruptions",
        "a test is charged with what befell its machine",
        (("protocol.view", "DISRUPTIONS", constant(frozenset())),),
        seed=71,
    ),
    Mutation(
        "losses",
        "every death is a proven crash",
        (("logic.blame", "is_proven", always(True)), ("logic.blame", "is_foreign_kill", always(False))),
        seed=14,
    ),
    Mutation("blame", "suspects run with the others", (("protocol.assignments", "divide", broken.together),), seed=3),
    Mutation(
        "blame",
        "suspects do not get a fresh harness",
        (("protocol.carrying", "needs_fresh_harness", always(False)),),
        seed=3,
    ),
    Mutation("blame", "one death is enough", (("protocol.carrying", "convict", broken.hasty),), seed=0),
    Mutation("blame", "a killer is never convicted", (("protocol.carrying", "convict", always(None)),), seed=0),
    Mutation("blame", "the next test is blamed", (("protocol.carrying", "flying_test", broken.next_test),), seed=46),
    Mutation(
        "blame",
        "starts are not durable after a loss",
        (("protocol.listening", "before_go", always_later(None)),),
        seed=0,
    ),
    Mutation(
        "blame", "an attempt after a loss is careless", (("protocol.claiming", "is_careful", always(False)),), seed=0
    ),
    Mutation("resume", "an open run is not found", (("protocol.resuming", "is_open", always(False)),), seed=0),
    Mutation(
        "resume",
        "what a dead harness still held is dropped",
        (("protocol.observing", "Observer._salvaged", always_later(())),),
        seed=81,
    ),
    Mutation(
        "ends", "a worker's own proof is a lie", (("protocol.supervising", "kill_session", always_later(None)),), seed=1
    ),
    Mutation("ends", "overdue tests are left alone", (("protocol.watching", "is_overdue", always(False)),), seed=40),
    Mutation("ends", "any test is overdue", (("protocol.watching", "is_overdue", always(True)),), seed=0),
    Mutation(
        "closing",
        "the ending is not read after the birth",
        (("protocol.shifts", "may_work", always_later(True)), ("protocol.claiming", "sees_ending", always(False))),
        seed=89,
    ),
    Mutation(
        "closing",
        "nobody is sealed",
        (
            ("protocol.closing", "seal_everybody", always_later(None)),
            ("protocol.finishing", "Finisher._dismiss", always_later(None)),
        ),
        seed=1,
    ),
    Mutation(
        "closing",
        "a lacking verdict closes all the same",
        (
            ("protocol.closing", "must_go_on", always(False)),
            ("protocol.finishing", "Finisher._dismiss", always_later(None)),
        ),
        seed=4,
    ),
    Mutation(
        "closing",
        "withdrawals are not seen",
        (
            ("protocol.view", "standing_ending", broken.to_withdrawals),
            ("protocol.closing", "must_go_on", broken.go_on_once),
        ),
        seed=541,
    ),
    Mutation("identity", "changed sources go unnoticed", (("protocol.finishing", "is_mixed", always(False)),), seed=3),
    Mutation("identity", "any run is called mixed", (("protocol.finishing", "is_mixed", always(True)),), seed=0),
    Mutation(
        "hearing",
        "workers elsewhere are not heard",
        (("protocol.hearing", "Hearer._take", always(None)),),
        seed=0,
    ),
    Mutation(
        "hearing",
        "each look begins with the first record",
        (("protocol.hearing", "Hearer._follow", broken.forgetful),),
        seed=0,
    ),
    Mutation(
        "hearing",
        "what was heard counts on although the tombstone leaves it out",
        (("protocol.progress", "Progress.settle", broken.keeping),),
        seed=875,
    ),
    Mutation(
        "hearing",
        "what is heard after the tombstone counts as it is",
        (
            ("protocol.hearing", "may_count", always(True)),
            ("protocol.certain", "CertainStore.seal", broken.short),
        ),
        seed=0,
    ),
    Mutation(
        "orders",
        "an ending is not heeded",
        (
            ("protocol.elsewhere", "heed", always_later(None)),
            ("protocol.claiming", "sees_ending", always(False)),
            ("protocol.shifts", "sees_ending", always(False)),
        ),
        seed=0,
    ),
    Mutation(
        "orders",
        "tests go on although the run is closed",
        (("protocol.elsewhere", "stops_at_once", always(False)),),
        seed=9,
    ),
    Mutation(
        "memory",
        "a container out of memory blames nobody",
        (("protocol.observing", "cause_of", always("")),),
        seed=0,
    ),
    Mutation(
        "memory",
        "a careful test's end is not durable before others begin",
        (
            ("protocol.carrying", "after_careful", always_later(None)),
            ("protocol.shifts", "may_go_straight_on", always(True)),
        ),
        seed=106,
    ),
    Mutation(
        "proof",
        "silence is called proof",
        (("protocol.observing", "is_proof", always(True)),),
        seed=0,
    ),
    Mutation(
        "proof",
        "a launcher proves the death of the living",
        (("protocol.observing", "Observer.ask", broken.sure),),
        seed=0,
    ),
    Mutation(
        "pools",
        "steals across pools",
        (("logic.stealing", "may_run", always(True)),),
        seed=1,
    ),
    Mutation(
        "pools",
        "any worker counts for any pool",
        (("protocol.staffing", "serves", always(True)),),
        seed=38,
    ),
    Mutation(
        "pools",
        "the slots of living workers of other terms are given again",
        (("protocol.staffing", "Staff._held", always(frozenset())),),
        seed=85,
    ),
    Mutation(
        "joining",
        "every agent's slots begin with 0",
        (("protocol.seats", "first_slot", always_later(0)),),
        seed=0,
    ),
    Mutation(
        "joining",
        "whoever has nothing to do leaves, whether others work or not",
        (("protocol.leaving", "are_heard", always(True)),),
        seed=8,
    ),
    Mutation(
        "joining",
        "whoever closes holds the result to be its own",
        (("protocol.finishing", "Finisher._has_closed", always_later(True)),),
        seed=0,
    ),
    Mutation(
        "deletion",
        "the plan goes last",
        (("protocol.sweeping", "FIRST", constant("closed")), ("protocol.sweeping", "LAST", constant("plan"))),
        seed=0,
    ),
    Mutation("deletion", "closed goes in between", (("protocol.sweeping", "LAST", constant("workers")),), seed=0),
)
