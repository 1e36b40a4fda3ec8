"""A part of a cluster: one process with a folder of its own below the cluster's. May be killed, paused, restarted like any engine."""

from __future__ import annotations

import http.client
import os
import ssl
from abc import abstractmethod
from pathlib import Path

from attrs import frozen

from tests.engines.binaries import build
from tests.engines.engine import ListeningEngine
from tests.engines.kubernetes.credentials import Credentials
from tests.engines.kubernetes.network import Wiring
from tests.engines.ports import LOOPBACK
from tests.engines.processes import spawn
from tests.engines.records import Record, recall

MODULE = "kubernetes"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@frozen(kw_only=True)
class Site:
    """What all parts of one cluster know."""

    folder: Path
    wiring: Wiring
    api_port: int
    etcd_port: int

    @property
    def credentials(self) -> Credentials:
        """Its certificates; they outlive the cluster's state."""
        return Credentials(folder=self.folder / "certificates")

    @property
    def url(self) -> str:
        """The API server on this machine."""
        return f"https://{LOOPBACK}:{self.api_port}"

    @property
    def far_url(self) -> str:
        """The API server as nodes reach it."""
        return f"https://{self.wiring.machine}:{self.api_port}"


class Part(ListeningEngine):
    """One process of a cluster."""

    program: str
    module = MODULE
    start_seconds = 60.0
    stop_seconds = 5.0
    health_path = "/healthz"
    scheme = "https"

    def __init__(self, site: Site, folder: Path | None = None) -> None:
        super().__init__(folder or site.folder / self.name)
        self.site = site

    @abstractmethod
    def arguments(self, port: int) -> list[str]:
        """Of its program."""

    def launch(self) -> Record:
        """Start the process."""
        port = self.port()
        argv = [*self.before(), str(build(self.program, self.module)), *self.arguments(port)]
        environment = {"PATH": os.environ.get("PATH", "") + ":" + PATH, "HOME": str(self.folder)}
        return Record(
            processes=(spawn(argv, self.log, environment),), facts={"port": port, "address": f"{self.host()}:{port}"}
        )

    def before(self) -> tuple[str, ...]:
        """What the program is started by."""
        return ()

    def host(self) -> str:
        """Where its health is asked."""
        return LOOPBACK

    def is_healthy(self) -> bool:
        """Whether it says so."""
        found = recall(self.folder)
        return found is not None and self._asked(int(found.facts["port"]))

    def _asked(self, port: int) -> bool:
        plain = self.scheme == "http"
        connection = (
            http.client.HTTPConnection(self.host(), port, timeout=5)
            if plain
            else http.client.HTTPSConnection(self.host(), port, timeout=5, context=_trusting())
        )
        try:
            connection.request("GET", self.health_path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _trusting() -> ssl.SSLContext:
    """Programs make certificates of their own for the ports where they tell their health."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
