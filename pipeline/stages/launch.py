"""`launch`: find the unfinished run of the same inputs, or begin one, and lead it to its end.

Leaves `build/launch/run.json`: `{run, exit_code, role}`. A closed run is done, whatever its verdicts: `gather` says what they mean. A run
that was stopped stays open, and the same command goes on with it.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import EXIT_GOOD, EXIT_TESTS_FAILED, Stopped, TestsFailed, UntrustworthyRun
from pipeline.graph.catalog import Catalog
from pipeline.graph.stop import Stop
from pipeline.graph.task import Action, Digest, Handle, TaskSpec
from pipeline.stages import collect, group, join, remaining, remarks, taking_over
from pipeline.stages.agent import Agent
from pipeline.stages.taking_over import MakeBasis

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from pipeline.logic.placement.seating import Seating
    from pipeline.model.plans import Plan
    from pipeline.model.pools import Pool
    from pipeline.protocol.finishing import Ending
    from pipeline.protocol.limits import Limits
    from pipeline.protocol.mandate import Joining
    from pipeline.protocol.orders import Stop as Asked

NAMED = 5
"""So many changed sources are named."""
OPEN, CLOSED = "stays open, and `doit` goes on with it", "is closed: `doit report` tells of it"
"""What a second signal says of the run."""
DOC = "run the plan on workers, or go on where an earlier run stopped"


def register(
    catalog: Catalog,
    agent: Agent,
    connected: Handle,
    grouped: Handle,
    pushed: Handle,
    before: Sequence[Handle],
    *,
    basis: MakeBasis,
    resume: str = "",
) -> Handle:
    """Add the task; `connect`, where there is such, and `group`, or `push` where workers run images, run before it only if it must run.

    `resume` names a run to go on with; those `before` see that this job may do what it is asked to, where there is something to see.
    `basis` tells what verdicts rest on.
    """
    return catalog.add(
        "launch",
        lambda: TaskSpec(
            name="launch",
            actions=(Action(launch, {"agent": agent, "resume": resume, "basis": basis}),),
            needs=tuple(handle for handle in before if handle.name in catalog),
            setup=_setup(catalog, agent, connected, pushed if agent.runs_images() else grouped),
            digest=lambda: _digest(agent),
            lost=lambda: _lost(agent, resume),
        ),
        doc=DOC,
    )


def _setup(catalog: Catalog, agent: Agent, connected: Handle, prepared: Handle) -> tuple[Handle, ...]:
    if agent.workforce.in_foreground:
        return ()
    return (connected, prepared) if connected.name in catalog else (prepared,)


def _digest(agent: Agent) -> Digest:
    joins = {"join": agent.joins.joined.run} if agent.joins.joined is not None else {}
    return {**agent.inputs().parts, "placing": agent.workforce.placing, **joins}


def _lost(agent: Agent, resume: str) -> str:
    if resume:
        return f"resume={resume} was asked for"
    return "" if agent.up_to_date_counts() else "a suite's `up_to_date` is false"


def output(agent: Agent) -> Path:
    """The file this stage leaves."""
    return agent.build / "launch" / "run.json"


def launch(agent: Agent, resume: str, basis: MakeBasis, stop: Stop) -> dict[str, Any]:
    """Run. Raises `Stopped`, or `UntrustworthyRun` when a budget was spent or an engine failed."""
    stop.check()
    agent.reporting.check()
    if said := remarks.as_line(agent.remarks()):
        _warn(agent, said)
    if agent.workforce.in_foreground:
        return _in_foreground(agent)
    if agent.joins.joined is not None and (code := _code_of_closed(agent, agent.joins.joined.run)) is not None:
        return _leave(agent, agent.joins.joined.run, code, join.LATE)
    run, ending = agent.wait(_lead(agent, resume, basis, stop))
    agent.wait(taking_over.leave(agent, run, ending, basis))
    left = _leave(agent, run, ending.exit_code, _role(ending))
    if not ending.closed and ending.exit_code == EXIT_TESTS_FAILED:
        raise TestsFailed(
            f"run {run!r}: {ending.reason}", hint=f"once all hosts are done, `doit report {run}` tells of all"
        )
    if ending.closed:
        stop.leaving(lambda: agent.workforce.left_at_once(run, CLOSED))
        agent.ended[run] = ending.merged
        if agent.joins.joined is not None:
            return left
        is_final = ending.exit_code == 0 and not ending.merged.mixed and agent.up_to_date_counts()
        return {"run": run, "fresh": is_final}
    if ending.exit_code == EXIT_GOOD:
        return left
    done = len(ending.merged.outcomes)
    text = f"run {run!r} stays open with {done} of {done + len(ending.merged.missing)} tests done"
    hint = f"{'other jobs go on with it, and so does ' if agent.joins.joined is not None else ''}the same command"
    hint += "" if agent.joins.joined is not None else " goes on with it"
    if stop.signal_number:
        raise Stopped(text, signal_number=stop.signal_number, hint=hint)
    reason = ending.reason or "it could not be carried out"
    raise UntrustworthyRun(f"{text}: {reason}", hint=hint)


def _leave(agent: Agent, run: str, exit_code: int, role: str) -> dict[str, Any]:
    """Leave for `gather` which run it was and what this job was to it."""
    path = output(agent)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"run": run, "exit_code": exit_code, "role": role}), encoding="utf-8")
    return {"run": run, "fresh": False}


def _role(ending: Ending) -> str:
    if ending.is_closer:
        return join.CLOSED
    return join.PRESENT if ending.closed else join.LEFT


def _code_of_closed(agent: Agent, run: str) -> int | None:
    from pipeline.protocol import joining

    closed = agent.wait(joining.read_closed(agent.store(), agent.clock(), run))
    return None if closed is None else closed.exit_code


def _in_foreground(agent: Agent) -> dict[str, Any]:
    """Run each suite's framework on the terminal, one after the other. Raises `TestsFailed` at the first bad one."""
    for suite in agent.suites():
        status = agent.foreground(agent.framework(suite).foreground(suite), suite)
        if status:
            raise TestsFailed(f"suite {suite.name!r} ended with status {status}, in the foreground")
    return {"run": "", "fresh": False}


