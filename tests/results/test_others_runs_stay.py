"""Runs in a store that many machines share are removed when they are old, not because this machine has never heard of them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from extensions.fleet import Fleet
from extensions.results import Results
from pipeline.adapters.clock import SystemClock
from pipeline.logic.objects import Ending, to_bytes
from pipeline.protocol import keys
from tests.fakes.memory_store import MemoryStore


def test_a_run_that_another_machine_has_just_closed_stays(tmp_path: Path) -> None:
    """Its other jobs may still want its result."""
    fleet = Fleet.build(
        tmp_path, environment={}, arguments={"store.keep_runs": "1", "store.keep_days": "2"}, home=tmp_path
    )
    fleet.check()
    results = Results(fleet, tmp_path, SystemClock())
    ages = {"ci-1": 0.0, "ci-2": 1.0, "ci-3": 3.0, "ci-4": 300.0, "ci-5": -0.1}

    async def story() -> set[str]:
        store = MemoryStore()
        for run, days in ages.items():
            ending = Ending(reason="complete", plan="p", nonce="n", wall=time.time() - days * 86_400)
            await store.create(keys.plan(run), b"{}")
            await store.create(keys.ending(run, 1), to_bytes(ending))
            await store.create(keys.closed(run), b"{}")
        await results.prune(store, "ci-6")
        return {run for run in ages if await store.read(keys.closed(run)) is not None}

    left = asyncio.run(story())
    assert {"ci-1", "ci-2", "ci-5"} <= left
    assert len(left) <= 4
