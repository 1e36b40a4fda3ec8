"""A package index on loopback that counts what it is asked, and can be told to misbehave."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Index:
    """Files of a folder by the simple repository API."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.requests: list[str] = []
        self.form = "json"
        self.names_digests = True
        self.password = ""
        self.failures = 0
        """So many of the next requests are answered 503."""
        self.instead: dict[str, bytes] = {}
        """Content served in place of files."""

    @property
    def url(self) -> str:
        """For PIP_INDEX_URL."""
        return f"http://{self.address}/simple"

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        """Status, content type and body."""
        self.requests.append(path)
        if self.failures:
            self.failures -= 1
            return 503, "text/plain", b"busy"
        if self.password and authorization != "Basic " + base64.b64encode(self.password.encode()).decode():
            return 401, "text/plain", b"who are you?"
        kind, _, name = path.strip("/").partition("/")
        if kind == "files" and (self.folder / name).is_file():
            return 200, "application/octet-stream", self.instead.get(name, (self.folder / name).read_bytes())
        found = [
            one for one in sorted(self.folder.iterdir()) if one.name.lower().startswith(name.replace("-", "_") + "-")
        ]
        if kind != "simple" or not found:
            return 404, "text/plain", b"none"
        return 200, *self._page(found)

    def _page(self, found: list[Path]) -> tuple[str, bytes]:
        digests = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in found}
        if self.form == "json":
            files = [
                {
                    "filename": name,
                    "url": f"../../files/{name}",
                    "hashes": {"sha256": digest} if self.names_digests else {},
                }
                for name, digest in digests.items()
            ]
            return "application/vnd.pypi.simple.v1+json", json.dumps(
                {"meta": {"api-version": "1.0"}, "files": files}
            ).encode()
        links = [
            f'<a href="../../files/{name}{f"#sha256={digest}" if self.names_digests else ""}">{name}</a><br>'
            for name, digest in digests.items()
        ]
        return "text/html; charset=utf-8", ("<!DOCTYPE html><html><body>" + "".join(links) + "</body></html>").encode()


@contextmanager
def serving(folder: Path) -> Iterator[Index]:
    """Such an index, while inside."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = index.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index = Index(folder, f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
