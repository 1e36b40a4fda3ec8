"""A volume as the store: worker and agent see that they share it before the worker begins, else it is refused with the reason."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.adapters.store_meeting import meet_agent, meeting_workers
from pipeline.errors import UsageError
from pipeline.ports import Store
from tests.fakes.memory_store import MemoryStore
from tests.simulation.virtual_time import ImaginedClock, play
from tests.stores.views import SlowView

RUN = "r-1"
WORKER = """
import asyncio, sys
from pipeline.adapters.clock import SystemClock
from pipeline.adapters.directory_store import DirectoryStore
from pipeline.adapters.store_meeting import meet_agent
from pipeline.errors import UsageError
folder, worker, limit = sys.argv[1:]
try:
    asyncio.run(meet_agent(DirectoryStore(folder), SystemClock(), "r-1", worker, limit_seconds=float(limit)))
except UsageError as error:
    sys.exit(str(error))
"""


def work(folder: Path, worker: str, limit: float = 20.0) -> subprocess.Popen[str]:
    """A worker in a process of its own."""
    command = [sys.executable, "-c", WORKER, str(folder), worker, str(limit)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


async def ends(*processes: subprocess.Popen[str]) -> list[str]:
    """What each has said at its end; empty: all is well."""
    said = await asyncio.gather(*(asyncio.to_thread(process.communicate, timeout=40) for process in processes))
    return [error for _, error in said]


def test_parties_in_one_folder_meet(tmp_path: Path) -> None:
    """As processes; afterwards a worker needs no agent any more."""

    async def story() -> tuple[list[str], list[str]]:
        async with meeting_workers(DirectoryStore(tmp_path), SystemClock(), RUN, pytest.fail):
            first = await ends(work(tmp_path, "w0"), work(tmp_path, "w1"))
        return first, await ends(work(tmp_path, "w2", limit=0.0))

    assert asyncio.run(story()) == (["", ""], [""])


def test_parties_in_two_folders_do_not(tmp_path: Path) -> None:
    """The worker says so, and what to do."""

    async def story() -> list[str]:
        async with meeting_workers(DirectoryStore(tmp_path / "one"), SystemClock(), RUN, pytest.fail):
            return await ends(work(tmp_path / "other", "w0", limit=1.0))

    (told,) = asyncio.run(story())
    assert "not shared by all workers" in told
    assert "actimeo=0" in told


def meeting(view: Store, kept: MemoryStore) -> list[str]:
    """A worker meets its agent, each as the volume shows it the other's values; what the agent was told."""
    told: list[str] = []

    async def story() -> None:
        async with meeting_workers(kept, ImaginedClock(), RUN, told.append):
            await meet_agent(view, ImaginedClock(), RUN, "w0")
            await asyncio.sleep(30)

    play(story())
    return told


def test_a_volume_that_shows_things_late_is_refused() -> None:
    """A mount that keeps what it knows of a folder for half a minute would hide tombstones as long."""
    kept = MemoryStore()

    with pytest.raises(UsageError, match="not shared by all workers"):
        meeting(SlowView(kept, seconds=30.0), kept)


def test_a_volume_that_shows_things_soon_will_do() -> None:
    """Within a second, say."""
    kept = MemoryStore()

    assert meeting(SlowView(kept, seconds=1.0), kept) == []
