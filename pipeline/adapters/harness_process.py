"""A harness behind its guard, as `ports.Harness`, on this machine or at the other end of a link: one ordered stream of messages, then its end.

The stream comes from the socket; from the outbox when the socket is quiet or the harness dead. Reading is by pull, so
a flood waits in the harness and not in the agent's memory.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import time
from pathlib import Path
from typing import Protocol

from attrs import evolve

from pipeline.adapters.guard_link import Ending, GuardLink
from pipeline.adapters.stream import MessageStream
from pipeline.harness.outbox_reader import OutboxReader
from pipeline.model.messages import Message
from pipeline.ports import HarnessEnd

QUIET_SECONDS = 0.1
"""After this silence the outbox is looked at: the last messages may be waiting for a flush that a hang prevents."""


class Channel(Protocol):
    """The agent's end of a channel."""

    def read(self) -> bytes:
        """What has come, up to a chunk; empty when there is nothing now."""

    def watch(self) -> None:
        """Ring the guard's bell as soon as something can be read."""

    def write(self, data: bytes) -> None:
        """Send now what fits, the rest later."""

    def close(self) -> None:
        """Close; what was not sent is dropped."""


class HarnessProcess:
    """One harness. Its methods may be used in one event loop after another, but not in two at once."""

    def __init__(self, channel: Channel, guard: GuardLink, outbox: Path, log: Path, *, machine: str = "") -> None:
        """`outbox` is looked into where there is such a file; `machine` is another than this one, for people."""
        self._channel = channel
        self._guard = guard
        self._outbox = OutboxReader(outbox)
        self._stream = MessageStream()
        self._heard_at = time.monotonic()
        self._is_peeked = False
        self._opening: list[tuple[float, Message]] = []
        self._again: list[Message] = []
        self._in_flight: tuple[str, int] | None = None
        self._end: HarnessEnd | None = None
        self.log = str(log)
        self.place = f"{machine or platform.node()} pid {guard.harness or '?'}"

    @property
    def has_ended(self) -> bool:
        """Whether its end is known, heard by `receive` or not."""
        return self._end is not None or self._guard.ending is not None or self._guard.is_lost

    @property
    def is_over(self) -> bool:
        """Whether `receive` has come to its end."""
        return self._end is not None

    def attach(self) -> None:
        """Hear guard and zygote in the running loop."""
        self._guard.attach()

    async def send(self, message: Message) -> None:
        """Hand over a message; returns at once, the harness hears it when it listens."""
        self.attach()
        if message.get("do") == "finish":
            self._guard.ask()
        if self._end is None:
            self._channel.write(json.dumps(message).encode() + b"\n")

    def stamp(self) -> float | None:
        """The guard's newest stamp of its own clock, or None before the first."""
        return self._guard.stamp

    def renew(self, stamp: float, span_seconds: float) -> None:
        """Permit the harness to live until `stamp` + `span_seconds` on the guard's own clock."""
        self._guard.renew(stamp, span_seconds)

    async def kill(self, *, grace_seconds: float = 0.0) -> None:
        """TERM, then KILL after the grace; `receive` then gives the end."""
        self.attach()
        self._guard.kill(grace_seconds)

    async def dump_stacks(self) -> None:
        """Write all stacks into the log; returns when they are there, or after half a second."""
        self.attach()
        last = before = _size(self.log)
        self._guard.dump()
        for _ in range(25):
            await asyncio.sleep(0.02)
            size = _size(self.log)
            if size > before and size == last:
                return
            last = size

    async def receive(self) -> Message | HarnessEnd:
        """The next message in order, then the end for ever. Being cancelled loses nothing."""
        while True:
            if self._again:
                return self._again.pop(0)
            message = self._stream.next()
            if message is not None:
                self._note(message)
                return message
            if self._end is None and self._guard.ending is None:
                self.attach()
                await self._more()
            elif self._end is None:
                self._read_to_the_end(self._guard.ending)
            else:
                self._outbox.close()
                return evolve(self._end, in_flight=self._in_flight)

    def replay(self) -> None:
        """Have `receive` give hello and files once more, for another reader; `age` tells how long ago that was."""
        now = time.monotonic()
        self._again = [{**message, "age": now - when} for when, message in self._opening]

    async def drain(self) -> HarnessEnd:
        """Throw away what is still said and return the end."""
        while True:
            said = await self.receive()
            if isinstance(said, HarnessEnd):
                return said

    async def _more(self) -> None:
        if self._read():
            await asyncio.sleep(0)  # However much comes, others get their turn.
        elif self._guard.is_lost:
            await self._guard.bury()
        else:
            await self._wait()
            self._guard.look()

    def _read(self) -> bool:
        data = self._channel.read()
        if data:
            self._heard_at = time.monotonic()
            self._is_peeked = False
            self._stream.feed_socket(data)
        return bool(data)

    async def _wait(self) -> None:
        self._channel.watch()
        look = self._guard.look_seconds
        quiet_left = self._heard_at + QUIET_SECONDS - time.monotonic()
        if self._is_peeked or quiet_left > 0:
            await self._guard.bell.wait(min(look, quiet_left) if quiet_left > 0 else look)
            return
        # Once is enough while the socket works: after such a silence the next thing said is flushed at once.
        self._is_peeked = True
        self._stream.feed_outbox(self._outbox.read(self._stream.position))

    def _read_to_the_end(self, ending: Ending | None) -> None:
        if ending is None or self._read():
            return
        self._stream.feed_outbox(self._outbox.read(self._stream.position))
        self._channel.close()
        self._guard.close()
        self._end = HarnessEnd(proof=ending.proof, asked=ending.asked, code=ending.code, cause=ending.cause)

    def _note(self, message: Message) -> None:
        if message["say"] == "start":
            self._in_flight = (str(message.get("batch")), int(message.get("i", 0)))
        elif message["say"] == "result" and message.get("final", True):
            self._in_flight = None
        elif message["say"] in ("hello", "files"):
            self._opening.append((time.monotonic(), message))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
