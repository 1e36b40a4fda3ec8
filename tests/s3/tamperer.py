"""Stands between an S3 client and its server, counts requests, and does to the next ones what a test says.

Fates: `lost` (the server acts, its answer is thrown away), `cut` (half of the answer), `refused` (the server hears
nothing), `late` (the answer comes after `LATE_SECONDS`), `generous` (412 becomes 200, as if conditions were ignored), or
bytes: that answer instead, the server hears nothing.
"""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.engines.certificates import Certificates

Fate = str | bytes | None
LATE_SECONDS = 5.0


def refusal(status: int, code: str) -> bytes:
    """An answer as S3 words it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>by a test</Message></Error>".encode()
    head = f"HTTP/1.1 {status} Trouble\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


class Tamperer:
    """`decide(method, path)` gives each request's fate; it may be set anew at any time, and is called in threads."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.decide: Callable[[str, str], Fate] = lambda method, path: None
        self.seen: list[tuple[str, str]] = []
        self.closing = threading.Event()
        self.url = ""

    def first(self, count: int, fate: Fate, *, method: str = "PUT") -> None:
        """Let that many of the coming requests of that method meet that fate."""
        left = [fate] * count
        lock = threading.Lock()

        def decide(asked: str, path: str) -> Fate:
            with lock:
                return left.pop() if asked == method and left else None

        self.decide = decide


@contextmanager
def tampering(upstream: str, certificates: Certificates | None = None) -> Iterator[Tamperer]:
    """A tamperer before that server, on a port of its own; behind TLS, if it has certificates."""
    tamperer = Tamperer(upstream)

    class Handler(BaseHTTPRequestHandler):
        """One connection, one request."""

        def do(self) -> None:
            """Pass the request on, or not."""
            length = int(self.headers.get("Content-Length") or 0)
            if self.headers.get("Expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self.rfile.read(length)
            tamperer.seen.append((self.command, self.path))
            fate = tamperer.decide(self.command, self.path)
            self.close_connection = True
            answer = fate if isinstance(fate, bytes) else b"" if fate == "refused" else self._ask(body)
            if fate == "late":
                tamperer.closing.wait(LATE_SECONDS)
            if fate == "generous" and answer.startswith(b"HTTP/1.1 412"):
                answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            if fate == "cut":
                answer = answer[: len(answer) // 2]
            self.wfile.write(b"" if fate in ("lost", "refused") else answer)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do

        def handle_expect_100(self) -> bool:
            """Said when the request is read."""
            return True

        def _ask(self, body: bytes) -> bytes:
            connection = http.client.HTTPConnection(tamperer.upstream, timeout=20)
            try:
                connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name != "Expect":
                        connection.putheader(name, value)
                connection.endheaders(body)
                return _as_bytes(connection.getresponse(), is_head=self.command == "HEAD")
            except OSError:
                return b""
            finally:
                connection.close()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            """A client that has gone is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        tamperer.url = f"{'https' if certificates else 'http'}://127.0.0.1:{server.server_port}"
        if certificates:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificates.certificate, certificates.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield tamperer
        finally:
            tamperer.closing.set()
            server.shutdown()
            thread.join()


def _as_bytes(answer: http.client.HTTPResponse, *, is_head: bool) -> bytes:
    body = answer.read()
    skipped = ("transfer-encoding", "connection", "content-length")
    lines = [f"{name}: {value}" for name, value in answer.getheaders() if name.lower() not in skipped]
    length = answer.getheader("Content-Length", "0") if is_head else str(len(body))
    head = [f"HTTP/1.1 {answer.status} {answer.reason}", *lines, f"Content-Length: {length}", "Connection: close"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body
