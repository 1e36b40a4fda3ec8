"""Let coroutines wait for something that callbacks notice, whichever event loop runs at the moment.

Collection and the run may each have a loop of their own while harnesses live on through both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Wake all who wait."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake every present waiter."""
        for waiter in self._waiters:
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Wait to be woken; False after `seconds` without."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            return bool((await asyncio.wait({waiter}, timeout=seconds))[0])
        finally:
            self._waiters.discard(waiter)


class Readable:
    """Call back while a descriptor is readable, in whatever loop attached it last."""

    def __init__(self, descriptor: int, callback: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._callback = callback
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self) -> None:
        """Watch in the running loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.detach()
            loop.add_reader(self._descriptor, self._callback)
            self._loop = loop

    def detach(self) -> None:
        """Watch no longer."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        self._loop = None
