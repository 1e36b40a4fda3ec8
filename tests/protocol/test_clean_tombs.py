"""A worker that ended with everything done leaves nothing to be had: others do not read all it wrote, for a while."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.logic.objects import Claim, to_bytes
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore
from pipeline.protocol.tombs import bury
from pipeline.protocol.view import RunView
from tests.fakes.faults import Fate, Operation
from tests.fakes.memory_store import MemoryStore
from tests.logic.suites import planned, uniform
from tests.simulation.virtual_time import ImaginedClock, play

RUN, LEASE, PUT_OFF = "r-1", 60.0, 15.0


async def looked(*, is_clean: bool, put_off_seconds: float, after: float = 0.0) -> tuple[list[str], bool]:
    """What a look asks of the store beyond listings, `after` seconds after the first one; whether the tomb is learned."""
    asked: list[str] = []

    def decide(operation: Operation) -> Fate:
        asked.append(f"{operation.kind} {operation.key.removeprefix(keys.run(RUN))}")
        return Fate()

    plan = planned(uniform(4, 1.0), 2)
    store = CertainStore(MemoryStore(decide=decide), ImaginedClock())
    first = plan.batches[0]
    claim = Claim(worker="w0-1", nonce="n", plan=plan.digest, batch=first.number, attempt=1, tests=first.tests)
    await store.create(keys.claim(RUN, first.bucket, first.number, 1), to_bytes(claim))
    await bury(
        store,
        RUN,
        "w0-1",
        plan=plan.digest,
        by="w0-1",
        nonce="n",
        cause="finished",
        proof=True,
        is_clean=is_clean,
    )
    view = RunView(RUN, plan, store, ImaginedClock(), LEASE, put_off_seconds=put_off_seconds)
    asked.clear()
    await view.refresh()
    if after:
        await asyncio.sleep(after)
        asked.clear()
        await view.refresh()
    return [each for each in asked if not each.startswith("list ")], "w0-1" in view.tombs


def test_a_clean_tomb_is_not_looked_into() -> None:
    """Its reading is all it costs; a second look costs nothing."""
    assert play(looked(is_clean=True, put_off_seconds=PUT_OFF)) == (["read tombs/w0-1"], False)
    assert play(looked(is_clean=True, put_off_seconds=PUT_OFF, after=PUT_OFF / 2)) == ([], False)


@pytest.mark.parametrize(
    ("is_clean", "put_off_seconds", "after"),
    [(True, PUT_OFF, PUT_OFF + 1), (False, PUT_OFF, 0.0), (True, 0.0, 0.0)],
    ids=["later", "unfinished", "a leader"],
)
def test_every_other_tomb_is(*, is_clean: bool, put_off_seconds: float, after: float) -> None:
    """A hint that is wrong costs time, no more; and leaders know everything."""
    asked, is_learned = play(looked(is_clean=is_clean, put_off_seconds=put_off_seconds, after=after))

    assert is_learned
    assert [each for each in asked if each.startswith("journal-read")]
    assert [each for each in asked if each.startswith("read claims/")]
