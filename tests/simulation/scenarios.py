"""From one seed: what is planned, and everything that goes wrong."""

from __future__ import annotations

import random

from attrs import evolve, frozen

from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.offers import Place
from pipeline.logic.placement.seating import Seating
from pipeline.logic.planning import freeze
from pipeline.model.plans import Batch, Plan
from pipeline.model.pools import Pool
from pipeline.model.tests import Test
from pipeline.protocol.limits import Limits
from tests.simulation.tests_of_users import Manner, Script

PROCESSORS = 2.0


@frozen(kw_only=True)
class Scenario:
    """All choices of one seed. Rates are per operation, spans in imagined seconds."""

    seed: int
    lease_seconds: float
    scripts: tuple[Script, ...]
    plan: Plan
    other_plan: Plan
    """What a later agent would plan: the same tests, otherwise frozen."""
    workers: int
    resumed_workers: int
    apart: bool
    """Each supervisor is a process of its own."""
    starves: bool
    """Tests that kill use up the memory of their whole container: supervisor and harness are gone, with proof."""
    slow_rate: float
    refused_rate: float
    lost_answer_rate: float
    late_rate: float
    torn_rate: float
    outage: tuple[float, float]
    stamp_lag: float
    guards_are_cut_off: bool
    guards_prove: bool
    salvages: bool
    loses_last_words: bool
    failed_start_rate: float
    no_harness_rate: float
    crashes_at: tuple[float, ...]
    """When some worker's (or the agent's) process crashes."""
    stalls_at: tuple[tuple[float, float], ...]
    """(when, how long) some process stalls."""
    nod_rate: float
    """How often a supervisor stalls between looking for its tombstone and giving a permission."""
    buried_at: tuple[float, ...]
    """When a third party gives up a living worker, without proof: anybody may."""
    second_agent_at: float | None
    agent_crashes_at: float | None
    stops_at: float | None
    sources_change: bool
    limits: Limits
    taken_at: tuple[tuple[float, str], ...] = ()
    """(when, how) the place of a worker elsewhere is taken away: in order as after SIGTERM, or at once."""
    pools: str = ""
    """How the workers are shared out between the two suites: "apart", "shared", or not at all."""
    joined_at: tuple[float, ...] = ()
    """When others join the run that the first agent joins; none: agents succeed each other."""
    jobs_killed_at: tuple[float, ...] = ()
    """When one of them is killed."""
    may_leave: bool = False
    """Whether they end when others carry on."""
    pools_change: bool = False
    """Later agents have other pools: each suite has the other's share."""
    grows: bool = False
    """Whether room for more workers appears while tests run."""
    queues: tuple[frozenset[int], ...] = ()
    """By batch, the queues that may run it, of as many as there are workers; none: there are no queues."""
    processors: tuple[int, ...] = ()
    """By batch, what its tests need of the two that there are."""
    layouts_change: bool = False
    """Later agents have queues in other slots, and these other shares of ranges."""

    def seating_of(self, agent: int) -> Seating | None:
        """The queues of the agent of that number."""
        if not self.queues:
            return None
        turn = agent if self.layouts_change else 0
        places = [Place("h", str(number)) for number in range(self.workers)]
        return Seating(
            queues=tuple(places[turn % len(places) :] + places[: turn % len(places)]),
            places=tuple(frozenset(str(places[queue]) for queue in queues) for queues in self.queues),
            amounts=tuple(Amount(cpus=float(cpus)) for cpus in self.processors),
            budgets={"h": Amount(cpus=PROCESSORS, memory_bytes=None)},
            layout=f"layout {turn}" if self.layouts_change else "",
        )

    def pools_of(self, workers: int, *, is_first: bool) -> tuple[Pool, ...]:
        """The pools of an agent with that many workers."""
        if not self.pools:
            return ()
        first, second = "st" if is_first or not self.pools_change else "ts"
        sizes = (workers - 1, 1) if self.pools == "apart" else (workers, workers - 1)
        firsts = (0, workers - 1) if self.pools == "apart" else (0, 0)
        return tuple(
            Pool(name=f"for {suite}", first=first, size=size, suites=(suite,))
            for suite, first, size in zip((first, second), firsts, sizes, strict=True)
        )


