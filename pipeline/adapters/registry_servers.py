"""Which address a registry answers at: HTTPS always, but plain HTTP where that is allowed and nothing else is spoken."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

from pipeline.adapters.registry_addresses import DOCKER_HUB_SERVER, is_loopback
from pipeline.model.references import DOCKER_HUB

PROBE_SECONDS = 5.0


class Servers:
    """Base addresses by host. Plain HTTP is allowed for this machine, and for all when `insecure`."""

    def __init__(self, *, insecure: bool) -> None:
        self._insecure = insecure
        self._known = {DOCKER_HUB: f"https://{DOCKER_HUB_SERVER}"}

    def address(self, host: str) -> str:
        """`https://host:port` or `http://host:port`. Raises `OSError` when a host has to be asked and is not there."""
        if host not in self._known:
            name = urlsplit(f"//{host}").hostname or ""
            may_be_plain = self._insecure or is_loopback(name)
            self._known[host] = f"{'https' if not may_be_plain or _speaks_tls(host, name) else 'http'}://{host}"
        return self._known[host]


def _speaks_tls(host: str, name: str) -> bool:
    """Ask for a handshake; whom the certificate names does not matter here, each request checks that."""
    port = urlsplit(f"//{host}").port
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((name, port or 443), timeout=PROBE_SECONDS) as plain:
            try:
                context.wrap_socket(plain, server_hostname=name).close()
            except (ssl.SSLError, ConnectionError, TimeoutError):
                return False
    except OSError:
        if port is None:
            return False  # Nobody at HTTPS's own port; there may be somebody at HTTP's.
        raise
    return True