async def _lead(agent: Agent, resume: str, basis: MakeBasis, stop: Stop) -> tuple[str, Ending]:
    import asyncio  # Here, because most commands never launch anything.

    from pipeline.logic.pooling import multiplied, slots_of
    from pipeline.protocol import apart, attending, leading, orders
    from pipeline.protocol.mandate import Mandate, new_nonce

    store, clock, warn = agent.store(), agent.clock(), partial(_warn, agent)
    run, plan, done = await _find(agent, resume, basis)
    pools = _pools(agent, plan)
    machines = agent.joins.joined.jobs if agent.joins.joined is not None else 1
    expected = remaining.expected_seconds(plan, multiplied(pools, machines), done)
    for text in agent.workforce.doubts(expected):
        warn(text)
    _expect(agent, plan, done)
    told, launcher, limits = orders.Stop(), agent.launcher(), _limits(agent)
    signing = attending.sign_of_life(store, clock, run, nonce=new_nonce(), every_seconds=limits.beat_seconds)
    meeting = agent.workforce.meeting(store, clock, run, warn)
    left = {test.suite for test in plan.tests if test.id not in done}
    shared = agent.workforce.shared(left, run, stop, warn)
    loop = asyncio.get_running_loop()
    stop.leaving(lambda: agent.workforce.left_at_once(run, OPEN))
    with stop.calling(lambda number: loop.call_soon_threadsafe(_stop, agent, told, number)):
        mandate = Mandate(
            run=run,
            plan=plan,
            store=store,
            launcher=launcher,
            clock=clock,
            emit=agent.emit,
            limits=limits,
            workers=slots_of(pools),
            joining=_joining(agent, run),
            stop=told,
            sources_unchanged=lambda: is_unchanged(agent),
            errors=_collection_errors(agent),
            store_name=agent.store_name(),
            expected_seconds=expected,
            pools=pools,
            spare=_spare(agent, pools),
            seating=_seating(agent, plan),
            room=agent.workforce.room,
        )
        async with signing, meeting, shared:
            ending = await leading.lead(mandate, apart.hirer_of(launcher))
    return run, ending


def _stop(agent: Agent, told: Asked, number: int) -> None:
    from pipeline.model.events import StopAsked

    told.request(number)
    agent.emit(StopAsked(signal=number))


def _warn(agent: Agent, text: str) -> None:
    from pipeline.model.events import Notice

    agent.emit(Notice(level="warning", text=text))


def _expect(agent: Agent, plan: Plan, done: Set[str]) -> None:
    agent.reporting.expect({test.id: test.seconds for test in plan.tests if test.id not in done})
    groups = ((test.id, test.suite, test.native, test.file or test.suite) for test in plan.tests)
    agent.reporting.expect_groups(groups, done)


def _seating(agent: Agent, plan: Plan) -> Seating | None:
    """By the settings of this command, whenever the plan was made. Raises `UsageError`."""
    grounds = agent.workforce.grounds
    if grounds is None:
        return None
    from pipeline.logic.placement.seating import seating_of

    return seating_of(plan, grounds)