def draw(seed: int) -> Scenario:
    """Choose everything."""
    rng = random.Random(seed)
    lease = rng.choice((2.0, 4.0, 8.0))
    scripts = tuple(_script(rng) for _ in range(rng.choice((1, 3, 6, 12, 20))))
    if rng.random() < 0.15:  # So that fail-fast closes a run while workers are still being born.
        scripts = tuple(evolve(script, manner=Manner.FAILS) for script in scripts)
    workers = rng.choice((1, 2, 2, 3, 4))
    trouble = rng.choice((0.0, 0.3, 1.0))
    calm = rng.random() < 0.15
    apart = rng.random() < 0.5
    plan = _plan(rng, scripts, workers)
    return _pooled(
        Scenario(
            seed=seed,
            lease_seconds=lease,
            scripts=scripts,
            plan=plan,
            other_plan=freeze(
                plan.tests, plan.batches, plan.buckets, seed=1, retries=plan.retries, fail_fast=plan.fail_fast
            ),
            workers=workers,
            resumed_workers=rng.choice((1, 2, 3)),
            apart=apart,
            starves=False,
            slow_rate=0.2 * trouble,
            refused_rate=0.02 * trouble,
            lost_answer_rate=0.03 * trouble,
            late_rate=0.02 * trouble,
            torn_rate=0.1 * trouble,
            outage=_outage(rng, lease) if rng.random() < 0.3 else (0.0, 0.0),
            stamp_lag=rng.choice((0.0, 0.02, 0.1)),
            guards_are_cut_off=rng.random() < 0.3,
            guards_prove=rng.random() < 0.8,
            salvages=rng.random() < 0.6,
            loses_last_words=rng.random() < 0.3,
            failed_start_rate=rng.choice((0.0, 0.0, 0.0, 0.1)),
            no_harness_rate=rng.choice((0.0, 0.0, 0.0, 0.02)),
            crashes_at=tuple(rng.uniform(0, 3 * lease) for _ in range(0 if calm else rng.choice((0, 0, 1, 1, 2)))),
            stalls_at=tuple(
                (rng.uniform(0, 2 * lease), rng.uniform(0.2, 5) * lease)
                for _ in range(0 if calm else rng.choice((0, 1, 1, 2)))
            ),
            nod_rate=rng.choice((0.0, 0.0, 0.0, 0.05)),
            buried_at=tuple(rng.uniform(0, 3 * lease) for _ in range(rng.choice((0, 0, 1, 2)))),
            second_agent_at=rng.uniform(0, 2 * lease) if rng.random() < 0.35 else None,
            agent_crashes_at=rng.uniform(0, 3 * lease) if rng.random() < 0.35 else None,
            stops_at=rng.uniform(0, 2 * lease) if rng.random() < 0.2 else None,
            sources_change=rng.random() < 0.1,
            limits=Limits(
                lease_seconds=lease,
                max_losses=rng.choice((0, 1, 1000, 1000)),
                test_timeout_seconds={"s": 15.0, "t": 15.0},
                slow_after_seconds=2 * lease,
                flush_seconds=lease / rng.choice((4, 20)),
                birth_seconds=6 * lease,
                finish_seconds=lease,
                stop_seconds=lease / 2,
                idle_seconds=lease / 4,
                retry_seconds=lease / 40,
                max_losses_per_test=6,
            ),
        )
    )


def _pooled(scenario: Scenario) -> Scenario:
    """Some worlds have pools."""
    rng = random.Random(f"pools {scenario.seed}")
    if rng.random() < 0.3:
        scenario = evolve(
            scenario,
            pools=rng.choice(("apart", "apart", "shared")),
            pools_change=rng.random() < 0.3,
            workers=max(2, scenario.workers),
            resumed_workers=max(2, scenario.resumed_workers),
        )
    return _elsewhere(scenario)


def _elsewhere(scenario: Scenario) -> Scenario:
    """Some worlds more of workers elsewhere: quiet ones, in which all must end in order, and such with little memory."""
    rng = random.Random(f"elsewhere {scenario.seed}")
    if not scenario.apart:
        return _joined(scenario)
    if scenario.pools == "apart" and random.Random(f"grows {scenario.seed}").random() < 0.6:
        limits = evolve(scenario.limits, room_seconds=scenario.lease_seconds / 4)
        scenario = evolve(scenario, grows=True, limits=limits)
    if rng.random() < 0.3:
        scenario = evolve(
            scenario, starves=True, salvages=True, scripts=tuple(_hungry(rng, each) for each in scenario.scripts)
        )
    if rng.random() < 0.25:
        scenario = evolve(
            scenario,
            slow_rate=0.0,
            refused_rate=0.0,
            lost_answer_rate=0.0,
            late_rate=0.0,
            torn_rate=0.0,
            outage=(0.0, 0.0),
            stalls_at=(),
            nod_rate=0.0,
            buried_at=(),
            second_agent_at=None,
            agent_crashes_at=None,
            stops_at=None,
        )
        scenario = _taken(rng, scenario)
        if scenario.plan.fail_fast:  # So that long tests are running when the run is closed.
            scenario = evolve(
                scenario, starves=False, scripts=tuple(_at_length(at) for at in range(len(scenario.scripts)))
            )
    return scenario


