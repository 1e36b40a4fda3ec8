"""Read a run from the store and merge it: a pure function of what lies there.

It must not write. A worker without a tombstone counts as far as its journal is durable, unless only sealed ones do.
"""

from __future__ import annotations

from attrs import evolve

from pipeline.errors import UntrustworthyRun
from pipeline.logic.merging import Book, Circumstances, merge
from pipeline.logic.objects import Birth, Claim, Closed, Ending, from_bytes
from pipeline.logic.plan_reading import from_json
from pipeline.model.plans import Plan
from pipeline.model.runs import MergedRun
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.stories import read_stories
from pipeline.protocol.tombs import read_tomb
from pipeline.protocol.view import check_plan, standing_ending


async def read_plan(store: CertainStore, run: str) -> Plan:
    """The run's frozen plan. Raises `UntrustworthyRun` when there is none, `StoreDamaged`."""
    data = await store.read(keys.plan(run))
    if data is None:
        raise UntrustworthyRun(f"run {run!r} has no plan", hint="it has been swept, or never began")
    return from_json(data)


async def gather(
    store: CertainStore, run: str, plan: Plan, *, sealed_only: bool = False, allows_empty: bool = False
) -> MergedRun:
    """Merge what the store holds of the run. `allows_empty`: a plan without tests was asked for."""
    about = evolve(await _circumstances(store, run), allows_empty=allows_empty)
    books = await read_books(store, run, plan, sealed_only=sealed_only)
    merged = merge(plan, books, about)
    if not merged.missing:
        return merged
    absent = {test for test, _ in merged.missing}
    owners = await _last_owners(store, run, plan, absent)
    return merge(plan, books, evolve(about, owners=owners))


async def read_books(store: CertainStore, run: str, plan: Plan, *, sealed_only: bool) -> list[Book]:
    """Every worker's share."""
    books = []
    stories = await read_stories(store, run)
    for entry in await store.list(keys.workers(run)):
        worker = keys.last(entry.key)
        book = await _read_book(store, run, plan, worker)
        if book is not None and (book.tomb is not None or not sealed_only):
            books.append(evolve(book, story=stories.get(worker)))
    return books


async def _read_book(store: CertainStore, run: str, plan: Plan, worker: str) -> Book | None:
    data = await store.read(keys.worker(run, worker))
    if data is None:
        return None
    birth = from_bytes(Birth, data)
    check_plan(birth.plan, plan)
    tomb = await read_tomb(store, run, worker)
    if tomb is None:
        return Book(birth=birth, tomb=None, records=await store.records(keys.journal(run, worker), None))
    lines = await sealed_records(store, run, worker, tomb.position)
    salvaged = [line.encode("ascii") for line in tomb.salvaged]
    late = await store.late(keys.journal(run, worker))
    return Book(birth=birth, tomb=tomb, records=[*lines, *salvaged], late=late)


async def sealed_records(store: CertainStore, run: str, worker: str, position: str) -> list[bytes]:
    """What counts of a journal: nothing behind its seal."""
    return list(await store.records(keys.journal(run, worker), position))


async def _circumstances(store: CertainStore, run: str) -> Circumstances:
    is_mixed = await store.read(keys.mixed(run)) is not None
    data = await store.read(keys.closed(run))
    if data is not None:
        closed = from_bytes(Closed, data)
        return Circumstances(run=run, reason=closed.reason, mixed=closed.mixed or is_mixed, errors=closed.errors)
    ending = await read_ending(store, run)
    if ending is None:
        return Circumstances(run=run, mixed=is_mixed)
    return Circumstances(run=run, reason=ending.reason, mixed=is_mixed, errors=ending.errors)


async def read_ending(store: CertainStore, run: str) -> Ending | None:
    """The ending that stands, or None."""
    number = standing_ending([entry.key for entry in await store.list(keys.endings(run))])
    data = await store.read(keys.ending(run, number)) if number else None
    return None if data is None else from_bytes(Ending, data)


async def _last_owners(store: CertainStore, run: str, plan: Plan, absent: set[str]) -> dict[int, str]:
    wanted = {batch.number for batch in plan.batches if any(plan.tests[test].id in absent for test in batch.tests)}
    last: dict[int, tuple[int, str]] = {}
    for entry in await store.list(keys.claims(run)):
        batch, attempt = keys.read_claim(entry.key)
        if batch in wanted and attempt > last.get(batch, (0, ""))[0]:
            last[batch] = (attempt, entry.key)
    owners = {}
    for batch, (_, key) in last.items():
        data = await store.read(key)
        if data is not None:
            owners[batch] = from_bytes(Claim, data).worker
    return owners
