"""An asyncio event loop whose time is imagined: it jumps to the next timer instead of waiting, and does no I/O."""

from __future__ import annotations

import asyncio
import gc
import selectors
import sys
from collections.abc import Coroutine
from typing import Any

ROUNDS_OF_CANCELLING = 100


class Deadlock(Exception):
    """Nothing is scheduled and nobody can wake anybody."""


class _Selector(selectors.BaseSelector):
    """Selects nothing; lets the loop's time pass instead."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Deadlock
        self.now += max(0.0, timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        raise NotImplementedError

    def unregister(self, fileobj: Any) -> Any:
        raise NotImplementedError

    def get_map(self) -> Any:
        return {}


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: one thread, one clock, callbacks in order of time and then of scheduling."""

    def __init__(self) -> None:
        self._time = _Selector()
        super().__init__(self._time)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Imagined seconds."""
        return self._time.now

    def _make_self_pipe(self) -> None:
        """No other thread ever wakes this loop."""

    def _close_self_pipe(self) -> None:
        """There is none."""


class ImaginedClock:
    """The running loop's."""

    def monotonic(self) -> float:
        """Imagined seconds."""
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        """The same."""
        return self.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let them pass."""
        await asyncio.sleep(seconds)


def play(main: Coroutine[Any, Any, Any]) -> Any:
    """Run in imagined time."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.set_exception_handler(lambda *_: None)
        _end_all(loop)
        loop.close()


def _end_all(loop: VirtualLoop) -> None:
    """Cancel what is left, again and again; what a broken world never ends is thrown away in silence, here and not in a later test."""
    for _ in range(ROUNDS_OF_CANCELLING):
        left = asyncio.all_tasks(loop)
        if not left:
            return
        for task in left:
            task.cancel()
        try:
            loop.run_until_complete(asyncio.sleep(0))
        except BaseException:
            pass
    _throw_away(asyncio.all_tasks(loop))


def _throw_away(left: set[asyncio.Task[Any]]) -> None:
    heard, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        for task in left:
            task.get_coro().close()
    except RuntimeError:
        pass  # It catches whatever comes.
    finally:
        left.clear()
        gc.collect()
        sys.unraisablehook = heard
