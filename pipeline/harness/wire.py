"""JSON lines over a local socket for guard and zygote, with passed descriptors, and waiting for children as well.

Knows nothing of what the lines mean.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
from typing import Any


class Wire:
    """One end of a socket to the agent. Writing never waits: an agent that does not read loses what does not fit."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=descriptor)
        self._socket.setblocking(False)
        self._rest = b""
        self.descriptors: list[int] = []
        """Passed by the other end and not yet taken, oldest first."""
        self.is_closed = False

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def read(self) -> list[dict[str, Any]]:
        """Every whole line that has come; sets `is_closed` when the other end is gone."""
        try:
            data, passed = self._receive()
        except BlockingIOError:
            return []
        except OSError:
            data, passed = b"", []
        self.descriptors += passed
        self.is_closed = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line.decode("utf-8")) for line in lines]

    def _receive(self) -> tuple[bytes, list[int]]:
        data, ancillary, _, _ = self._socket.recvmsg(1 << 16, socket.CMSG_SPACE(16 * 4))
        passed = array.array("i")
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                passed.frombytes(payload[: len(payload) - len(payload) % passed.itemsize])
        return data, list(passed)

    def write(self, **message: Any) -> None:
        """Send one line."""
        try:
            self._socket.sendall((json.dumps(message) + "\n").encode("ascii"))
        except OSError:
            pass

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


class Watch:
    """Wait for a wire, for the end or stop of a child, or for a time."""

    def __init__(self, wire: Wire) -> None:
        self._wake, write_end = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(write_end, False)
        self._write_end = write_end
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._wire = wire.fileno()
        self._poll.register(self._wire, select.POLLIN)
        self._poll.register(self._wake, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when something may have happened, or after that span."""
        self._poll.poll(max(0.0, seconds) * 1000)
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Give the signal back and close the pipe."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(self._wake)
        os.close(self._write_end)
