"""Calls that block run on threads of their own: many at once, each outcome to its waiter, and no exit waits for them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

import pytest

from pipeline.adapters.lanes import Lanes

HANGING = """
import asyncio, threading
from pipeline.adapters.lanes import Lanes

async def main():
    begun = threading.Event()
    def hang():
        begun.set()
        threading.Event().wait()
    waiting = asyncio.ensure_future(Lanes(2, "test").run(hang))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    waiting.cancel()

asyncio.run(main())
print("ended")
"""


def test_as_many_as_allowed_run_at_once() -> None:
    """Four calls that wait for each other need four threads; the fifth waits for its turn and still gets its own."""
    meeting = threading.Barrier(4, timeout=10)

    async def claim() -> list[int]:
        lanes = Lanes(4, "test")

        def call(number: int) -> int:
            if number < 4:
                meeting.wait()
            return number

        return list(await asyncio.gather(*(lanes.run(lambda number=number: call(number)) for number in range(9))))  # type: ignore[misc]

    assert asyncio.run(claim()) == list(range(9))


def test_idle_threads_are_used_again() -> None:
    """One call after the other needs one thread."""

    async def claim() -> set[str]:
        lanes = Lanes(8, "test")
        names = set()
        for _ in range(20):
            names.add(await lanes.run(lambda: threading.current_thread().name))
            await asyncio.sleep(0.01)
        return names

    assert len(asyncio.run(claim())) <= 2


def test_errors_reach_the_waiter_and_the_thread_lives_on() -> None:
    """What a call raises is raised where it was awaited."""

    async def claim() -> int:
        lanes = Lanes(1, "test")
        with pytest.raises(ZeroDivisionError):
            await lanes.run(lambda: 1 // 0)
        return await lanes.run(lambda: 7)

    assert asyncio.run(claim()) == 7


def test_a_hanging_call_keeps_no_process_from_ending() -> None:
    """A server that never answers does not hold up the end after a signal."""
    done = subprocess.run([sys.executable, "-c", HANGING], capture_output=True, text=True, timeout=20, check=False)

    assert (done.returncode, done.stdout) == (0, "ended\n"), done.stderr
