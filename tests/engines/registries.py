"""Registries: CNCF distribution, one process each. Plain; with TLS and a password; with TLS and tokens."""

from __future__ import annotations

import http.client
import json
import ssl
from pathlib import Path
from typing import Any

from tests.engines.binaries import build
from tests.engines.certificates import Certificates, make_certificates
from tests.engines.engine import ListeningEngine
from tests.engines.ports import LOOPBACK
from tests.engines.processes import spawn
from tests.engines.records import Record, recall

USER, PASSWORD = "fleet", "only for tests"
HASH = "$2b$05$LQfWHYYATVoMGzxhnjoTR.3XYWb/aBjNY96h8gSkr9DlR5H3smH/u"
"""bcrypt of PASSWORD: the only kind the registry knows, and none that Python's library makes."""


class PlainRegistry(ListeningEngine):
    """HTTP on loopback, which Docker and containerd accept; manifests and blobs may be deleted."""

    name = "registry"
    usual_port = 15000
    scheme = "http"

    def __init__(self, folder: Path | None = None, *, storage: Path | None = None) -> None:
        super().__init__(folder)
        self.storage = storage or self.folder / "storage"
        """Where blobs are; a small file system makes a registry that fills up."""

    @property
    def address(self) -> str:
        """Host and port, as in an image's name."""
        return str(self.facts["address"])

    def launch(self) -> Record:
        """Start the registry where it was before, else at the usual port."""
        program = build("registry")
        port = self.port()
        config = self.folder / "config.yml"
        config.write_text(json.dumps(self.config(port)), "utf-8")  # JSON is YAML.
        who = spawn([str(program), "serve", str(config)], self.log, {"OTEL_TRACES_EXPORTER": "none"})
        return Record(processes=(who,), facts={"address": f"{LOOPBACK}:{port}", "port": port, **self.more_facts()})

    def config(self, port: int) -> dict[str, Any]:
        """Configuration as in distribution's docs/configuration.md."""
        return {
            "version": "0.1",
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}, "delete": {"enabled": True}},
            "http": {"addr": f"{LOOPBACK}:{port}", "secret": "of tests"},
        }

    def more_facts(self) -> dict[str, Any]:
        """What clients of this kind must know besides."""
        return {}

    def is_healthy(self) -> bool:
        """Whether its API answers, be it to ask who we are."""
        return self.ask("/v2/") in (200, 401)

    def ask(self, path: str) -> int | None:
        """The status of a GET without credentials, or None."""
        found = recall(self.folder)
        if found is None:
            return None
        connection = self._connection(int(found.facts["port"]))
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _connection(self, port: int) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(LOOPBACK, port, timeout=5)


class SecureRegistry(PlainRegistry):
    """HTTPS by a CA of its own, and a password."""

    name = "secure-registry"
    usual_port = 15443

    @property
    def certificates(self) -> Certificates:
        """Its CA and what it shows; made once."""
        return make_certificates(self.folder / "certificates")

    def config(self, port: int) -> dict[str, Any]:
        """The same with TLS and a password file."""
        passwords = self.folder / "htpasswd"
        passwords.write_text(f"{USER}:{HASH}\n", "utf-8")
        plain = super().config(port)
        tls = {"certificate": str(self.certificates.certificate), "key": str(self.certificates.key)}
        auth = {"htpasswd": {"realm": "tests", "path": str(passwords)}}
        return {**plain, "http": {**plain["http"], "tls": tls}, "auth": auth}

    def more_facts(self) -> dict[str, Any]:
        """CA, user and password."""
        return {"ca_file": str(self.certificates.ca), "user": USER, "password": PASSWORD}

    def _connection(self, port: int) -> http.client.HTTPConnection:
        context = ssl.create_default_context(cafile=self.certificates.ca)
        return http.client.HTTPSConnection(LOOPBACK, port, timeout=5, context=context)