def _taken(rng: random.Random, scenario: Scenario) -> Scenario:
    """Some of the quiet worlds lose nothing but places, and bear few losses, but that is none."""
    if rng.random() < 0.4:
        return scenario
    spans = sorted(rng.uniform(0, 6 * scenario.lease_seconds) for _ in range(rng.choice((1, 3, 6, 12))))
    crashes = any(script.manner is Manner.CRASHES for script in scenario.scripts)
    return evolve(
        scenario,
        crashes_at=(),
        failed_start_rate=0.0,
        no_harness_rate=0.0,
        taken_at=tuple((when, rng.choice(("preempted", "evicted", "node-lost"))) for when in spans),
        limits=evolve(
            scenario.limits,
            max_losses=0,
            max_disruptions=rng.choice((0, 1, 3, 1000)),
            max_losses_per_test=scenario.limits.max_losses_per_test if crashes else 1,
        ),
    )


def _joined(scenario: Scenario) -> Scenario:
    """Some worlds are jobs that join one run, some of them late."""
    rng = random.Random(f"joined {scenario.seed}")
    if rng.random() < 0.5:
        return _queued(scenario)
    lease = scenario.lease_seconds
    return evolve(
        scenario,
        joined_at=tuple(rng.choice((0.0, rng.uniform(0, lease), 6 * lease)) for _ in range(rng.choice((1, 2, 3)))),
        jobs_killed_at=tuple(rng.uniform(0, 4 * lease) for _ in range(rng.choice((0, 0, 1, 2)))),
        may_leave=rng.random() < 0.6,
        second_agent_at=None,
    )


def _queued(scenario: Scenario) -> Scenario:
    """Some worlds have queues that may not all run everything, and a budget."""
    rng = random.Random(f"queues {scenario.seed}")
    if scenario.pools or rng.random() < 0.4:
        return scenario
    workers = max(2, scenario.workers)
    batches = range(len(scenario.plan.batches))
    if rng.random() < 0.5:  # So that workers are given up that live, while another agent is there to take their queues.
        lease = scenario.lease_seconds
        scenario = evolve(
            scenario,
            guards_are_cut_off=True,
            second_agent_at=rng.uniform(0, lease / 2),
            agent_crashes_at=(crash := rng.uniform(lease / 2, 1.5 * lease)),
            buried_at=tuple(crash + rng.uniform(0, lease / 4) for _ in range(6)),
            salvages=False,
        )
    return evolve(
        scenario,
        workers=workers,
        resumed_workers=workers,
        queues=tuple(frozenset(rng.sample(range(workers), rng.randint(1, workers))) for _ in batches),
        processors=tuple(rng.choice((0, 0, 1, 2)) for _ in batches),
        layouts_change=rng.random() < 0.5,
    )


def _at_length(test: int) -> Script:
    return Script(seconds=2.0, manner=Manner.FAILS) if test < 2 else Script(seconds=13.0)


def _hungry(rng: random.Random, script: Script) -> Script:
    return evolve(script, manner=Manner.CRASHES) if rng.random() < 0.3 else script


def _outage(rng: random.Random, lease: float) -> tuple[float, float]:
    begin = rng.uniform(0, 3 * lease)
    return begin, begin + rng.uniform(0.2, 3) * lease


def _script(rng: random.Random) -> Script:
    manner = rng.choices(
        (Manner.PASSES, Manner.FAILS, Manner.HANGS, Manner.CRASHES, Manner.FLAKES), weights=(78, 8, 2, 6, 4)
    )[0]
    return Script(seconds=rng.choice((0.01, 0.1, 0.5, 1.0, 3.0, 6.0)), manner=manner)


def _plan(rng: random.Random, scripts: tuple[Script, ...], workers: int) -> Plan:
    sizes = []
    left = len(scripts)
    while left:
        sizes.append(min(left, rng.choice((1, 1, 2, 4))))
        left -= sizes[-1]
    tests: list[Test] = []
    batches: list[Batch] = []
    buckets: list[list[int]] = [[] for _ in range(workers)]
    for number, size in enumerate(sizes):
        exclusive = f"r{number}" if rng.random() < 0.4 else ""
        suite = rng.choice("sst")
        at = len(tests)
        for index in range(size):
            tests.append(
                Test(
                    id=f"{suite}::t{at + index}",
                    suite=suite,
                    native=f"t{at + index}",
                    exclusive=exclusive,
                    seconds=scripts[at + index].seconds,
                )
            )
        bucket = rng.randrange(workers)
        buckets[bucket].append(number)
        batches.append(
            Batch(
                number=number,
                bucket=bucket,
                tests=tuple(range(at, at + size)),
                seconds=sum(test.seconds for test in tests[at:]),
                exclusive=exclusive,
            )
        )
    fail_fast = rng.choice((0, 0, 0, 1, 2))
    return freeze(tests, batches, buckets, seed=0, retries=rng.choice((0, 1)), fail_fast=fail_fast)
