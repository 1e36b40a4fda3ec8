"""`collect`: let warm harnesses say which tests there are, each file once; frameworks that know it already are asked themselves.

Leaves `build/collect/tests.json`: `{suite: {tests: [[native, occurrence, unit, exclusive, file]…], errors, deselected,
affinity, facts}}`, which `group` reads. Must not know what a framework does to collect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.errors import UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.logic.naming import name_tests
from pipeline.model.suites import Interpreter, Suite
from pipeline.ports import Collected
from pipeline.stages import join
from pipeline.stages.agent import Agent

DOC = "let warm harnesses say which tests there are"


def register(catalog: Catalog, agent: Agent, compiled: Handle) -> Handle:
    """Add the task, after `compile`."""
    return catalog.add(
        "collect",
        lambda: TaskSpec(
            name="collect",
            actions=(Action(collect, {"agent": agent}),),
            needs=(compiled,),
            digest=lambda: {**agent.inputs().parts},
            targets=(output(agent),),
        ),
        doc=DOC,
    )


def output(agent: Agent) -> Path:
    """The file this stage leaves."""
    return agent.build / "collect" / "tests.json"


def collect(agent: Agent) -> dict[str, Any]:
    """Collect all suites. Raises `UntrustworthyRun` with the frameworks' own texts for what cannot be collected."""
    from pipeline.model.events import CollectionFinished, CollectionStarted  # Here, so that starting stays light.

    if join.is_over(agent):
        return {}
    suites = agent.suites()
    clock = agent.clock()
    began = clock.monotonic()
    agent.emit(
        CollectionStarted(
            suites=tuple(suite.name for suite in suites),
            harnesses=0 if all(map(partial(_knows, agent), suites)) else agent.workforce.hands,
            interpreters=tuple(dict.fromkeys(_found(suite.interpreter) for suite in suites)),
        )
    )
    weights = {suite.name: _weights(agent, suite.name) for suite in suites}
    found = {suite.name: _collect_one(agent, suite, weights[suite.name]) for suite in suites}
    errors = [f"{native}\n{text}" for one in found.values() for native, text in one.errors]
    agent.emit(
        CollectionFinished(
            tests=sum(len(one.tests) for one in found.values()),
            files=sum(len({test.file for test in one.tests}) for one in found.values()),
            deselected=sum(one.deselected for one in found.values()),
            errors=tuple(errors),
            seconds=clock.monotonic() - began,
        )
    )
    _refuse(found)
    agent.collected.update(found)
    path = output(agent)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({name: _as_json(one) for name, one in found.items()}), encoding="utf-8")
    return {name: len(one.tests) for name, one in found.items()}


def _found(interpreter: Interpreter) -> str:
    version = ".".join(map(str, interpreter.version))
    return f"{interpreter.path} (Python {version}; {interpreter.source})"


def _weights(agent: Agent, suite: str) -> dict[str, float]:
    """Seconds by file, as far as history knows them. Not on the loop, which history may need."""
    weights: dict[str, float] = {}
    for test, seconds in agent.history().estimates(suite, agent.branches()).items():
        file = test.removeprefix(f"{suite}::").partition("::")[0]
        weights[file] = weights.get(file, 0.0) + seconds
    return weights


def _collect_one(agent: Agent, suite: Suite, weights: Mapping[str, float]) -> Collected:
    from pipeline.protocol import collecting  # Here, because it needs asyncio.

    harnesses = min(agent.workforce.hands, next(pool.size for pool in agent.pools() if suite.name in pool.suites))
    if _knows(agent, suite):
        known = agent.framework(suite).known(suite)  # type: ignore[attr-defined]
        return collecting.collect_known(suite.name, known, harnesses, weights=weights, emit=agent.emit)
    launcher = agent.launcher()
    return agent.wait(collecting.collect_suite(suite.name, launcher, harnesses, weights=weights, emit=agent.emit))


def _knows(agent: Agent, suite: Suite) -> bool:
    return hasattr(agent.framework(suite), "known")


def _refuse(found: Mapping[str, Collected]) -> None:
    bad = {
        name: one for name, one in found.items() if one.errors and not one.facts.get("continue_on_collection_errors")
    }
    if bad:
        names = [native for one in bad.values() for native, _ in one.errors]
        raise UntrustworthyRun(
            f"{len(names)} error{'s' if len(names) > 1 else ''} during collection, so nothing was started: {', '.join(names)}"
        )


def read(agent: Agent) -> dict[str, Collected]:
    """What `collect` left. Raises `UntrustworthyRun` when it is damaged."""
    if agent.collected:
        return agent.collected
    try:
        told = json.loads(output(agent).read_text("utf-8"))
        agent.collected.update({name: _of_json(name, one) for name, one in told.items()})
        return agent.collected
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UntrustworthyRun(
            f"cannot read {str(output(agent))!r}: {error}", hint="make it again with `doit -a collect`"
        ) from error


def _as_json(one: Collected) -> dict[str, Any]:
    rows = [[test.native, test.occurrence, test.unit, test.exclusive, test.file] for test in one.tests]
    return {
        "tests": rows,
        "errors": one.errors,
        "deselected": one.deselected,
        "affinity": one.affinity,
        "facts": one.facts,
    }


def _of_json(name: str, told: Mapping[str, Any]) -> Collected:
    return Collected(
        tests=name_tests(name, told["tests"]),
        errors=tuple((native, text) for native, text in told["errors"]),
        deselected=told["deselected"],
        affinity=told["affinity"],
        facts=told["facts"],
    )
