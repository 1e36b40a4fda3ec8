"""A token server for a registry, run as a program of its own: `python -I tokens.py ADDRESS CERTIFICATES LIFETIME`.

It gives tokens as distribution's docs/spec/auth/token.md and jwt.md describe, signed by openssl, to the user who knows the password.
It stands alone: the standard library and nothing of ours.
"""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ISSUER, SERVICE = "doit-fleet tests", "registry of tests"


def access(scopes: list[str]) -> list[dict[str, Any]]:
    """What the scopes ask for, `repository:NAME:ACTION,…` each; all of it is granted."""
    asked = [scope.split(":") for told in scopes for scope in told.split()]
    return [{"type": kind, "name": ":".join(name), "actions": actions.split(",")} for kind, *name, actions in asked]


def token(certificates: Path, user: str, service: str, scopes: list[str], lifetime: int) -> str:
    """A JWT signed with the server's key, which the CA vouches for."""
    pem = (certificates / "server.pem").read_text("ascii")
    chain = [base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()]
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": user,
        "aud": service,
        "iat": now,
        "nbf": now - 5,
        "exp": now + lifetime,
        "jti": uuid.uuid4().hex,
        "access": access(scopes),
    }
    parts = [_encoded(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "RS256", "x5c": chain}, claims)]
    argv = ["openssl", "dgst", "-sha256", "-sign", str(certificates / "server.key")]
    signature = subprocess.run(argv, input=".".join(parts).encode(), capture_output=True, check=True).stdout
    return ".".join([*parts, _encoded(signature)])


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    """GET /token?service=…&scope=… with Basic credentials."""

    protocol_version = "HTTP/1.1"
    certificates: Path
    lifetime: int
    credentials: str
    """`user:password`."""

    def do_GET(self) -> None:
        """A token, or 401."""
        given = self.headers.get("Authorization", "")
        known = f"Basic {base64.b64encode(self.credentials.encode()).decode()}"
        if given != known:
            self._answer(401, {"details": "wrong user or password"})
            return
        asked = parse_qs(urlsplit(self.path).query)
        user = self.credentials.partition(":")[0]
        made = token(self.certificates, user, asked.get("service", [SERVICE])[0], asked.get("scope", []), self.lifetime)
        issued = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._answer(200, {"token": made, "access_token": made, "expires_in": self.lifetime, "issued_at": issued})

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(address: str, certificates: str, lifetime: str) -> None:
    """Serve until killed; `credentials` beside the certificates holds `user:password`."""
    Handler.certificates, Handler.lifetime = Path(certificates), int(lifetime)
    Handler.credentials = (Path(certificates).parent / "credentials").read_text("utf-8").strip()
    host, _, port = address.rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(certificates) / "server.pem", Path(certificates) / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
