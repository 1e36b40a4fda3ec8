"""Verdicts of earlier runs in a new one: told as if a worker had come to them before any other began.

That worker owns the first free attempt of each batch that has such tests, journals their results, and is buried at once; what
is left of a batch waits for the next attempt like anything that was released. So plan, merge and close know nothing of it.
Must not know what a verdict rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from pipeline.errors import Fenced, FleetError, StoreDamaged
from pipeline.logic import bases
from pipeline.logic.bases import Basis
from pipeline.logic.objects import Birth, Claim, from_bytes, to_bytes
from pipeline.logic.records import NOBODY, write_record
from pipeline.model.codec import result_to_json
from pipeline.model.plans import Batch, Plan
from pipeline.model.runs import Outcome
from pipeline.model.verdicts import Result
from pipeline.ports import Clock, Store
from pipeline.protocol import keys, resuming
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.tombs import bury

LAUNCHER = "earlier"


async def write_basis(store: Store, clock: Clock, run: str, basis: Basis) -> None:
    """Say what the run's verdicts rest on; the first one stands."""
    certain = CertainStore(store, clock)
    head, rows = bases.to_bytes(basis)
    await certain.create(keys.basis(run, "rows"), rows)
    await certain.create(keys.basis(run, "head"), head)


async def rests_on(store: Store, clock: Clock, run: str, basis: Basis) -> bool:
    """Whether that is what the run's verdicts are said to rest on. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.basis(run, "head"))
    if data is None or not bases.is_same(bases.head_from_bytes(data), basis):
        return False
    return await read_rows(store, clock, run) == basis.rows


async def mark_checked(store: Store, clock: Clock, run: str, term: int, outcomes: Iterable[Outcome]) -> None:
    """Say that the sources were as they had been when this term's workers had come to these verdicts."""
    certain = CertainStore(store, clock)
    own = set()
    for entry in await certain.list(keys.workers(run)):
        data = await certain.read(entry.key)
        if data is not None and from_bytes(Birth, data).term == term:
            own.add(keys.last(entry.key))
    tests = [one.result.test for one in outcomes if one.worker in own]
    await certain.create(keys.basis(run, f"checked/{term:06d}"), bases.checked_to_bytes(tests))


async def known_bases(
    store: Store, clock: Clock, *, most: int, skip: Callable[[str, FleetError], None]
) -> Sequence[tuple[str, Basis]]:
    """Runs whose basis is known, without rows; the newest first. What is damaged is told to `skip`."""
    certain = CertainStore(store, clock)
    names = [
        entry.key.removeprefix("runs/").partition("/")[0]
        for entry in await certain.list("runs/")
        if entry.key.endswith("/basis/head")
    ]
    found = []
    for name in names:
        data = await certain.read(keys.basis(name, "head"))
        try:
            found += [] if data is None else [(name, bases.head_from_bytes(data))]
        except StoreDamaged as error:
            skip(name, error)
    return sorted(found, key=lambda one: -one[1].wall)[:most]


async def read_rows(store: Store, clock: Clock, run: str) -> Mapping[str, str]:
    """The rows of a run's basis. Raises `StoreDamaged`."""
    data = await CertainStore(store, clock).read(keys.basis(run, "rows"))
    return {} if data is None else bases.rows_from_bytes(data)


async def checked(store: Store, clock: Clock, run: str) -> Sequence[Outcome]:
    """Outcomes of a run behind which its sources were looked at again, and those that it has taken over itself.

    None of a run whose sources have changed. Raises `StoreDamaged`, `UntrustworthyRun` for a run that is half deleted.
    """
    certain = CertainStore(store, clock)
    merged = await resuming.merged(store, clock, run)
    if merged.mixed:
        return ()
    known: set[str] = set()
    for entry in await certain.list(keys.basis(run, "checked/")):
        data = await certain.read(entry.key)
        known |= set() if data is None else bases.checked_from_bytes(data)
    return [one for one in merged.outcomes if one.result.test in known or _is_earlier(one.worker)]


async def may_take_over(store: Store, clock: Clock, run: str) -> bool:
    """Whether nobody has begun to work on the run, and nobody has brought a take-over to its end there."""
    certain = CertainStore(store, clock)
    workers = [keys.last(entry.key) for entry in await certain.list(keys.workers(run))]
    return all(map(_is_earlier, workers)) and not await certain.list(keys.tombs(run))


