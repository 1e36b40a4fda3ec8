"""The Kubernetes API as plain dictionaries, for the tests' own needs; one connection a request, no dependency."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from typing import Any

from attrs import frozen

from tests.engines.certificates import Certificates
from tests.engines.errors import EngineTrouble
from tests.engines.ports import LOOPBACK

POLL_SECONDS = 0.1
REFUSED = (OSError, http.client.HTTPException, ValueError)


@frozen(kw_only=True)
class Api:
    """A client with an administrator's certificate."""

    port: int
    user: Certificates
    seconds: float = 10

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, bytes]:
        """Status and body. Raises OSError and http.client.HTTPException when nobody answers."""
        context = ssl.create_default_context(cafile=self.user.ca)
        context.load_cert_chain(self.user.certificate, self.user.key)
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, timeout=self.seconds, context=context)
        try:
            told = None if body is None else json.dumps(body)
            connection.request(method, path, told, {"Content-Type": kind, "Accept": "application/json, */*"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ready(self) -> bool:
        """Whether the server says that it can serve."""
        try:
            return self.ask("GET", "/readyz")[0] == 200
        except REFUSED:
            return False

    def get(self, path: str) -> dict[str, Any]:
        """An object or a list."""
        return self._told("GET", path)

    def find(self, path: str) -> dict[str, Any] | None:
        """An object, if it is there."""
        status, answer = self.ask("GET", path)
        return None if status == 404 else self._read("GET", path, status, answer)

    def text(self, path: str) -> str:
        """A log."""
        status, answer = self.ask("GET", path)
        if status != 200:
            self._read("GET", path, status, answer)
        return answer.decode("utf-8", "replace")

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The object as it was stored."""
        return self._told("POST", path, body)

    def merge(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Change some fields (a merge patch)."""
        return self._told("PATCH", path, body, "application/merge-patch+json")

    def delete(self, path: str, **options: Any) -> None:
        """Delete an object or a collection; nothing happens when it is not there."""
        status, answer = self.ask("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})
        if status != 404:
            self._read("DELETE", path, status, answer)

    def _told(
        self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        return self._read(method, path, *self.ask(method, path, body, kind))

    def _read(self, method: str, path: str, status: int, answer: bytes) -> dict[str, Any]:
        if status >= 300:
            raise EngineTrouble(f"{method} {path}: {status} {_message(answer)}", "see the API server's log")
        found: dict[str, Any] = json.loads(answer)
        return found


def _message(answer: bytes) -> str:
    """Of a Status, else the beginning of whatever was said."""
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return repr(answer[:500])


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time; an API server that is away for a moment is no reason to end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except REFUSED:
            pass
        time.sleep(POLL_SECONDS)
    return False
