"""The agent's event loop, in a thread of its own, so that what one task leaves warm another can use.

Knows nothing of what runs on it. Tasks call `wait` from whatever thread doit runs them in.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """One asyncio loop; it starts with the first use and ends with `close`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def is_running(self) -> bool:
        """Whether anything has ever been run."""
        return self._loop is not None

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:
        """The loop itself, started if it is not."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="fleet-loop", daemon=True)
                self._thread.start()
            return self._loop

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end. When the waiting thread is interrupted, the coroutine is cancelled first.

        Raises `RuntimeError` on the loop itself, which would wait for ever.
        """
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the loop cannot wait for what it is to do itself")
        future = asyncio.run_coroutine_threadsafe(work, self.asyncio_loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel what is left, stop and close the loop; safe to call twice."""
        if self._loop is None or self._thread is None:
            return
        self.wait(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
