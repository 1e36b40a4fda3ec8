"""`plan`: what would run, on how many workers, how long it would take and what bounds that. Prints nothing but its answer.

Reads what `group` left; runs nothing.
"""

from __future__ import annotations

import json as codec
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages import remarks
from pipeline.stages.agent import Agent
from pipeline.stages.doctor import JSON

if TYPE_CHECKING:  # What plans is imported where it is used.
    from pipeline.model.pools import Pool
    from pipeline.model.tests import Test

DOC = "say what would run, for how long, and what bounds it"
TARGET = Param(name="target", default="", help="a wall time in seconds: say how many workers it takes")


def register(catalog: Catalog, agent: Agent, grouped: Handle) -> Handle:
    """Add the task, after `group`."""
    action = Action(plan, {"agent": agent})
    return catalog.add(
        "plan",
        lambda: TaskSpec(name="plan", actions=(action,), needs=(grouped,), params=(JSON, TARGET), always=True),
        doc=DOC,
    )


def plan(agent: Agent, json: bool, target: str) -> None:
    """Print the forecast."""
    told = forecast_of(agent, _seconds(target))
    print(codec.dumps(told, indent=2) if json else as_text(told))


def forecast_of(agent: Agent, target_seconds: float | None) -> dict[str, Any]:
    """The forecast as plain JSON: `{plan, tests, batches, buckets, workers, suites, pools, folder, forecast, remarks, queues?,
    target?}`."""
    from pipeline.logic.forecasting import forecast, workers_for
    from pipeline.logic.pooling import scaled, slots_of, useful, whole
    from pipeline.stages import group

    made = group.read(agent)
    pools = whole(scaled(agent.pools(), 1), (test.suite for test in made.tests))
    pools = useful(pools, (made.tests[batch.tests[0]].suite for batch in made.batches))
    found = forecast(made.tests, pools)
    told: dict[str, Any] = {
        "plan": made.digest,
        "tests": len(made.tests),
        "batches": len(made.batches),
        "buckets": len(made.buckets),
        "workers": slots_of(pools),
        "suites": _of_suites(made.tests),
        "pools": [_told(pool, made.tests) for pool in pools],
        "folder": str(group.folder(agent)),
        "forecast": asdict(found),
        "remarks": list(agent.remarks()),
    }
    if agent.workforce.grounds is not None:
        from pipeline.logic.placement.telling import queues_told

        told["queues"] = queues_told(made, agent.workforce.grounds)
    if target_seconds is not None:
        told["target"] = {"seconds": target_seconds, "workers": workers_for(made.tests, target_seconds, pools=pools)}
    return told


def _of_suites(tests: Sequence[Test]) -> list[dict[str, Any]]:
    """`{name, tests, seconds}` of each suite that has tests, in their order."""
    own: dict[str, list[float]] = {}
    for test in tests:
        own.setdefault(test.suite, []).append(test.seconds)
    return [{"name": name, "tests": len(seconds), "seconds": sum(seconds)} for name, seconds in own.items()]


def _told(pool: Pool, tests: Sequence[Test]) -> dict[str, Any]:
    own = [test.seconds for test in tests if test.suite in pool.suites]
    return {
        "name": pool.name,
        "workers": pool.size,
        "first_slot": pool.first,
        "suites": list(pool.suites),
        "tests": len(own),
        "seconds": sum(own),
        "why": pool.why,
    }


def as_text(told: dict[str, Any]) -> str:
    """The forecast for people."""
    from pipeline.logic.counting import count

    found = told["forecast"]
    lines = [*remarks.as_lines(told["remarks"])]
    batches, buckets = count(told["batches"], "batch"), count(told["buckets"], "bucket")
    lines += [f"{count(told['tests'], 'test')} in {batches}, {buckets} in {told['folder']}"]
    if len(told["suites"]) > 1:
        lines += [
            f"  suite {one['name']}: {count(one['tests'], 'test')}, {one['seconds']:.1f} s" for one in told["suites"]
        ]
    if len(told["pools"]) > 1:
        lines += [_line(pool) for pool in told["pools"]]
    if "queues" in told:
        from pipeline.logic.placement.telling import lines_of

        lines += lines_of(told["queues"])
    lines += [f"  pool {pool['name']}: {pool['why']}" for pool in told["pools"] if pool["why"]]
    lines += [f"  {point['workers']:>5} workers: {point['seconds']:8.1f} s" for point in found["points"]]
    lines += ["bounded by the tests that cannot be split:", *_weights(found["longest"])]
    lines += ["and by the files:", *_weights(found["files"])]
    if "target" in told:
        workers = told["target"]["workers"]
        answer = f"{workers} workers" if workers else "no number of workers: one test takes longer"
        lines.append(f"for {told['target']['seconds']:g} s: {answer}")
    return "\n".join(lines)


def _line(pool: dict[str, Any]) -> str:
    slots = f"gw{pool['first_slot']} to gw{pool['first_slot'] + pool['workers'] - 1}"
    from pipeline.logic.counting import count

    work = f"{count(pool['tests'], 'test')}, {pool['seconds']:.1f} s of {', '.join(pool['suites'])}"
    return f"  pool {pool['name']}: {count(pool['workers'], 'worker')} ({slots}) for {work}"


def _weights(weights: Sequence[dict[str, Any]]) -> list[str]:
    return [f"  {weight['seconds']:8.2f} s  {weight['name']!r}" for weight in weights]


def _seconds(target: str) -> float | None:
    if not target:
        return None
    try:
        seconds = float(target.removesuffix("s"))
    except ValueError:
        raise UsageError(f"--target {target!r} is no number of seconds") from None
    if seconds <= 0:
        raise UsageError(f"--target {target!r} is not above 0")
    return seconds
