"""What the leader tells its own supervisors, and what a person's signals tell the leader.

Plain flags with an event to wait on. A signal handler may call `Stop.request`; nothing here does I/O.
"""

from __future__ import annotations

import asyncio

from pipeline.ports import Clock


class Stop:
    """Signals so far: the first asks to stop kindly, the second at once."""

    def __init__(self) -> None:
        self.signal_number = 0
        self.count = 0
        self._waiting: list[asyncio.Event] = []

    def request(self, signal_number: int) -> None:
        """Take a signal; call it in the event loop's thread."""
        self.signal_number = self.signal_number or signal_number
        self.count += 1
        for event in self._waiting:
            event.set()

    def wakes(self, event: asyncio.Event) -> None:
        """Set that event at every request."""
        self._waiting.append(event)


class Orders:
    """For all supervisors of one leader. `news` is set whenever there is reason to look again."""

    def __init__(self) -> None:
        self.is_over = False
        """Claim nothing more; tear down and end."""
        self.is_superseded = False
        """Another agent leads: whoever has nothing to do in a queue ends."""
        self.is_stopped = asyncio.Event()
        """Stop what is running."""
        self._sleepers: dict[asyncio.Event, None] = {}

    def wake(self) -> None:
        """Let everybody who waits for work look again."""
        for event in self._sleepers:
            event.set()

    async def pause(self, clock: Clock, seconds: float) -> None:
        """Wait for that long, or until there is news."""
        event = asyncio.Event()
        self._sleepers[event] = None
        try:
            await first_of(event, clock, seconds)
        finally:
            del self._sleepers[event]


async def either(one: asyncio.Event, other: asyncio.Event) -> None:
    """Wait until one of them is set."""
    if one.is_set() or other.is_set():
        return
    waits = [asyncio.ensure_future(each.wait()) for each in (one, other)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def first_of(event: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Wait until the event is set, but no longer than that."""
    waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    for wait in waits:
        if wait.done() and not wait.cancelled():
            wait.result()
