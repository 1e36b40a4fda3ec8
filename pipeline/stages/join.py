"""`join`: see that this job is about the same as the run that it joins; and, when the run is closed, who tells its result.

Jobs know of each other only through the store. The first one says what the run is about. Of those that are there at the end
the one that has closed gathers; the others wait until it has told the result, and take its place when it does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import EXIT_GOOD, UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec
from pipeline.stages.agent import Agent, Joined

if TYPE_CHECKING:
    from pipeline.logic.objects import Told
    from pipeline.model.runs import MergedRun

DOC = "see that this job may join the run of that name"
CLOSED, PRESENT, LATE, LEFT = "closed", "present", "late", "left"
"""What a job was to its run: the one that closed it, one of those beside, one that came when all was over, one that had
nothing to do while others worked."""
NAMED = 5
"""So many differences are named."""


def register(catalog: Catalog, agent: Agent) -> Handle:
    """Add the task; where no run is named, there is none."""
    return catalog.add(
        "join",
        lambda: TaskSpec(name="join", actions=(Action(join, {"agent": agent}),), always=True),
        doc=DOC,
        exists=agent.joins.is_named,
    )


def join(agent: Agent) -> dict[str, Any]:
    """Say what the run is about, or compare. Raises `UsageError` naming what differs."""
    joined = agent.joins.joined
    if joined is None:
        return {}
    from pipeline.model.events import Notice  # Here, because most runs have one job.
    from pipeline.protocol import joining

    mine = agent.joins.inputs
    standing = agent.wait(joining.announce(agent.store(), agent.clock(), joined.run, mine))
    differences = list(differences_of(mine, standing))
    if differences:
        more = f", and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
        raise UsageError(
            f"run {joined.run!r} is about something else: {'; '.join(differences[:NAMED])}{more}",
            hint="jobs join with the same sources, Python and packages; give other inputs another join.name "
            "(files that do not count: project.inputs.exclude)",
        )
    agent.emit(Notice(level="info", text=f"joins run {joined.run!r}, planned for {joined.jobs} jobs"))
    return {"run": joined.run}


def differences_of(mine: Mapping[str, Any], standing: Mapping[str, Any]) -> Iterator[str]:
    """What is otherwise here than in the run, for people."""
    for part in sorted({*mine, *standing}):
        here, there = _named(mine.get(part)), _named(standing.get(part))
        for name in sorted({*here, *there}):
            if here.get(name) != there.get(name):
                yield f"{part}: {_difference(name, here.get(name), there.get(name))}"


def _named(part: object) -> Mapping[str, Any]:
    """What another version has written may have another shape."""
    return part if isinstance(part, Mapping) else {} if part is None else {"all": part}


def _difference(name: str, here: object, there: object) -> str:
    if here is None or there is None:
        return f"{name} is only {'in the run' if here is None else 'here'}"
    if len(f"{here}{there}") > 60 or not {*"0123456789."}.issuperset(f"{here}{there}".replace(" ", "")):
        return f"{name} differs"
    return f"{name} is {here} here, {there} in the run"


def is_over(agent: Agent) -> bool:
    """Whether the joined run is closed and its result told: then nothing has to be collected or planned."""
    if agent.joins.joined is None:
        return False
    from pipeline.protocol import joining

    return agent.wait(joining.read_told(agent.store(), agent.clock(), agent.joins.joined.run)) is not None


def heard(agent: Agent, role: str) -> Told | None:
    """What another job has told of the closed run; None: it is this job's to gather and tell, or nobody else did."""
    if agent.joins.joined is None or role == CLOSED:
        return None
    from pipeline.protocol import joining

    return agent.wait(joining.wait_for_told(agent.store(), agent.clock(), agent.joins.joined.run, agent.limits()))


def ends_well(agent: Agent, role: str, told: Told) -> bool:
    """Whether this job ends with 0, whatever the run's exit code is: another one ends with that."""
    return told.exit_code == EXIT_GOOD or (
        agent.joins.joined is not None and not agent.joins.joined.all_decide and role == PRESENT
    )


def tell(agent: Agent, run: MergedRun) -> None:
    """Say that the result has been told here, to jobs that wait for it."""
    joined = agent.joins.joined
    if joined is None:
        return
    from pipeline.logic.objects import Told
    from pipeline.protocol import joining
    from pipeline.protocol.mandate import new_nonce

    told = Told(plan=run.plan, nonce=new_nonce(), place=joined.place, exit_code=run.exit_code, reason=run.reason)
    agent.wait(joining.tell(agent.store(), agent.clock(), joined.run, told))


def say_who_stays(agent: Agent, joined: Joined) -> None:
    """Say why this job ends although its run goes on."""
    from pipeline.model.events import Notice
    from pipeline.protocol import joining

    others = agent.wait(joining.others_at_work(agent.store(), agent.clock(), joined.run))
    text = f"run {joined.run!r}: nothing is left to do here, so this job ends with 0; others carry on, and the last one decides"
    agent.emit(Notice(level="info", text=f"{text} ({', '.join(others[:NAMED])})"))


def say_who_tells(agent: Agent, told: Told, *, code: int) -> None:
    """Say whose the reports and the decision are."""
    from pipeline.model.events import Notice

    text = (
        f"reports are written by the job on {told.place}, which ends with {told.exit_code}; this one ends with {code}"
    )
    agent.emit(Notice(level="info", text=text))


def roots(agent: Agent) -> Sequence[str]:
    """Folders in which the project lay on the machines of all jobs."""
    if agent.joins.joined is None:
        return ()
    from pipeline.protocol import joining

    return agent.wait(joining.roots(agent.store(), agent.clock(), agent.joins.joined.run))
