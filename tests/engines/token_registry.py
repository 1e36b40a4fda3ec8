"""A registry that asks for tokens, and the token server they come from: two processes, one engine."""

from __future__ import annotations

import http.client
import ssl
import sys
from pathlib import Path
from typing import Any

from tests.engines import ports, tokens
from tests.engines.ports import LOOPBACK
from tests.engines.processes import end, spawn
from tests.engines.records import Record, recall
from tests.engines.registries import PASSWORD, USER, SecureRegistry

USUAL_TOKEN_PORT = 15445
LIFETIME_SECONDS = 300
"""The registry itself forgives a token that ended less than 60 s ago."""


class TokenRegistry(SecureRegistry):
    """HTTPS; 401 names the token server, which gives tokens for user and password."""

    name = "token-registry"
    usual_port = 15444

    def __init__(
        self, folder: Path | None = None, *, storage: Path | None = None, lifetime_seconds: int = LIFETIME_SECONDS
    ) -> None:
        super().__init__(folder, storage=storage)
        self.lifetime_seconds = lifetime_seconds

    def launch(self) -> Record:
        """Start the token server and then the registry that trusts it."""
        port = self._token_port()
        (self.folder / "credentials").write_text(f"{USER}:{PASSWORD}", "utf-8")
        argv = [sys.executable, "-I", tokens.__file__, f"{LOOPBACK}:{port}", str(self.certificates.ca.parent)]
        server = spawn([*argv, str(self.lifetime_seconds)], self.log)
        self._realm_port = port
        try:
            made = super().launch()
        except BaseException:
            end(server, self.stop_seconds)
            raise
        facts = {**made.facts, "token_port": port, "realm": self._realm()}
        return Record(processes=(server, *made.processes), facts=facts)

    def config(self, port: int) -> dict[str, Any]:
        """The secure registry's with tokens for a password."""
        told = {
            "realm": self._realm(),
            "service": tokens.SERVICE,
            "issuer": tokens.ISSUER,
            "rootcertbundle": str(self.certificates.ca),
        }
        return {**super().config(port), "auth": {"token": told}}

    def is_healthy(self) -> bool:
        """Whether both answer."""
        found = recall(self.folder)
        if found is None or not super().is_healthy():
            return False
        context = ssl.create_default_context(cafile=self.certificates.ca)
        port = int(found.facts["token_port"])
        connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=5, context=context)
        try:
            connection.request("GET", "/token")
            return connection.getresponse().status == 401
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _realm(self) -> str:
        return f"https://{LOOPBACK}:{self._realm_port}/token"

    def _token_port(self) -> int:
        before = recall(self.folder)
        if before and ports.is_free(before.facts["token_port"]):
            return int(before.facts["token_port"])
        return ports.choose("token-server", USUAL_TOKEN_PORT) if self.is_shared else ports.any_free()
