"""Two agents of one run whose queues differ: neither waits for the other for ever, and together they keep to the budgets of hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve

from pipeline.logic.planning import freeze
from pipeline.model.plans import Batch
from pipeline.model.tests import Test
from tests.simulation.scenarios import Scenario, draw
from tests.simulation.tests_of_users import Script
from tests.simulation.virtual_time import play
from tests.simulation.worlds import World

BASE = draw(0)


def calm(seconds: Sequence[float], queues: Sequence[int], *, processors: Sequence[int], **more: Any) -> Scenario:
    """One test a batch, pinned to a queue each; nothing goes wrong but what is said."""
    workers = max(queues) + 1
    tests = [Test(id=f"s::t{at}", suite="s", native=f"t{at}", seconds=each) for at, each in enumerate(seconds)]
    made = [Batch(number=at, bucket=queue, tests=(at,), seconds=seconds[at]) for at, queue in enumerate(queues)]
    buckets = [[at for at, other in enumerate(queues) if other == queue] for queue in range(workers)]
    plan = freeze(tests, made, buckets, seed=0)
    lease = 2.0
    scenario = evolve(
        BASE,
        lease_seconds=lease,
        scripts=tuple(Script(seconds=each) for each in seconds),
        plan=plan,
        other_plan=freeze(tests, made, buckets, seed=1),
        workers=workers,
        resumed_workers=workers,
        apart=False,
        starves=False,
        slow_rate=0.0,
        refused_rate=0.0,
        lost_answer_rate=0.0,
        late_rate=0.0,
        torn_rate=0.0,
        outage=(0.0, 0.0),
        guards_are_cut_off=False,
        guards_prove=True,
        failed_start_rate=0.0,
        no_harness_rate=0.0,
        crashes_at=(),
        stalls_at=(),
        nod_rate=0.0,
        buried_at=(),
        second_agent_at=None,
        agent_crashes_at=None,
        stops_at=None,
        sources_change=False,
        pools="",
        joined_at=(),
        grows=False,
        taken_at=(),
        limits=evolve(
            BASE.limits,
            lease_seconds=lease,
            max_losses=1000,
            flush_seconds=lease / 20,
            idle_seconds=lease / 4,
            retry_seconds=lease / 40,
            test_timeout_seconds={},
        ),
        queues=tuple(frozenset([queue]) for queue in queues),
        processors=tuple(processors),
    )
    return evolve(scenario, **more)


def played(scenario: Scenario, *, buried: str, at: float) -> float:
    """Play it; that worker is given up then, although it lives. When all was over."""

    async def main() -> float:
        world = World(scenario)
        world.later(at, lambda: world.bury(next(key.split("/")[1] for key in world.data.values), buried))
        await world.play()
        assert {outcome.result.verdict.value for run in world.closed for outcome in run.outcomes} == {"passed"}
        return world.now

    return play(main())  # type: ignore[no-any-return]


@pytest.mark.parametrize("layouts_change", [True, False])
def test_what_is_left_for_a_lost_workers_queue_is_run(layouts_change: bool) -> None:
    """The older agent may not hire, and the newer one has other shares of ranges than the older one's workers, who have nothing to do."""
    scenario = calm(
        [1.0, 1.0, 5.0, 1.0], [0, 1, 2, 2], processors=[0, 0, 0, 0], layouts_change=layouts_change, second_agent_at=1.0
    )
    first = scenario.seating_of(1)
    assert first is not None
    slot = [str(queue) for queue in first.queues].index("h/2")
    assert played(scenario, buried=f"w{slot}-1", at=3.0) < 60.0


def test_budgets_are_not_held_twice() -> None:
    """The first agent's worker still uses a host when the second one has queues of that host to staff."""
    scenario = calm([1.0, 20.0, 5.0, 5.0], [0, 1, 2, 2], processors=[0, 2, 0, 2], second_agent_at=1.0)
    assert played(scenario, buried="w2-1", at=3.0) < 80.0
