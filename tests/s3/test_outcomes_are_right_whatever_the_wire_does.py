"""Between the store and a real server answers are lost, cut, late or replaced by errors: no outcome becomes wrong."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.s3_store import S3Store
from pipeline.errors import Fenced, StoreUnavailable
from pipeline.protocol.certain import CertainStore
from tests.s3.stores import store_in
from tests.s3.tamperer import LATE_SECONDS, Fate, Tamperer, refusal

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""urllib3 leaves the socket of an answer that was cut within its head to the garbage collector, which closes it."""

FATES: dict[str, Fate] = {
    "lost": "lost",
    "cut": "cut",
    "refused": "refused",
    "500": refusal(500, "InternalError"),
    "503": refusal(503, "SlowDown"),
    "409": refusal(409, "ConditionalRequestConflict"),
}
PARTIES = 6


def _certain(store: S3Store) -> CertainStore:
    return CertainStore(store, SystemClock(), retry_seconds=0.01, patience_seconds=50.0)


def _often(tamperer: Tamperer, fate: Fate) -> None:
    """Almost half of all requests meet that fate, without a rhythm that retries could fall into."""
    dice, lock = random.Random(4), threading.Lock()

    def decide(method: str, path: str) -> Fate:
        with lock:
            return fate if dice.random() < 0.45 else None

    tamperer.decide = decide


@pytest.mark.parametrize("fate", FATES)
def test_of_racing_creators_one_knows_that_it_won(s3: Any, tamperer: Tamperer, fate: str) -> None:
    """With half of all requests in trouble each key has one winner, who knows, and whose value stands."""
    _often(tamperer, FATES[fate])

    async def race(key: str) -> bool:
        parties = [_certain(store_in(s3, endpoint=tamperer.url)) for _ in range(PARTIES)]
        wins = await asyncio.gather(*(party.create(key, b"%d" % number) for number, party in enumerate(parties)))
        value = await _certain(store_in(s3)).read(key)
        return wins.count(True) == 1 and value == b"%d" % wins.index(True)

    async def races() -> list[bool]:
        return list(await asyncio.gather(*(race(f"claims/{number}") for number in range(3))))

    assert asyncio.run(races()) == [True] * 3
    assert any(method == "PUT" for method, _ in tamperer.seen)


@pytest.mark.parametrize("fate", FATES)
def test_a_journal_holds_each_record_once(s3: Any, tamperer: Tamperer, fate: str) -> None:
    """Whatever befalls requests, records are there once, in order, for readers and under the seal."""
    _often(tamperer, FATES[fate])
    records = [b"%d" % number for number in range(6)]

    async def claim() -> tuple[list[bytes], list[bytes]]:
        writer = store_in(s3, endpoint=tamperer.url)
        journal, certain = writer.journal("j/w"), _certain(writer)
        for record in records:
            journal.append(record)
            await certain.flush(journal)
        other = _certain(store_in(s3, endpoint=tamperer.url))
        live = list(await other.records("j/w", None))
        return live, list(await other.records("j/w", await other.seal("j/w")))

    assert asyncio.run(claim()) == (records, records)


def test_a_segment_whose_answers_are_lost_is_there_once(s3: Any, tamperer: Tamperer) -> None:
    """The writer is told nothing, gets more to write, repeats: the frozen segment counts once, the rest follows."""

    async def claim() -> list[bytes]:
        store = store_in(s3, endpoint=tamperer.url)
        journal = store.journal("j/w")
        journal.append(b"1")
        tamperer.first(2, "lost")
        with pytest.raises(StoreUnavailable):
            await journal.flush()
        journal.append(b"2")
        await journal.flush()
        return list(await store_in(s3).journal("j/w").read())

    assert asyncio.run(claim()) == [b"1", b"2"]


def test_a_writer_who_lost_the_race_with_a_seal_is_fenced_after_trouble(s3: Any, tamperer: Tamperer) -> None:
    """Its segment never arrived, a seal took the number: repeating the segment says fenced, and it never counts."""

    async def claim() -> list[bytes]:
        journal = store_in(s3, endpoint=tamperer.url).journal("j/w")
        journal.append(b"1")
        await journal.flush()
        journal.append(b"2")
        tamperer.first(2, "refused")
        with pytest.raises(StoreUnavailable):
            await journal.flush()
        other = store_in(s3).journal("j/w")
        position = await other.seal()
        with pytest.raises(Fenced):
            await journal.flush()
        return list(await other.read(position))

    assert asyncio.run(claim()) == [b"1"]


def test_a_segment_that_arrived_before_the_seal_counts_though_its_writer_is_fenced(s3: Any, tamperer: Tamperer) -> None:
    """The answer was lost, the seal came behind: the record counts, and the writer learns that it was fenced later."""

    async def claim() -> tuple[list[bytes], list[bytes]]:
        journal = store_in(s3, endpoint=tamperer.url).journal("j/w")
        journal.append(b"1")
        tamperer.first(2, "lost")
        with pytest.raises(StoreUnavailable):
            await journal.flush()
        other = store_in(s3).journal("j/w")
        position = await other.seal()
        await journal.flush()
        journal.append(b"2")
        with pytest.raises(Fenced):
            await journal.flush()
        return list(await other.read(position)), list(await store_in(s3).journal("j/w").read())

    assert asyncio.run(claim()) == ([b"1"], [b"1"])


def test_a_late_answer_is_waited_for(s3: Any, tamperer: Tamperer) -> None:
    """Five seconds are a slow answer, not an outage; and other requests go on meanwhile."""
    tamperer.first(1, "late")

    async def claim() -> tuple[bool, bool, float]:
        clock, store = SystemClock(), store_in(s3, endpoint=tamperer.url)
        began = clock.monotonic()
        slow = asyncio.ensure_future(store.create("slow", b"1"))
        while not any(path.endswith("/slow") for _, path in tamperer.seen):
            await asyncio.sleep(0.01)
        quick = await store.create("quick", b"1")
        is_first = not slow.done()
        return await slow, quick and is_first, clock.monotonic() - began

    won, is_undisturbed, seconds = asyncio.run(claim())

    assert (won, is_undisturbed) == (True, True)
    assert seconds >= LATE_SECONDS


def test_a_reader_of_a_cut_value_is_told(s3: Any, tamperer: Tamperer) -> None:
    """Half a value is never passed off as a value."""

    async def claim() -> bytes | None:
        store = store_in(s3, endpoint=tamperer.url)
        await store.create("k", b"x" * 100_000)
        tamperer.first(1, "cut", method="GET")
        with pytest.raises(StoreUnavailable):
            await store.read("k")
        return await store.read("k")

    assert asyncio.run(claim()) == b"x" * 100_000


def test_following_a_quiet_journal_costs_one_request(s3: Any, tamperer: Tamperer) -> None:
    """A look at nothing new asks for one key; what is new is fetched together, and nothing is listed."""

    async def claim() -> tuple[int, int]:
        writer, reader = store_in(s3).journal("j/w"), store_in(s3, endpoint=tamperer.url)
        position = ""
        costs = []
        for records in (20, 0):
            for number in range(records):
                writer.append(b"%d" % number)
                await writer.flush()
            before = len(tamperer.seen)
            _, position = await reader.journal("j/w").read_from(position)
            costs.append(len(tamperer.seen) - before)
        assert {method for method, _ in tamperer.seen} == {"GET"}
        assert not any("list-type" in path for _, path in tamperer.seen)
        return costs[0], costs[1]

    first, second = asyncio.run(claim())

    assert first <= 2 * 20
    assert second == 1
