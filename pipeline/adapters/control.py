"""The agent's end of a control socket to a guard or a zygote: JSON lines, read as they come, written without waiting.

Knows nothing of what the lines mean.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from typing import Any

from pipeline.adapters.waiting import Bell, Readable

_CHUNK = 1 << 16


class Control:
    """One control socket. `on_line` is called for each object that comes; `bell` rings after that and at the end."""

    def __init__(self, end: socket.socket, on_line: Callable[[dict[str, Any]], None], bell: Bell) -> None:
        end.setblocking(False)
        self._socket = end
        self._on_line = on_line
        self._rest = b""
        self._reader = Readable(end.fileno(), self._read)
        self._bell = bell
        self.is_closed = False

    def attach(self) -> None:
        """Read in the running loop from now on."""
        if not self.is_closed:
            self._reader.attach()

    def send(self, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one line and pass descriptors with it; when the other end is gone nothing happens.

        A line that does not fit means that the other end has not read for a long time: it is given up.
        """
        if self.is_closed:
            return
        data = json.dumps(message).encode() + b"\n"
        try:
            sent = socket.send_fds(self._socket, [data], descriptors) if descriptors else self._socket.send(data)
        except OSError:
            return
        if sent < len(data):
            self._send_rest(data[sent:])

    def _send_rest(self, data: bytes) -> None:
        try:
            self._socket.settimeout(5.0)
            self._socket.sendall(data)
            self._socket.setblocking(False)
        except OSError:
            self.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._on_line(json.loads(line))
        self._bell.ring()

    def close(self) -> None:
        """Close this end; the other notices."""
        if not self.is_closed:
            self.is_closed = True
            self._reader.detach()
            self._socket.close()
            self._bell.ring()