async def take_over(
    store: Store, clock: Clock, run: str, plan: Plan, found: Mapping[int, tuple[Result, str]], nonce: str
) -> set[int]:
    """Put results, by position in the plan and each with its run, into a run that nobody has begun to work on.

    One worker brings them all, for a batch's attempt has one owner. Returns the positions that it could bring: another agent
    may do the same at this moment. What an agent left that was killed meanwhile is buried first; it runs nothing.
    """
    certain, wall = CertainStore(store, clock), clock.wall()
    workers = [keys.last(entry.key) for entry in await certain.list(keys.workers(run))]
    before = [name for name in workers if _is_earlier(name)]
    for name in before:
        await _bury(certain, run, name, plan, nonce, wall, is_whole=False)
    worker = f"{LAUNCHER}-{len(before) + 1}"
    birth = Birth(
        worker=worker,
        nonce=nonce,
        plan=plan.digest,
        term=0,
        slot=-1,
        bucket=-1,
        launcher=LAUNCHER,
        place=_told(found),
        wall=wall,
    )
    if not await certain.create(keys.worker(run, worker), to_bytes(birth)):
        return set()
    owned = await _claim(certain, run, plan, birth, found, before)
    journal = store.journal(keys.journal(run, worker))
    told = {"plan": plan.digest, "worker": worker, "nonce": nonce}
    journal.append(write_record("head", NOBODY, NOBODY, NOBODY, told))
    for batch, attempt in owned:
        for test in batch.tests:
            if test in found:
                journal.append(write_record("final", batch.number, attempt, test, _body(*found[test])))
    try:
        await certain.flush(journal)
    except Fenced:
        return set()
    tests = {test for batch, _ in owned for test in batch.tests}
    await _bury(certain, run, worker, plan, nonce, wall, is_whole=tests <= set(found))
    return tests & set(found)


async def _claim(
    store: CertainStore, run: str, plan: Plan, birth: Birth, found: Collection[int], buried: Collection[str]
) -> list[tuple[Batch, int]]:
    """The batches with such tests that are nobody's but of those `buried`, each with its attempt."""
    last: dict[int, tuple[int, str]] = {}
    for entry in await store.list(keys.claims(run)):
        number, attempt = keys.read_claim(entry.key)
        last[number] = max((attempt, entry.key), last.get(number, (0, "")))
    owned = []
    for batch in plan.batches:
        attempt, key = last.get(batch.number, (0, ""))
        if not any(test in found for test in batch.tests) or not await _is_free(store, key, buried):
            continue
        attempt += 1
        claim = Claim(
            worker=birth.worker,
            nonce=birth.nonce,
            plan=plan.digest,
            batch=batch.number,
            attempt=attempt,
            tests=tuple(batch.tests),
        )
        if await store.create(keys.claim(run, batch.bucket, batch.number, attempt), to_bytes(claim)):
            owned.append((batch, attempt))
    return owned


async def _is_free(store: CertainStore, claim: str, buried: Collection[str]) -> bool:
    data = await store.read(claim) if claim else None
    return not claim or (data is not None and from_bytes(Claim, data).worker in buried)


async def _bury(
    store: CertainStore, run: str, worker: str, plan: Plan, nonce: str, wall: float, *, is_whole: bool
) -> None:
    await bury(
        store,
        run,
        worker,
        plan=plan.digest,
        by=worker,
        nonce=nonce,
        cause="finished",
        proof=True,
        detail="verdicts of earlier runs",
        wall=wall,
        is_clean=is_whole,
    )


def _is_earlier(worker: str) -> bool:
    return worker.startswith(f"{LAUNCHER}-")


def _told(found: Mapping[int, tuple[Result, str]]) -> str:
    sources = sorted({source for _, source in found.values()})
    return f"run{'s' if len(sources) > 1 else ''} {', '.join(sources)}"


def _body(result: Result, source: str) -> dict[str, object]:
    """The result as it was, with the run in which the test really ran."""
    body = dict(result_to_json(result))
    body.pop("started", None)
    properties: Iterable[tuple[str, object]] = result.properties
    if all(key != bases.ORIGIN for key, _ in properties):
        properties = (*properties, (bases.ORIGIN, source))
    return {**body, "properties": [list(pair) for pair in properties]}
