"""Close a run: begin the ending, list births, seal every worker, merge only up to the seals, write `closed`.

A worker writes its birth, then reads the ending, then claims; so each worker is sealed here or claims nothing. Two
agents that close at once are harmless: the first ending's reason stands, and the merge is a pure function of the store.
"""

from __future__ import annotations

from attrs import frozen

from pipeline.logic.merging import verdicts_digest
from pipeline.logic.objects import Closed, Ending, from_bytes, to_bytes
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.gathering import gather
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import standing_ending

COMPLETE = "complete"
"""Every test has its final record, as far as the closer knows."""


@frozen
class Closer:
    """Who closes: ports and identity of one agent's term."""

    run: str
    plan: Plan
    store: CertainStore
    clock: Clock
    nonce: str
    by: str


async def close(closer: Closer, *, reason: str, errors: tuple[str, ...] = ()) -> MergedRun | None:
    """Close for that reason, or the one that already stands. None: a verdict is lacking after all, the run goes on."""
    ending, number = await begin_ending(closer, reason=reason, errors=errors)
    await seal_everybody(closer)
    merged = await gather(closer.store, closer.run, closer.plan, sealed_only=True)
    if must_go_on(ending.reason, merged):
        await closer.store.create(keys.withdrawal(closer.run, number), closer.nonce.encode("ascii"))
        if await closer.store.read(keys.closed(closer.run)) is None:
            return None
    await _write_closed(closer, ending, merged)
    return merged


async def begin_ending(closer: Closer, *, reason: str, errors: tuple[str, ...]) -> tuple[Ending, int]:
    """Create the next ending, or join the one that stands; (ending, its number)."""
    ending = Ending(
        reason=reason,
        plan=closer.plan.digest,
        nonce=closer.nonce,
        errors=errors,
        wall=closer.clock.wall(),
    )
    while True:
        found = [entry.key for entry in await closer.store.list(keys.endings(closer.run))]
        number = standing_ending(found)
        if number == 0:
            number = 1 + max((int(keys.last(key)) for key in found if "." not in keys.last(key)), default=0)
            if await closer.store.create(keys.ending(closer.run, number), to_bytes(ending)):
                return ending, number
        data = await closer.store.read(keys.ending(closer.run, number))
        if data is not None:
            return from_bytes(Ending, data), number


async def seal_everybody(closer: Closer) -> None:
    """Seal and bury every worker whose birth can be seen, now that the ending can be seen by all others."""
    dead = {keys.last(entry.key) for entry in await closer.store.list(keys.tombs(closer.run))}
    for entry in await closer.store.list(keys.workers(closer.run)):
        worker = keys.last(entry.key)
        if worker not in dead:
            await bury(
                closer.store,
                closer.run,
                worker,
                plan=closer.plan.digest,
                by=closer.by,
                nonce=closer.nonce,
                cause="closed",
                proof=False,
                wall=closer.clock.wall(),
            )


def must_go_on(reason: str, merged: MergedRun) -> bool:
    """Whether a close that should have been complete lacks a verdict."""
    return reason == COMPLETE and bool(merged.missing)


async def _write_closed(closer: Closer, ending: Ending, merged: MergedRun) -> None:
    closed = Closed(
        plan=closer.plan.digest,
        nonce=closer.nonce,
        reason=ending.reason,
        exit_code=merged.exit_code,
        mixed=merged.mixed,
        counts=merged.counts,
        verdicts=verdicts_digest(merged),
        errors=ending.errors,
        seconds=merged.seconds,
    )
    await closer.store.create(keys.closed(closer.run), to_bytes(closed))


async def mark_mixed(closer: Closer) -> None:
    """Say that sources changed while the run went on: whoever closes it, now or later, counts that."""
    await closer.store.create(keys.mixed(closer.run), closer.nonce.encode("ascii"))


async def is_closed(store: CertainStore, run: str) -> bool:
    """Whether the merged result has been written."""
    return await store.read(keys.closed(run)) is not None
