"""Runs blocking calls beside an event loop, many at once, on threads that never keep a process from ending.

`asyncio.to_thread` has few threads on small machines, so that one server that hangs would stall every heartbeat; and
the interpreter waits for its threads at exit. It must not know what the calls do.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Lanes:
    """Up to `limit` threads, made when there is no idle one; a call beyond that waits for its turn."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit, self._name = limit, name
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._count = 0
        self._making = threading.Lock()

    async def run(self, call: Callable[[], T]) -> T:
        """What the call returns or raises. When the waiter is cancelled, the call goes on, unheard."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def serve() -> None:
            try:
                value = call()
            except BaseException as error:
                _tell(loop, done, _fail, error)
            else:
                _tell(loop, done, _succeed, value)

        self._calls.put(serve)
        self._see_to_a_thread()
        return await done

    def _see_to_a_thread(self) -> None:
        if self._idle.acquire(blocking=False):
            return
        with self._making:
            if self._count < self._limit:
                self._count += 1
                threading.Thread(target=self._serve, name=f"{self._name}-{self._count}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            self._calls.get()()
            self._idle.release()


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], settle: Callable[..., None], what: object
) -> None:
    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(settle, done, what)


def _succeed(done: asyncio.Future[Any], value: object) -> None:
    if not done.cancelled():
        done.set_result(value)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.cancelled():
        done.set_exception(error)
