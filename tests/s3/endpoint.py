"""Where containers and roles get their credentials from: a container's endpoint and STS in one, on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field

AUTHORIZATION = "let me in"
ROLE = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials>{}</Credentials></AssumeRoleResult></AssumeRoleResponse>"""


@define
class Endpoint:
    """What a container asks for its credentials."""

    access_key: str
    secret_key: str
    lives_seconds: float = 3600.0
    token: str = "token-{}"
    url: str = ""
    refused: list[str] = field(factory=list)
    roles: list[str] = field(factory=list)
    """What STS was asked."""
    given: int = 0

    def answer(self, authorization: str) -> dict[str, str] | None:
        """New credentials, for whoever may have them."""
        if authorization != AUTHORIZATION:
            self.refused.append(authorization)
            return None
        self.given += 1
        until = datetime.fromtimestamp(time.time() + self.lives_seconds, UTC)
        return {
            "AccessKeyId": self.access_key,
            "SecretAccessKey": self.secret_key,
            "Token": self.token.format(self.given),
            "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a container is told of it."""
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": AUTHORIZATION}


@contextmanager
def giving(told: Endpoint) -> Iterator[Endpoint]:
    """Let it answer, at its `url`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Give a container's credentials, or not."""
            answer = told.answer(self.headers.get("Authorization", ""))
            self._say(200 if answer else 403, json.dumps(answer))

        def do_POST(self) -> None:
            """Give a role's, as STS does."""
            told.roles.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            answer = told.answer(AUTHORIZATION) or {}
            fields = {**answer, "SessionToken": answer.pop("Token")}
            lines = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
            self._say(200, ROLE.format(lines))

        def _say(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        told.url = f"http://127.0.0.1:{server.server_port}/role"
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
