"""A small proxy between a client and an engine that counts what passes and does what faults say.

It speaks HTTP/1.1 to any registry, S3 server or Docker daemon; what is not HTTP (TLS) passes as it is, and may be slow, held or cut.
It runs in a thread of the test; `Host` is kept, so signatures hold and redirects come back to it.
"""

from __future__ import annotations

import asyncio
import math
import re
import threading
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from tests.engines.faults import Answer, Corrupt, Cut, Fault, Hold, LostAnswer, Request, Rule, Slow
from tests.engines.http_stream import Head, read_answer_body, read_head, read_request_body, read_rest
from tests.engines.ports import LOOPBACK

HEAD_LIMIT = 1 << 20
PATIENCE_SECONDS = 30
"""A held request goes on at last, so that a broken test ends."""


class Broken(Exception):
    """This connection is to be dropped."""


class FaultProxy:
    """Listens on a port of loopback while it is entered."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        """`host:port` or `unix:///path`; may be changed at any time, for new connections."""
        self.port = 0
        self.requests: list[Request] = []
        """All that came, in order."""
        self._rules: list[Rule] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault proxy", daemon=True)
        self._connections: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(PATIENCE_SECONDS):
            raise TimeoutError("the fault proxy does not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for rule in self._rules:
            if isinstance(rule.fault, Hold):
                rule.fault.release()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)

    @property
    def address(self) -> str:
        """Host and port, to be named instead of the engine's."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """The same as an URL."""
        return f"http://{self.address}"

    def add(self, fault: Fault, *, method: str = ".*", path: str = "", times: float = math.inf, skip: int = 0) -> Fault:
        """Let the fault befall `times` requests whose method and path (with query) match these expressions, after the first `skip`.

        Of several rules that match, the one added first acts.
        """
        rule = Rule(fault=fault, method=re.compile(method), path=re.compile(path), left=times, skipped=skip)
        self._rules.append(rule)
        return fault

    def heal(self) -> None:
        """No more faults."""
        self._rules.clear()

    def break_connections(self) -> None:
        """Drop all connections there are, as a restarted router does."""
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._connections])

    def count(self, method: str = ".*", path: str = "") -> int:
        """How many requests came whose method and path match these expressions."""
        return len(self.select(method, path))

    def select(self, method: str = ".*", path: str = "") -> list[Request]:
        """The requests whose method and path match these expressions."""
        came = list(self.requests)
        return [found for found in came if re.fullmatch(method, found.method) and re.search(path, found.path)]

    @property
    def sent(self) -> int:
        """Bytes of bodies that went to the engine."""
        return sum(found.sent for found in list(self.requests))

    @property
    def received(self) -> int:
        """Bytes of bodies that came back to clients."""
        return sum(found.received for found in list(self.requests))

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accept, LOOPBACK, 0, limit=HEAD_LIMIT)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        left = list(self._connections)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.ensure_future(Connection(self, reader, writer).serve())
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    def arrived(self, method: str, path: str) -> Request:
        """A request with the fault that befalls it."""
        fault = next((rule.fault for rule in list(self._rules) if rule.takes(method, path)), None)
        came = Request(method=method, path=path, fault=fault)
        self.requests.append(came)
        return came


