"""Find an unfinished run of the same inputs, or begin a new one. Resume is the same command again.

A run is named `<identity>-<ordinal>`, the ordinal taken by creating the plan: so two agents that begin at once share
one run, and the plan that stands is adopted. Inputs that differ have another identity and are never mixed in.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.logic.plan_codec import to_json
from pipeline.logic.plan_reading import from_json
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.ports import Clock, Entry, Store
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.gathering import gather, read_plan


async def find_unfinished(store: Store, clock: Clock, identity: str) -> str | None:
    """The newest run of these inputs, if it is still open."""
    found = ordinals(await CertainStore(store, clock).list(_prefix(identity)))
    if not found:
        return None
    newest = max(found)
    return name_of(identity, newest) if is_open(found[newest]) else None


async def open_run(store: Store, clock: Clock, identity: str, plan: Plan) -> tuple[str, Plan]:
    """Begin a run with the next ordinal, or adopt the open one that another agent began meanwhile.

    Returns its name and the plan that stands there. Raises `StoreDamaged`.
    """
    certain = CertainStore(store, clock)
    data = to_json(plan)
    while True:
        found = ordinals(await certain.list(_prefix(identity)))
        newest = max(found, default=0)
        if newest and is_open(found[newest]):
            name = name_of(identity, newest)
            return name, await read_plan(certain, name)
        name = name_of(identity, newest + 1)
        if await certain.create(keys.plan(name), data):
            return name, plan
        standing = await certain.read(keys.plan(name))
        if standing is not None:
            return name, from_json(standing)


async def join_run(store: Store, clock: Clock, run: str, plan: Plan) -> Plan:
    """Begin the run of that name, or take over the plan that stands: many may try at once, one plan is created.

    Raises `StoreDamaged`.
    """
    certain = CertainStore(store, clock)
    if await certain.create(keys.plan(run), to_json(plan)):
        return plan
    return await read_plan(certain, run)


async def adopt_run(store: Store, clock: Clock, run: str) -> Plan:
    """The plan of a run named by a person. Raises `UntrustworthyRun` when there is none, `StoreDamaged`."""
    return await read_plan(CertainStore(store, clock), run)


async def merged(store: Store, clock: Clock, run: str, *, allows_empty: bool = False) -> MergedRun:
    """The run's outcome as the store tells it, whether closed or not. `allows_empty`: no tests were asked for."""
    certain = CertainStore(store, clock)
    return await gather(certain, run, await read_plan(certain, run), allows_empty=allows_empty)


def name_of(identity: str, ordinal: int) -> str:
    """A run's name."""
    return f"{identity}-{ordinal}"


def ordinals(entries: Sequence[Entry]) -> dict[int, set[str]]:
    """What each run of one identity has directly below it."""
    found: dict[int, set[str]] = {}
    for entry in entries:
        run, _, rest = entry.key.removeprefix("runs/").partition("/")
        ordinal = run.rpartition("-")[2]
        if ordinal.isdecimal():
            found.setdefault(int(ordinal), set()).add(rest.partition("/")[0])
    return found


def is_open(parts: set[str]) -> bool:
    """Whether a run has a plan and is not closed."""
    return "plan" in parts and "closed" not in parts


def _prefix(identity: str) -> str:
    return f"runs/{identity}-"
