"""`gather`: merge the journals of a closed run, write its reports, teach the history, decide the exit code.

The default task. When nothing has changed since a green run, that result is said again with its age.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve

from pipeline.errors import EXIT_GOOD, EXIT_TESTS_FAILED, EngineError, FleetError, TestsFailed, UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages import collect, join, launch
from pipeline.stages.agent import Agent, Joined

if TYPE_CHECKING:
    from pipeline.model.runs import MergedRun

DOC = "merge the results, write the reports, decide the exit code"


def register(catalog: Catalog, agent: Agent, launched: Handle) -> Handle:
    """Add the task, after `launch`."""
    return catalog.add(
        "gather",
        lambda: TaskSpec(
            name="gather",
            actions=(Action(gather, {"agent": agent}),),
            needs=(launched,),
            targets=tuple(agent.report_paths()) if not agent.workforce.in_foreground else (),
            if_fresh=Action(say_again, {"agent": agent}),
        ),
        doc=DOC,
    )


def gather(agent: Agent) -> dict[str, Any]:
    """Merge and report. Raises `TestsFailed` or `UntrustworthyRun`; the console has said what and why by then."""
    if agent.workforce.in_foreground:
        return {}
    run = merged(agent, launch.read(agent))
    if agent.joins.joined is not None and (answer := _as_others_told(agent, run, agent.joins.joined)) is not None:
        return answer
    facts = {name: one.facts for name, one in collect.read(agent).items()} if collect.output(agent).exists() else {}
    run = concluded(agent, run, with_homes(agent, facts, agent.bring_home(run.run)))
    agent.learn(run)
    agent.finish(run)
    deliver(agent, facts)
    join.tell(agent, run)
    if run.exit_code != EXIT_GOOD:
        raise failure_of(run)
    return {"run": run.run, "fresh": agent.joins.joined is None}


def _as_others_told(agent: Agent, run: MergedRun, joined: Joined) -> dict[str, Any] | None:
    """End as a job that does not gather; None: it does. Raises `TestsFailed` or `UntrustworthyRun` where all jobs decide."""
    role = launch.role(agent)
    if role == join.LEFT:
        if not joined.share:
            join.say_who_stays(agent, joined)
        return {"run": run.run, "fresh": False}
    told = join.heard(agent, role)
    if told is None:
        return None
    run = evolve(run, exit_code=told.exit_code, reason=told.reason)
    agent.reporting.show(run)
    join.say_who_tells(agent, told, code=0 if join.ends_well(agent, role, told) else told.exit_code)
    if not join.ends_well(agent, role, told):
        raise failure_of(run)
    return {"run": run.run, "fresh": False}


def merged(agent: Agent, name: str) -> MergedRun:
    """The outcome of a run: as this process has closed it, or as the store tells it."""
    from pipeline.protocol import resuming  # Here, because a `doit` with nothing to do never gathers.

    allows_empty = agent.wishes().allow_empty
    if name in agent.ended and not allows_empty:
        return agent.ended[name]
    return agent.wait(resuming.merged(agent.store(), agent.clock(), name, allows_empty=allows_empty))


def concluded(agent: Agent, run: MergedRun, facts: Mapping[str, Mapping[str, Any]]) -> MergedRun:
    """Let frameworks do what is done once after all tests (combine coverage, say), and take in what they object to."""
    objections: list[str] = []
    for suite in agent.suites():
        conclusion = agent.framework(suite).conclude(suite, facts.get(suite.name, {}), agent.command)
        objections += conclusion.objections
        if conclusion.text:
            from pipeline.model.events import Notice  # Here, so that starting stays light.

            agent.emit(Notice(level="info", text=conclusion.text))
            if run.losses:
                agent.emit(
                    Notice(
                        level="warning", text="lost workers took along what they had measured: it is not in this report"
                    )
                )
    if agent.wishes().fail_on_flaky and (flaky := sum(one.result.is_flaky for one in run.outcomes)):
        objections.append(f"{flaky} flaky, and run.fail_on_flaky is set")
    return with_objections(run, objections)


def with_homes(
    agent: Agent, facts: Mapping[str, Mapping[str, Any]], brought: Sequence[Path]
) -> Mapping[str, Mapping[str, Any]]:
    """The facts of each suite, with where workers elsewhere have sent what its framework needs, if any have."""
    if not brought:
        return facts
    from pipeline.model.images import Places  # Here, because only runs elsewhere need it.

    there = [Places().project, *join.roots(agent), *agent.workforce.roots_elsewhere]
    homes = {"folders": [str(each) for each in brought], "here": str(agent.root), "there": there}
    return {suite: {**told, "homes": homes} for suite, told in facts.items()}


def deliver(agent: Agent, facts: Mapping[str, Mapping[str, Any]]) -> None:
    """Copy the JUnit report of the run to where a suite's own options want one. Raises `EngineError`."""
    made = next((path for path in agent.report_paths() if path.name == "junit.xml" and path.exists()), None)
    for suite in agent.suites() if made else ():
        wanted = facts.get(suite.name, {}).get("junitxml")
        if wanted and made:
            target = Path(suite.root, wanted)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(made, target)
            except OSError as error:
                raise EngineError(f"cannot write the report {str(target)!r}: {error}") from error


def with_objections(run: MergedRun, objections: Sequence[str]) -> MergedRun:
    """A run that is not good enough for a framework is red even if every test passed."""
    if not objections:
        return run
    reasons = "; ".join((*([run.reason] if run.exit_code else []), *objections))
    return evolve(run, reason=reasons, exit_code=run.exit_code or EXIT_TESTS_FAILED)


def failure_of(run: MergedRun) -> FleetError:
    """The error that ends a red run; without text, because the summary has said everything."""
    return TestsFailed("") if run.exit_code == EXIT_TESTS_FAILED else UntrustworthyRun("")


def say_again(agent: Agent) -> None:
    """Print the result that still stands."""
    agent.say_again()
