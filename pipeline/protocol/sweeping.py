"""Delete a run: its plan first, so that nobody begins to work on it, `closed` last, so that it is known as half-gone.

Only a closed run may go, or one that a person calls abandoned. It must not decide which runs are old.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.logic.silence import Sight, is_dead, look
from pipeline.ports import Clock, Store
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore

FIRST = "plan"
LAST = "closed"
HOW_TO_END = (
    "stop its agent first; workers elsewhere that have lost theirs end when nothing is left to do: try again then"
)


@frozen(kw_only=True)
class StoredRun:
    """One run in the store."""

    name: str
    is_closed: bool
    has_plan: bool


async def list_runs(store: Store, clock: Clock) -> list[StoredRun]:
    """All runs, by name."""
    parts: dict[str, set[str]] = {}
    for entry in await CertainStore(store, clock).list("runs/"):
        run, _, rest = entry.key.removeprefix("runs/").partition("/")
        parts.setdefault(run, set()).add(rest.partition("/")[0])
    return [
        StoredRun(name=name, is_closed=LAST in found, has_plan=FIRST in found) for name, found in sorted(parts.items())
    ]


async def delete_run(store: Store, clock: Clock, run: str, *, abandoned_lease_seconds: float | None = None) -> int:
    """Delete a closed run; how many keys that were.

    With a lease, an open run goes too, once its heartbeats have been silent that long. Raises `UsageError` when the
    run is open or still alive.
    """
    certain = CertainStore(store, clock)
    if await certain.read(keys.closed(run)) is None:
        if abandoned_lease_seconds is None:
            raise UsageError(f"run {run!r} is not closed", hint="finish it, or sweep it as abandoned")
        await check_silent(store, clock, run, abandoned_lease_seconds)
    return await _delete(certain, run)


async def check_silent(store: Store, clock: Clock, run: str, lease_seconds: float) -> None:
    """Raises `UsageError` when somebody works on the run."""
    if await has_life(CertainStore(store, clock), clock, run, lease_seconds):
        raise UsageError(f"run {run!r} is still alive", hint=HOW_TO_END)


async def has_life(store: CertainStore, clock: Clock, run: str, lease_seconds: float) -> bool:
    """Watch the heartbeats of workers without a tombstone, and the signs of agents, for a lease; whether any changed.

    Whoever begins meanwhile counts as a change, too.
    """
    watched = await _who_may_live(store, run)
    sights: dict[str, Sight] = {}
    first: dict[str, str] | None = None
    while watched:
        sent = clock.monotonic()
        versions = await _versions(store, run)
        first = versions if first is None else first
        if versions != first:
            return True
        for key in watched:
            sights[key] = look(
                sights.get(key),
                versions.get(key, ""),
                sent=sent,
                answered=clock.monotonic(),
                lease_seconds=lease_seconds,
            )
        watched = {key for key in watched if not is_dead(sights[key], lease_seconds)}
        if watched:
            await clock.sleep(lease_seconds / 10)
    return False


async def life_of(store: Store, clock: Clock, run: str) -> Mapping[str, str]:
    """What changes while somebody lives: equal later means that nobody has come to it meanwhile."""
    return await _versions(CertainStore(store, clock), run)


async def _versions(store: CertainStore, run: str) -> dict[str, str]:
    prefixes = keys.beats(run), keys.signs(run)
    return {entry.key: entry.version for prefix in prefixes for entry in await store.list(prefix)}


async def _who_may_live(store: CertainStore, run: str) -> set[str]:
    """Keys that change while somebody lives."""
    dead = {keys.last(entry.key) for entry in await store.list(keys.tombs(run))}
    born = {keys.last(entry.key) for entry in await store.list(keys.workers(run))} - dead
    signs = {entry.key for entry in await store.list(keys.signs(run))}
    return signs | {keys.beat(run, worker) for worker in born}


async def _delete(store: CertainStore, run: str) -> int:
    count = 0
    for prefix in deletion_order(run, [entry.key for entry in await store.list(keys.run(run))]):
        count += await store.delete(prefix)
    return count


def deletion_order(run: str, found: Sequence[str]) -> list[str]:
    """What to delete, in order: the plan, everything else by its first part, `closed`."""
    parts = {key.removeprefix(keys.run(run)).partition("/")[0] for key in found}
    return [keys.run(run) + part for part in (FIRST, *sorted(parts - {FIRST, LAST}), LAST) if part in parts]
