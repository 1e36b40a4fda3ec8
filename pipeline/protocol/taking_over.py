"""Verdicts of earlier runs in a new one: told as if a worker had come to them before any other began.

That worker owns the first attempt of each batch that has such tests, journals their results, and is buried at once; what
is left of a batch waits for the second attempt like anything that was released. So plan, merge and close know nothing of it.
Must not know what a verdict rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline.logic import bases
from pipeline.logic.bases import Basis
from pipeline.logic.objects import Birth, Claim, to_bytes
from pipeline.logic.records import NOBODY, write_record
from pipeline.model.codec import result_to_json
from pipeline.model.plans import Plan
from pipeline.model.verdicts import Result
from pipeline.ports import Clock, Store
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.tombs import bury

LAUNCHER = "earlier"


async def write_basis(store: Store, clock: Clock, run: str, basis: Basis) -> None:
    """Say what the run's verdicts rest on; the first one stands."""
    certain = CertainStore(store, clock)
    head, rows = bases.to_bytes(basis)
    await certain.create(keys.basis(run, "rows"), rows)
    await certain.create(keys.basis(run, "head"), head)


async def mark_checked(store: Store, run: str, tests: Iterable[str]) -> None:
    """Say that the sources were as they had been when these tests had their verdicts: others may go on with the run."""
    await store.replace(keys.basis(run, "checked"), bases.checked_to_bytes(tests))


async def known_bases(store: Store, clock: Clock, *, most: int) -> Sequence[tuple[str, Basis]]:
    """Runs whose basis is known, without rows; the newest first. Raises `StoreDamaged`."""
    certain = CertainStore(store, clock)
    names = [
        entry.key.removeprefix("runs/").partition("/")[0]
        for entry in await certain.list("runs/")
        if entry.key.endswith("/basis/head")
    ]
    found = []
    for name in names:
        data = await certain.read(keys.basis(name, "head"))
        if data is not None:
            found.append((name, bases.head_from_bytes(data)))
    return sorted(found, key=lambda one: -one[1].wall)[:most]


async def read_rows(store: Store, clock: Clock, run: str) -> Mapping[str, str]:
    """The rows of a run's basis. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.basis(run, "rows"))
    return {} if data is None else bases.rows_from_bytes(data)


async def is_closed(store: Store, clock: Clock, run: str) -> bool:
    """Whether the run is closed: then its result says whether sources had changed."""
    return await CertainStore(store, clock).read(keys.closed(run)) is not None


async def read_checked(store: Store, clock: Clock, run: str) -> Collection[str]:
    """Ids of tests of a run that was left open in order, with its sources as they had been. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.basis(run, "checked"))
    return () if data is None else bases.checked_from_bytes(data)


async def take_over(
    store: Store, clock: Clock, run: str, plan: Plan, source: str, results: Mapping[int, Result], nonce: str
) -> None:
    """Put results, by position in the plan, into a run that nobody has begun to work on."""
    certain, wall = CertainStore(store, clock), clock.wall()
    name = f"from-{source}"
    birth = Birth(
        worker=name,
        nonce=nonce,
        plan=plan.digest,
        term=0,
        slot=-1,
        bucket=-1,
        launcher=LAUNCHER,
        place=f"run {source}",
        wall=wall,
    )
    if not await certain.create(keys.worker(run, name), to_bytes(birth)):
        return
    batches = [batch for batch in plan.batches if any(test in results for test in batch.tests)]
    owned = []
    for batch in batches:
        claim = Claim(
            worker=name, nonce=nonce, plan=plan.digest, batch=batch.number, attempt=1, tests=tuple(batch.tests)
        )
        if await certain.create(keys.claim(run, batch.bucket, batch.number, 1), to_bytes(claim)):
            owned.append(batch)
    journal = store.journal(keys.journal(run, name))
    journal.append(write_record("head", NOBODY, NOBODY, NOBODY, {"plan": plan.digest, "worker": name, "nonce": nonce}))
    for batch in owned:
        for test in batch.tests:
            if test in results:
                journal.append(write_record("final", batch.number, 1, test, _body(results[test], source)))
    await certain.flush(journal)
    is_whole = all(test in results for batch in owned for test in batch.tests)
    await bury(
        certain,
        run,
        name,
        plan=plan.digest,
        by=name,
        nonce=nonce,
        cause="finished",
        proof=True,
        detail=f"verdicts of run {source}",
        wall=wall,
        is_clean=is_whole,
    )


def _body(result: Result, source: str) -> dict[str, object]:
    """The result as it was, with the run in which the test really ran."""
    body = dict(result_to_json(result))
    body.pop("started", None)
    properties: Iterable[tuple[str, object]] = result.properties
    if all(key != bases.ORIGIN for key, _ in properties):
        properties = (*properties, (bases.ORIGIN, source))
    return {**body, "properties": [list(pair) for pair in properties]}
