"""One harness's stream of messages, put together from its socket and its outbox by position, each byte once.

Pure bytes and JSON: reads nothing itself. What is no message becomes a `log` message and does no harm.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from itertools import zip_longest

from pipeline.model.messages import Message

LONGEST_LINE_BYTES = 256 << 20
"""A longer line is no message of ours: it is thrown away so that it cannot fill the agent's memory."""

START, RESULT = b'{"say":"start"', b'{"say":"result"'
"""How the harness's channel writes the beginning of these messages."""


class MessageStream:
    """Feed it bytes; take messages."""

    def __init__(self, position: int = 0) -> None:
        self._socket_position = position
        self._taken = position
        """All bytes before this stream position are here; the socket may still bring some of them again."""
        self._rest = bytearray()
        self._lines: deque[bytes] = deque()

    @property
    def position(self) -> int:
        """The stream position from which bytes are missing."""
        return self._taken

    def feed_socket(self, data: bytes) -> None:
        """Take bytes from the socket, leaving out those that the outbox has already given."""
        start = self._socket_position
        self._socket_position += len(data)
        self._feed(data[max(0, self._taken - start) :])

    def feed_outbox(self, data: bytes) -> None:
        """Take bytes from the outbox that begin at `position`."""
        self._feed(data)

    def next(self) -> Message | None:
        """The next whole message, or None."""
        if not self._lines:
            return None
        return parse_message(self._lines.popleft())

    def _feed(self, data: bytes) -> None:
        self._taken += len(data)
        if b"\n" in data:
            *lines, rest = (bytes(self._rest) + data).split(b"\n")
            self._lines.extend(without_passed_starts(lines))
            self._rest = bytearray(rest)
        elif len(self._rest) + len(data) > LONGEST_LINE_BYTES:
            self._rest.clear()
        else:
            self._rest += data


def without_passed_starts(lines: list[bytes]) -> Iterator[bytes]:
    """Leave out the start of each test whose result is here already: nobody needs to know that it runs."""
    for line, following in zip_longest(lines, lines[1:], fillvalue=b""):
        if not (line.startswith(START) and following.startswith(RESULT)):
            yield line


def parse_message(line: bytes) -> Message:
    """The message in one line; a `log` message that says so when it is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and isinstance(value.get("say"), str):
        return value
    return {"say": "log", "level": "error", "text": f"the harness sent a line that is no message: {line[:200]!r}"}
