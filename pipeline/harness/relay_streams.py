"""What a relay carries: a harness's channel, its guard's control, a zygote's wire, a growing log, a job's pipes.

Each has a number, takes what the agent sends (`feed`), and says to the agent what comes (`Carrier.say`). Knows no commands.
"""

from __future__ import annotations

import array
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .outbox_reader import OutboxReader
from .relay_frames import WINDOW, Outgoing
from .relay_poll import Poller

QUIET_SECONDS = 0.1
"""After this silence an outbox is looked at: the last messages may be waiting for a flush that a hang prevents."""
LONGEST_LOG = 64 << 20
PASS_SECONDS = 5.0
_CHUNK = 1 << 16


class Carrier:
    """What streams need of their relay."""

    poller: Poller

    def say(self, stream: int, data: bytes) -> None:
        """Send a stream's bytes to the agent."""
        raise NotImplementedError

    def closed(self, stream: int, **more: Any) -> None:
        """Tell the agent that nothing more comes, and forget the stream."""
        raise NotImplementedError


class Tail:
    """A file that grows; what is beyond `LONGEST_LOG` is left out."""

    def __init__(self, carrier: Carrier, number: int, path: str) -> None:
        self._carrier, self._number, self._path = carrier, number, path
        self._position = 0

    def tend(self) -> None:
        """Send what is new."""
        try:
            if os.stat(self._path).st_size <= self._position or self._position >= LONGEST_LOG:
                return
            with open(self._path, "rb") as file:
                file.seek(self._position)
                data = file.read(_CHUNK)
        except OSError:
            return
        self._position += len(data)
        self._carrier.say(self._number, data)

    def drain(self) -> None:
        """Send all that is left."""
        before = -1
        while before != self._position:
            before = self._position
            self.tend()


