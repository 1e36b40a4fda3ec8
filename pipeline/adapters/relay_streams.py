"""Streams of a link that stand for sockets on a host: a channel, a control, a growing log, and a whole answer.

They fit where `ChannelEnd` and `Control` fit for processes of this machine.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.waiting import Bell
from pipeline.errors import EngineError
from pipeline.harness.outbox import Outbox
from pipeline.harness.outbox_reader import prepare_outbox
from pipeline.harness.relay_frames import WINDOW

LONGEST_ANSWER = 64 << 20


class RemoteChannel:
    """A harness's channel at the other end of a link. What is not read yet keeps the harness waiting, as a socket does.

    What comes is kept in an outbox here, so that a later agent finds it when this one is killed.
    """

    def __init__(self, link: RelayLink, bell: Bell, outbox: Path) -> None:
        self._link, self._bell = link, bell
        self._kept = Outbox(str(outbox)) if prepare_outbox(outbox) else None
        self._pieces: deque[bytes] = deque()
        self._taken = 0
        self.number = link.stream(self)

    def read(self) -> bytes:
        """What has come; empty when there is nothing now."""
        if not self._pieces:
            return b""
        data = self._pieces.popleft()
        self._taken += len(data)
        if self._taken >= WINDOW // 4:
            self._link.order(do="taken", stream=self.number, bytes=self._taken)
            self._taken = 0
        return data

    def watch(self) -> None:
        """Nothing: the bell rings whenever something comes."""

    def write(self, data: bytes) -> None:
        """Send."""
        self._link.send(self.number, data)

    def close(self) -> None:
        """Drop what has come; the relay closes its end when the guard ends."""
        self._pieces.clear()

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._pieces.append(data)
        if self._kept is not None and len(data) <= self._kept.capacity:
            self._kept.append(data)
        self._bell.ring()

    def end(self, told: dict[str, Any]) -> None:
        """Nothing more comes."""
        self._bell.ring()


class RemoteLines:
    """A control or a zygote's wire at the other end of a link."""

    def __init__(self, link: RelayLink, on_line: Callable[[dict[str, Any]], None], bell: Bell) -> None:
        self._link, self._on_line, self._bell = link, on_line, bell
        self._rest = b""
        self.is_closed = False
        self.refused = ""
        """Why the relay did not make it."""
        self.number = link.stream(self)

    def attach(self) -> None:
        """Nothing: the link reads."""

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one line; nothing happens when the other end is gone."""
        assert not descriptors, "descriptors stay on their machine"
        if not self.is_closed:
            self._link.send(self.number, json.dumps(message).encode("ascii") + b"\n")

    def close(self) -> None:
        """Have the other end closed."""
        if not self.is_closed:
            self._link.order(do="close", stream=self.number)
            self.end({})

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        if self.is_closed:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(json.loads(line))
        self._bell.ring()

    def end(self, told: dict[str, Any]) -> None:
        """Nothing more comes."""
        self.is_closed = True
        self.refused = str(told.get("refused", ""))
        self._bell.ring()


class RemoteLog:
    """A log on a host, kept up to date in a file here."""

    def __init__(self, link: RelayLink, path: Path) -> None:
        self._path = path
        self.number = link.stream(self)

    def feed(self, data: bytes) -> None:
        """Append."""
        try:
            with self._path.open("ab") as file:
                file.write(data)
        except OSError:
            pass  # For people only; a full disk is told of elsewhere.

    def end(self, told: dict[str, Any]) -> None:
        """Nothing more comes."""


class RemoteJob:
    """A job of the relay: what is sent to it, and its answer."""

    def __init__(self, link: RelayLink, name: str, order: dict[str, Any]) -> None:
        self._link, self._bell = link, Bell()
        self._name = name
        self._pieces: deque[bytes] = deque()
        self._end: dict[str, Any] | None = None
        self.number = link.stream(self)
        link.order(do="job", stream=self.number, name=name, order=order)

    def write(self, data: bytes) -> None:
        """Send to its standard input; `RelayLink.drain` waits until that is on its way."""
        self._link.send(self.number, data)

    def end_input(self) -> None:
        """No more is sent."""
        self._link.order(do="eof", stream=self.number)

    async def pieces(self) -> AsyncIterator[bytes]:
        """What it answers, as it comes. Raises `PlaceLost`, or `EngineError` when the job failed."""
        while True:
            while self._pieces:
                data = self._pieces.popleft()
                self._link.order(do="taken", stream=self.number, bytes=len(data))
                yield data
            if self._end is not None:
                break
            await self._bell.wait(60.0)
        if not self._end:
            raise self._link.lost_error()
        if self._end.get("code") != 0:
            why = self._end.get("refused") or f"status {self._end.get('code')}"
            raise EngineError(f"host {self._link.name!r}: {self._name!r} failed there: {why}")

    async def answer(self) -> dict[str, Any]:
        """Its whole answer, one JSON line. Raises `EngineError` as `pieces`, and for what the job itself tells."""
        whole = bytearray()
        async for data in self.pieces():
            whole += data
            if len(whole) > LONGEST_ANSWER:
                raise EngineError(f"host {self._link.name!r}: {self._name!r} answers without end")
        told = json.loads(whole)
        if "error" in told:
            raise failure(self._link.name, told)
        return dict(told)

    def feed(self, data: bytes) -> None:
        """Take bytes."""
        self._pieces.append(data)
        self._bell.ring()

    def end(self, told: dict[str, Any]) -> None:
        """Nothing more comes."""
        self._end = told
        self._bell.ring()


def failure(host: str, told: dict[str, Any]) -> EngineError:
    """The error that a job tells of."""
    where = f" at {told['path']!r}" if told.get("path") else ""
    if told.get("errno") in (28, 122):  # ENOSPC, EDQUOT.
        return EngineError(
            f"host {host!r}: its disk is full{where}",
            hint="make room there, or name another folder: hosts.<name>.folder",
        )
    return EngineError(f"host {host!r}: {told['error']}{where}")
