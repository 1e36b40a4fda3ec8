"""The harness's end of the channel: JSON lines both ways over one socket, whatever the tests do to descriptors.

Everything it calls is bound at import, because tests patch `os`, `json` and `time`. It knows nothing of frameworks.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
from os import _exit, getpid, read, write
from signal import SIG_BLOCK, SIG_SETMASK, pthread_sigmask
from time import perf_counter
from typing import Any

from .outbox import Outbox

FLUSH_SECONDS = 0.02
HIGH_DESCRIPTOR = 900
_CHUNK = 1 << 16
_encode = json.JSONEncoder(default=repr, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode
_poll, _POLLIN = select.poll, select.POLLIN
_HELD = {
    getattr(signal, name)
    for name in ("SIGALRM", "SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF", "SIGCHLD")
}


def lift_descriptor(descriptor: int) -> int:
    """Move a descriptor above those that programs close in passing; the old number is closed."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for lowest in (HIGH_DESCRIPTOR, soft - 16, 3):
        try:
            lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
        except (OSError, OverflowError, ValueError):
            continue
        os.close(descriptor)
        return lifted
    return descriptor


class Channel:
    """Talk to the supervisor. Only the process that made it is heard: forked children are mute."""

    def __init__(self, descriptor: int, outbox: Outbox) -> None:
        self._descriptor = lift_descriptor(descriptor)
        self._outbox = outbox
        self._sent = 0
        self._flushed_at = perf_counter() - FLUSH_SECONDS
        self._owner = getpid()
        self._heard = bytearray()
        self._gone = False

    def say(self, kind: str, **fields: Any) -> None:
        """Say one message; it survives this process from now on, and is sent soon."""
        if getpid() != self._owner:
            return
        line = (_encode({"say": kind, **fields}) + "\n").encode("ascii")
        outbox = self._outbox
        if outbox.total - self._sent + len(line) > outbox.capacity:
            self.flush()
        if len(line) > outbox.capacity:
            self._say_huge(line)
            return
        outbox.append(line)
        if perf_counter() - self._flushed_at >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send all that has been said; blocks while the supervisor does not read."""
        if getpid() != self._owner:
            return
        held = pthread_sigmask(SIG_BLOCK, _HELD)  # A handler that raises must not lose count of what was sent.
        try:
            while self._sent < self._outbox.total:
                self._sent += self._write(self._outbox.read(self._sent, _CHUNK))
        finally:
            self._flushed_at = perf_counter()
            pthread_sigmask(SIG_SETMASK, held)

    def hear(self) -> dict[str, Any] | None:
        """Flush, then wait for the next command; None when the supervisor is gone."""
        self.flush()
        if getpid() != self._owner:
            _exit(0)  # A forked child that came back from its test has no work here.
        while True:
            command = self._next_command()
            if command is not None or not self._fill():
                return command

    def pending(self) -> bool:
        """Whether a command can be heard without waiting."""
        while b"\n" not in self._heard:
            if not self._is_readable() or not self._fill():
                return False
        return True

    def _say_huge(self, line: bytes) -> None:
        held = pthread_sigmask(SIG_BLOCK, _HELD)
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[self._write(rest[:_CHUNK]) :]
            self._outbox.leap(len(line))
            self._sent = self._outbox.total
        finally:
            pthread_sigmask(SIG_SETMASK, held)

    def _write(self, data: Any) -> int:
        if not self._gone:
            try:
                return write(self._descriptor, data)
            except OSError:
                self._gone = True
        return len(data)

    def _fill(self) -> bool:
        try:
            data = read(self._descriptor, _CHUNK)
        except OSError:
            data = b""
        self._heard += data
        return bool(data)

    def _is_readable(self) -> bool:
        waiting = _poll()
        waiting.register(self._descriptor, _POLLIN)
        return bool(waiting.poll(0))

    def _next_command(self) -> dict[str, Any] | None:
        while True:
            end = self._heard.find(b"\n")
            if end < 0:
                return None
            line = bytes(self._heard[:end])
            del self._heard[: end + 1]
            try:
                command = _decode(line.decode("utf-8"))
            except ValueError:
                continue
            if isinstance(command, dict):
                return command