class Channel:
    """A harness's channel: each byte once, from the socket, or from the outbox when that is quiet or the harness dead."""

    def __init__(self, carrier: Carrier, number: int, end: socket.socket, outbox: str) -> None:
        end.setblocking(False)
        self._carrier, self.number, self._end = carrier, number, end
        self._outbox = OutboxReader(Path(outbox))
        self._incoming = Outgoing(end.fileno())
        self._received = self._taken = 0
        self._heard_at, self._is_peeked = time.monotonic(), False
        self._credit = WINDOW
        self._is_open = True
        carrier.poller.on_readable(end.fileno(), self._read)

    def feed(self, data: bytes) -> None:
        """Hand bytes to the harness."""
        if self._is_open:
            self._incoming.add(data)
            self._write()

    def grant(self, count: int) -> None:
        """The agent has taken so many bytes."""
        self._credit += count
        if self._is_open and self._credit > 0:
            self._carrier.poller.on_readable(self._end.fileno(), self._read)

    def tend(self) -> None:
        """Look into the outbox when the socket has been quiet."""
        if self._is_open and not self._is_peeked and time.monotonic() - self._heard_at > QUIET_SECONDS:
            self._is_peeked = True
            self._take(self._outbox.read(self._taken))

    def drain(self) -> None:
        """The harness is dead: send all it has said."""
        if not self._is_open:
            return
        while self._receive():
            pass
        self._take(self._outbox.read(self._taken))
        self.close()
        self._carrier.closed(self.number)

    def close(self) -> None:
        """Close this end."""
        if self._is_open:
            self._is_open = False
            self._carrier.poller.forget(self._end.fileno())
            self._end.close()
            self._outbox.close()

    def _read(self) -> None:
        if not self._receive() or self._credit <= 0:
            self._carrier.poller.on_readable(self._end.fileno(), None)

    def _receive(self) -> bool:
        try:
            data = self._end.recv(_CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._heard_at, self._is_peeked = time.monotonic(), False
        start = self._received
        self._received += len(data)
        self._take(data[max(0, self._taken - start) :])
        return bool(data)

    def _take(self, data: bytes) -> None:
        self._taken += len(data)
        self._credit -= len(data)
        for start in range(0, len(data), _CHUNK):
            self._carrier.say(self.number, data[start : start + _CHUNK])

    def _write(self) -> None:
        self._incoming.flush()
        callback = self._write if len(self._incoming) else None
        self._carrier.poller.on_writable(self._end.fileno(), callback)


class Lines:
    """A socket of JSON lines (a guard's control, a zygote's wire): whole lines only, and `last` before the one that ends it."""

    def __init__(self, carrier: Carrier, number: int, end: socket.socket, last: Callable[[], None]) -> None:
        end.setblocking(False)
        self._carrier, self.number, self.end = carrier, number, end
        self._last = last
        self._incoming = Outgoing(end.fileno())
        self._rest = b""
        self._is_open = True
        carrier.poller.on_readable(end.fileno(), self._read)

    def feed(self, data: bytes) -> None:
        """Hand lines on."""
        if self._is_open:
            self._incoming.add(data)
            self._write()

    def pass_on(self, line: bytes, descriptors: array.array[int]) -> None:
        """Hand on a line with descriptors, behind all that waits. Raises `OSError` when the other end does not read."""
        self.end.settimeout(PASS_SECONDS)
        try:
            self.end.sendall(self._incoming.take())
            sent = self.end.sendmsg([line], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
            self.end.sendall(line[sent:])
        finally:
            self.end.setblocking(False)

    def _write(self) -> None:
        self._incoming.flush()
        self._carrier.poller.on_writable(self.end.fileno(), self._write if len(self._incoming) else None)

    def close(self) -> None:
        """Close this end; the other notices."""
        if self._is_open:
            self._is_open = False
            self._carrier.poller.forget(self.end.fileno())
            self.end.close()

    def _read(self) -> None:
        try:
            data = self.end.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        head, newline, self._rest = (self._rest + data).rpartition(b"\n")
        if not data or b'{"end"' in head:
            self._last()
        if head:
            self._carrier.say(self.number, head + newline)
        if not data:
            self.close()
            self._carrier.closed(self.number)


class Pipes:
    """A job's standard input and output."""

    def __init__(self, carrier: Carrier, number: int, pid: int, to_job: int, from_job: int) -> None:
        self._carrier, self.number, self.pid = carrier, number, pid
        self._from = from_job
        os.set_blocking(from_job, False)
        self._to = Outgoing(to_job)
        self._credit = WINDOW
        self._is_ending = self._is_finished = False
        self._code: int | None = None
        carrier.poller.on_readable(from_job, self._read)

    def __len__(self) -> int:
        return len(self._to)

    def feed(self, data: bytes) -> None:
        """Hand bytes to the job."""
        self._to.add(data)
        self._write()

    def end_input(self) -> None:
        """No more is sent."""
        self._is_ending = True
        self._write()

    def grant(self, count: int) -> None:
        """The agent has taken so many bytes."""
        self._credit += count
        if not self._is_finished and self._credit > 0:
            self._carrier.poller.on_readable(self._from, self._read)

    def ended(self, code: int) -> None:
        """The process has ended with that status."""
        self._code = code
        self._tell()

    def close(self) -> None:
        """Close both ends: the job notices."""
        self.end_input()
        self._finish()

    def _read(self) -> None:
        try:
            data = os.read(self._from, _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._credit -= len(data)
            self._carrier.say(self.number, data)
            if self._credit <= 0:
                self._carrier.poller.on_readable(self._from, None)
        else:
            self._finish()
            self._tell()

    def _finish(self) -> None:
        if not self._is_finished:
            self._is_finished = True
            self._carrier.poller.forget(self._from)
            os.close(self._from)

    def _tell(self) -> None:
        if self._is_finished and self._code is not None:
            self._carrier.closed(self.number, code=self._code)

    def _write(self) -> None:
        if self._to.descriptor < 0:
            return
        self._to.flush()
        self._carrier.poller.on_writable(self._to.descriptor, self._write if len(self._to) else None)
        if self._is_ending and not len(self._to):
            self._carrier.poller.forget(self._to.descriptor)
            os.close(self._to.descriptor)
            self._to.descriptor = -1
            self._to.is_broken = True