def _spare(agent: Agent, pools: Sequence[Pool]) -> Sequence[Pool]:
    """With the suites that their pools have in this plan."""
    from attrs import evolve

    suites = {pool.name: pool.suites for pool in pools}
    return [evolve(pool, suites=suites[pool.name]) for pool in agent.workforce.spare]


def _limits(agent: Agent) -> Limits:
    """Jobs that join only listen to each other to know when all is done."""
    from attrs import evolve

    limits = agent.limits()
    if agent.joins.joined is None:
        return limits
    return evolve(limits, hear_seconds=max(limits.hear_seconds, limits.watch_seconds / 2))


def _joining(agent: Agent, run: str) -> Joining | None:
    if agent.joins.joined is None:
        return None
    from pipeline.protocol.mandate import Joining

    return Joining(
        place=agent.joins.joined.place,
        root=str(agent.root),
        may_leave=not agent.joins.joined.all_decide,
        parting=agent.joins.parting(run),
        share=agent.joins.joined.share,
    )


def _pools(agent: Agent, plan: Plan) -> Sequence[Pool]:
    """As large as they can be of use for that plan, and to this job."""
    from attrs import evolve

    from pipeline.logic.pooling import useful, whole

    pools = whole(agent.pools(), (test.suite for test in plan.tests))
    pools = useful(pools, (plan.tests[batch.tests[0]].suite for batch in plan.batches))
    if agent.joins.joined is not None and agent.joins.joined.share:
        pools = tuple(evolve(pool, size=min(pool.size, len(agent.joins.joined.share))) for pool in pools)
    _tell_sizes(agent, pools)
    return pools


def _tell_sizes(agent: Agent, pools: Sequence[Pool]) -> None:
    """Where numbers of workers came from that nobody has named."""
    from pipeline.model.events import Notice

    for pool in pools:
        if pool.why:
            agent.emit(Notice(level="info", text=f"workers of pool {pool.name!r}: {pool.why}"))


async def _find(agent: Agent, resume: str, basis: MakeBasis) -> tuple[str, Plan, set[str]]:
    """The run that a person named, or the unfinished one of the same inputs, or a new one; with the tests done there."""
    from pipeline.protocol import joining, resuming

    store, clock, identity = agent.store(), agent.clock(), agent.inputs().identity
    if agent.joins.joined is not None:
        _prepare(agent)
        name = agent.joins.joined.run
        plan = await resuming.join_run(store, clock, name, group.read(agent))
        return name, plan, {one.result.test for one in (await resuming.merged(store, clock, name)).outcomes}
    run = resume or await resuming.find_unfinished(store, clock, identity)
    if not run:
        _prepare(agent)
        run, plan = await resuming.open_run(store, clock, identity, group.read(agent))
        if agent.joins.is_shared:
            await joining.announce(store, clock, run, agent.joins.inputs)
    else:
        plan = await resuming.adopt_run(store, clock, run)
    await taking_over.take_over(agent, run, plan, basis)
    merged = await resuming.merged(store, clock, run)
    return run, plan, {one.result.test for one in merged.outcomes}


def _prepare(agent: Agent) -> None:
    found = collect.read(agent)
    for suite in agent.suites():
        agent.framework(suite).prepare(suite, found[suite.name].facts)


def is_unchanged(agent: Agent) -> bool:
    """Whether the sources are what they were; says which are not."""
    changed = agent.changed_inputs()
    if changed:
        from pipeline.model.events import Notice  # Here, so that starting stays light.

        more = f" and {len(changed) - NAMED} more" if len(changed) > NAMED else ""
        agent.emit(Notice(level="warning", text=f"changed while tests ran: {', '.join(changed[:NAMED])}{more}"))
    return not changed


def _collection_errors(agent: Agent) -> tuple[str, ...]:
    found = collect.read(agent) if collect.output(agent).exists() else {}
    return tuple(f"{native}: not collected" for one in found.values() for native, _ in one.errors)


def role(agent: Agent) -> str:
    """What this job was to the run that `launch` ended; see `join`."""
    try:
        return str(json.loads(output(agent).read_text("utf-8"))["role"])
    except (OSError, ValueError, KeyError):
        return join.LATE


def read(agent: Agent) -> str:
    """The run that `launch` ended. Raises `UntrustworthyRun` when that is not known."""
    try:
        return str(json.loads(output(agent).read_text("utf-8"))["run"])
    except (OSError, ValueError, KeyError) as error:
        raise UntrustworthyRun(f"cannot read {str(output(agent))!r}: {error}", hint="run `doit -a launch`") from error
