"""The agent's end of a channel: read by pull, write in the background, in whatever event loop runs.

Knows bytes only.
"""

from __future__ import annotations

import asyncio
import socket

from pipeline.adapters.waiting import Bell, Readable

_CHUNK = 1 << 16


class ChannelEnd:
    """A non-blocking socket whose bell rings once when there is something to read after `watch`."""

    def __init__(self, end: socket.socket, bell: Bell) -> None:
        end.setblocking(False)
        self._socket = end
        self._bell = bell
        self._reader = Readable(end.fileno(), self._on_readable)
        self._unsent = bytearray()
        self._writing_in: asyncio.AbstractEventLoop | None = None
        self.is_deaf = False
        """Nothing more can be read: the other end was closed."""

    def read(self) -> bytes:
        """What has come, up to a chunk; empty when there is nothing now."""
        if self.is_deaf:
            return b""
        try:
            data = self._socket.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.is_deaf = True
        return data

    def watch(self) -> None:
        """Ring the bell as soon as something can be read."""
        if not self.is_deaf:
            self._reader.attach()

    def write(self, data: bytes) -> None:
        """Send now what fits, the rest when the other end reads."""
        self._unsent += data
        self._send()

    def close(self) -> None:
        """Close; what was not sent is dropped."""
        self.is_deaf = True
        self._reader.detach()
        self._stop_writing()
        self._unsent.clear()
        self._socket.close()

    def _on_readable(self) -> None:
        self._reader.detach()
        self._bell.ring()

    def _send(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._socket.send(self._unsent[:_CHUNK])]
        except BlockingIOError:
            self._write_later()
            return
        except OSError:
            self._unsent.clear()
        self._stop_writing()

    def _write_later(self) -> None:
        loop = asyncio.get_running_loop()
        if self._writing_in is not loop:
            self._stop_writing()
            loop.add_writer(self._socket.fileno(), self._send)
            self._writing_in = loop

    def _stop_writing(self) -> None:
        if self._writing_in is not None and not self._writing_in.is_closed():
            self._writing_in.remove_writer(self._socket.fileno())
        self._writing_in = None
