"""Frames of an ssh session: many streams of bytes over one, both ways. Used by the relay and by the agent's link.

A frame is the stream's number and a length, four bytes each (network order), then that many bytes. Stream 0 carries JSON.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

HEADER = struct.Struct(">II")
LONGEST = 1 << 20
WINDOW = 1 << 20
"""So many bytes of a stream may be on the way to the agent before it has taken any."""
CONTROL = 0
_CHUNK = 1 << 16


class BrokenFrames(ValueError):
    """What came is no frame of ours."""


def frame(stream: int, data: bytes) -> bytes:
    """One frame; `data` is at most `LONGEST`."""
    return HEADER.pack(stream, len(data)) + data


def control(message: dict[str, Any]) -> bytes:
    """A frame of stream 0."""
    return frame(CONTROL, json.dumps(message).encode("ascii"))


class Frames:
    """Feed it bytes; it gives whole frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Take bytes; (stream, data) of each frame that is whole now. Raises `BrokenFrames`."""
        rest = self._rest
        rest += data
        found, start = [], 0
        while len(rest) - start >= HEADER.size:
            stream, length = HEADER.unpack_from(rest, start)
            if length > LONGEST:
                raise BrokenFrames("a frame of %d bytes" % length)
            end = start + HEADER.size + length
            if len(rest) < end:
                break
            found.append((stream, bytes(rest[start + HEADER.size : end])))
            start = end
        del rest[:start]
        return found


class Outgoing:
    """Bytes on their way into a descriptor that may be full."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self._waiting = bytearray()
        self.is_broken = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, data: bytes) -> None:
        """Have bytes written as soon as that is possible."""
        if not self.is_broken:
            self._waiting += data

    def take(self) -> bytes:
        """What still waits, for who writes it in another way."""
        waiting = bytes(self._waiting)
        self._waiting.clear()
        return waiting

    def flush(self) -> None:
        """Write what can be written now."""
        waiting = self._waiting
        try:
            while waiting:
                del waiting[: os.write(self.descriptor, waiting[:_CHUNK])]
        except BlockingIOError:
            pass
        except OSError:
            self.is_broken = True
            waiting.clear()
