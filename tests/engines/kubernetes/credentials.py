"""Who may do what in a cluster: certificates signed by its own authority, and kubeconfig files."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from attrs import frozen

from tests.engines import places
from tests.engines.certificates import Certificates, make_authority, signed
from tests.engines.kubernetes.network import Wiring


@frozen(kw_only=True)
class Credentials:
    """Certificates of a cluster, made when they are first asked for."""

    folder: Path

    @property
    def ca(self) -> Path:
        """What all clients trust, and what all clients are signed by."""
        with places.locked(self.folder):
            return make_authority(self.folder).ca

    def server(self, wiring: Wiring) -> Certificates:
        """What the API server shows, valid at all its addresses."""
        addresses = ("127.0.0.1", wiring.machine, wiring.api_service)
        hosts = ("localhost", "kubernetes.default.svc")
        names = ",".join([*(f"IP:{address}" for address in addresses), *(f"DNS:{host}" for host in hosts)])
        place = self.folder / f"server-{wiring.number}"
        return self._signed(place, "/CN=kube-apiserver", f"subjectAltName={names}")

    def service_accounts(self) -> Certificates:
        """The key that signs tokens of service accounts."""
        return self._signed(self.folder / "service-accounts", "/CN=service-accounts")

    def client(self, name: str, group: str | None = None) -> Certificates:
        """What a user shows; the group `system:masters` may do everything."""
        subject = (f"/O={group}" if group else "") + f"/CN={name}"
        return self._signed(self.folder / name.replace(":", "-"), subject)

    def _signed(self, place: Path, subject: str, names: str = "") -> Certificates:
        with places.locked(self.folder):  # Parts are started at once.
            return signed(make_authority(self.folder), place, subject=subject, names=names)


def write_kubeconfig(place: Path, url: str, user: Certificates, namespace: str = "default") -> Path:
    """A kubeconfig for a user with a certificate."""
    shown = {"client-certificate-data": _base64(user.certificate), "client-key-data": _base64(user.key)}
    return _write(place, url, user.ca, shown, namespace)


def write_token_kubeconfig(place: Path, url: str, ca: Path, token: str, namespace: str) -> Path:
    """A kubeconfig for a service account."""
    return _write(place, url, ca, {"token": token}, namespace)


def _write(place: Path, url: str, ca: Path, user: dict[str, Any], namespace: str) -> Path:
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": url, "certificate-authority-data": _base64(ca)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user", "namespace": namespace}}],
        "current-context": "tests",
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(told, indent=1), "utf-8")  # JSON is YAML.
    place.chmod(0o600)
    return place


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode("ascii")
