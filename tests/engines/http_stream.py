"""HTTP/1.1 messages on a stream, kept byte for byte: heads, and bodies by length, in chunks or until the end (RFC 9112)."""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader
from collections.abc import AsyncIterator

from attrs import frozen

PIECE = 1 << 16
BODILESS = (204, 304)


@frozen(kw_only=True)
class Head:
    """First line and header fields."""

    lines: tuple[bytes, ...]

    @property
    def words(self) -> list[str]:
        """The first line's."""
        return self.lines[0].decode("latin-1").split(" ", 2)

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.words[1])

    def field(self, name: str) -> str:
        """A header field's value in lower case; empty when it is not there."""
        for line in self.lines[1:]:
            found, _, value = line.decode("latin-1").partition(":")
            if found.strip().lower() == name:
                return value.strip().lower()
        return ""

    def without(self, name: str) -> Head:
        """The same less one field."""
        return Head(lines=tuple(line for line in self.lines if not line.lower().startswith(f"{name}:".encode())))

    def encoded(self) -> bytes:
        """As it goes over the wire."""
        return b"\r\n".join([*self.lines, b"", b""])


async def read_head(reader: StreamReader) -> Head | None:
    """The next message's head; None at the end of the stream. Raises IncompleteReadError when it ends in the middle."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except IncompleteReadError as error:
        if not error.partial:
            return None
        raise
    return Head(lines=tuple(raw[:-4].split(b"\r\n")))


def read_request_body(reader: StreamReader, head: Head) -> AsyncIterator[bytes]:
    """The body that follows this request's head, in pieces."""
    return _chunks(reader) if "chunked" in head.field("transfer-encoding") else _exactly(reader, _length(head) or 0)


def read_answer_body(reader: StreamReader, head: Head, method: str) -> AsyncIterator[bytes]:
    """The body that follows this answer's head, in pieces."""
    if method == "HEAD" or head.status in BODILESS:
        return _exactly(reader, 0)
    if "chunked" in head.field("transfer-encoding"):
        return _chunks(reader)
    length = _length(head)
    return read_rest(reader) if length is None else _exactly(reader, length)


async def read_rest(reader: StreamReader) -> AsyncIterator[bytes]:
    """All until the stream ends."""
    while piece := await reader.read(PIECE):
        yield piece


def _length(head: Head) -> int | None:
    told = head.field("content-length")
    return int(told) if told else None


async def _exactly(reader: StreamReader, length: int) -> AsyncIterator[bytes]:
    while length:
        piece = await reader.read(min(length, PIECE))
        if not piece:
            raise IncompleteReadError(b"", length)
        length -= len(piece)
        yield piece


async def _chunks(reader: StreamReader) -> AsyncIterator[bytes]:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        yield line
        if not size:
            break
        async for piece in _exactly(reader, size + 2):
            yield piece
    while True:
        line = await reader.readuntil(b"\r\n")
        yield line
        if line == b"\r\n":
            return