class Connection:
    """A client's connection, and one to the engine for it."""

    def __init__(self, proxy: FaultProxy, reader: StreamReader, writer: StreamWriter) -> None:
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.engine: tuple[StreamReader, StreamWriter] | None = None

    async def serve(self) -> None:
        """Request by request, until either side ends."""
        try:
            first = await self.reader.read(1)
            if first.isalpha():
                await self._speak_http(first)
            elif first:
                await self._pass_bytes(first)
        except (OSError, IncompleteReadError, Broken, asyncio.CancelledError):
            pass  # That is what a dropped connection is.
        finally:
            for writer in (self.writer, *((self.engine[1],) if self.engine else ())):
                writer.transport.abort()

    async def _speak_http(self, first: bytes) -> None:
        self.reader._buffer[:0] = first  # type: ignore[attr-defined] # StreamReader has no peek.
        while head := await read_head(self.reader):
            request = self.proxy.arrived(*head.words[:2])
            if await self._exchange(head, request):
                return

    async def _exchange(self, head: Head, request: Request) -> bool:
        """One request and its answer; true when the connection is over."""
        fault = request.fault
        await _wait(fault)
        if head.field("expect"):  # We take the body at once; the engine need not be asked first.
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = read_request_body(self.reader, head)
        if isinstance(fault, Answer):
            async for _ in body:
                pass
            await self._answer(fault, request)
            return False
        reader, writer = await self._engine()
        writer.write(head.without("expect").encoded())
        async for piece in _paced(body, fault):
            if isinstance(fault, Cut) and fault.request_bytes is not None:
                piece = piece[: fault.request_bytes - request.sent]
            request.sent += len(piece)
            writer.write(piece)
            await writer.drain()
            if isinstance(fault, Cut) and fault.request_bytes == request.sent:
                raise Broken
        await writer.drain()
        return await self._return(reader, request)

    async def _return(self, reader: StreamReader, request: Request) -> bool:
        """Pass the engine's answer on; true when the connection is over."""
        head = await read_head(reader)
        while head and 100 <= head.status < 200 and head.status != 101:
            head = await read_head(reader)
        if head is None:
            raise Broken
        if head.status == 101:
            self.writer.write(head.encoded())
            await self._pass_both_ways(request)
            return True
        body = read_answer_body(reader, head, request.method)
        if isinstance(request.fault, LostAnswer):
            async for _ in body:
                pass
            raise Broken
        request.status = head.status
        self.writer.write(head.encoded())
        await self._pass(body, self.writer, request)
        return head.field("connection") == "close"

    async def _pass(self, body: AsyncIterator[bytes], writer: StreamWriter, request: Request) -> None:
        """A body to the client, as the fault says."""
        fault = request.fault
        cut = fault.answer_bytes if isinstance(fault, Cut) and fault.request_bytes is None else None
        await writer.drain()
        if cut == 0:
            raise Broken
        async for piece in _paced(body, fault):
            if isinstance(fault, Corrupt) and not request.received:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
            if cut is not None:
                piece = piece[: cut - request.received]
            request.received += len(piece)  # Before the client can know.
            writer.write(piece)
            await writer.drain()
            if request.received == cut:
                raise Broken

    async def _answer(self, fault: Answer, request: Request) -> None:
        told = {"Content-Length": str(len(fault.body)), **fault.headers}
        fields = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        body = b"" if request.method == "HEAD" else fault.body
        request.status, request.received = fault.status, len(body)
        self.writer.write(f"HTTP/1.1 {fault.status} Fault\r\n{fields}\r\n".encode() + body)
        await self.writer.drain()

    async def _pass_bytes(self, first: bytes) -> None:
        request = self.proxy.arrived("TCP", "")
        await _wait(request.fault)
        _, writer = await self._engine()
        writer.write(first)
        await self._pass_both_ways(request)

    async def _pass_both_ways(self, request: Request) -> None:
        reader, writer = await self._engine()
        away = asyncio.ensure_future(self._pass_away(writer, request))
        try:
            await self._pass(read_rest(reader), self.writer, request)
        finally:
            away.cancel()
            await asyncio.gather(away, return_exceptions=True)

    async def _pass_away(self, writer: StreamWriter, request: Request) -> None:
        async for piece in _paced(read_rest(self.reader), request.fault):
            writer.write(piece)
            await writer.drain()
            request.sent += len(piece)
        if writer.can_write_eof():
            writer.write_eof()

    async def _engine(self) -> tuple[StreamReader, StreamWriter]:
        if self.engine is None:
            kind, _, path = self.proxy.upstream.partition("unix://")
            if path:
                self.engine = await asyncio.open_unix_connection(path, limit=HEAD_LIMIT)
            else:
                host, _, port = kind.rpartition(":")
                self.engine = await asyncio.open_connection(host, int(port), limit=HEAD_LIMIT)
        return self.engine


async def _wait(fault: Fault | None) -> None:
    if isinstance(fault, Slow):
        await asyncio.sleep(fault.delay_seconds)
    if isinstance(fault, Hold):
        fault.arrived.set()
        await asyncio.to_thread(fault.released.wait, PATIENCE_SECONDS)


async def _paced(body: AsyncIterator[bytes], fault: Fault | None) -> AsyncIterator[bytes]:
    """The same bytes, no faster than the fault allows."""
    speed = fault.bytes_per_second if isinstance(fault, Slow) else None
    async for piece in body:
        if speed is None:
            yield piece
            continue
        step = max(1, int(speed / 20))
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            await asyncio.sleep(len(part) / speed)
            yield part
