"""A launcher for tests whose harnesses execute what they are told, and the proof that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from pipeline.adapters import process_table
from pipeline.adapters.harness_process import HarnessProcess
from pipeline.harness.lineage import children
from pipeline.launchers.local import LocalLauncher
from pipeline.model.messages import Message
from pipeline.model.suites import HarnessSpec
from pipeline.ports import HarnessEnd

SERVING = str(Path(__file__).with_name("serving.py"))


class House:
    """One launcher with a mark of its own."""

    def __init__(self, scratch: Path, *, python: str = sys.executable, lease_seconds: float = 4.0, **more: Any) -> None:
        self.mark = f"DOIT_FLEET_TEST={uuid.uuid4().hex}"
        self.options: dict[str, object] = more.pop("options", {})
        spec = HarnessSpec(
            suite="unit",
            python=python,
            cwd=str(scratch),
            env={"DOIT_FLEET_TEST": self.mark.partition("=")[2]},
            module=SERVING,
            options=self.options,
        )
        self.launcher = LocalLauncher({"unit": spec}, scratch / "scratch", slots=2, lease_seconds=lease_seconds, **more)

    async def harness(self, slot: int = 0) -> HarnessProcess:
        """A harness that has said hello."""
        harness = await self.launcher.harness(slot, "unit")
        assert (await hear(harness))["say"] == "hello"
        return harness

    def processes(self) -> list[int]:
        """Everything alive that carries the mark."""
        return list(process_table.marked(self.mark))


@contextlib.asynccontextmanager
async def house(scratch: Path, **options: Any) -> AsyncIterator[House]:
    """A house; afterwards no process, no zombie and no descriptor is left."""
    descriptors = len(os.listdir("/proc/self/fd"))
    zombies = set(children(os.getpid()))
    here = House(scratch, **options)
    try:
        yield here
    finally:
        await here.launcher.close()
    assert here.processes() == []
    assert set(children(os.getpid())) <= zombies
    assert len(os.listdir("/proc/self/fd")) == descriptors


async def hear(harness: HarnessProcess, seconds: float = 10.0) -> Message:
    """The next message, which must be one and come soon."""
    message = await asyncio.wait_for(harness.receive(), seconds)
    assert not isinstance(message, HarnessEnd), message
    return message


async def hear_end(harness: HarnessProcess, seconds: float = 10.0) -> HarnessEnd:
    """The end, whatever is said before."""
    return await asyncio.wait_for(harness.drain(), seconds)


async def do(harness: HarnessProcess, code: str) -> None:
    """Have code executed in the harness."""
    await harness.send({"do": "exec", "code": code})


async def ask(harness: HarnessProcess, code: str) -> Message:
    """Have code executed that says one thing."""
    await do(harness, code)
    return await hear(harness)


async def until(claim: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something outside to become true."""
    limit = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < limit, "it did not come true in time"
        await asyncio.sleep(0.005)


def state_of(pid: int) -> str:
    """The kernel's letter for a process's state; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except OSError:
        return ""


def guard_of(harness: HarnessProcess) -> int:
    """Process id of a harness's guard."""
    return harness._guard.guard


def pid_of(harness: HarnessProcess) -> int:
    """Process id of a harness."""
    return harness._guard.harness
