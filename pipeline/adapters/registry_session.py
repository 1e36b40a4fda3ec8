"""Connections that are kept and shared by threads. Follows nothing, remembers no cookies, tries nothing twice."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.adapters.registry_addresses import is_loopback
from pipeline.errors import UsageError

if TYPE_CHECKING:
    import requests


class Session:
    """At most `connections` at once are kept. `ca_file`: certificates of own authorities, in the stead of the usual ones."""

    def __init__(self, *, connections: int, ca_file: str, timeouts: tuple[float, float]) -> None:
        """`timeouts`: seconds to connect, and seconds without a byte."""
        self.connections = connections
        self.requests = 0
        """How many were sent, for measurements."""
        self._ca_file = ca_file
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._proxies: dict[str, Any] = {}

    def send(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | Iterable[bytes] | None
    ) -> requests.Response:
        """One request, one answer whose body is still to be read. Raises what `requests` raises."""
        session = self._connected()
        return session.request(
            method,
            address,
            headers=dict(headers),
            data=body,
            stream=True,
            allow_redirects=False,
            timeout=self._timeouts,
            proxies=self._proxies_for(address),
        )

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def _connected(self) -> requests.Session:
        with self._lock:
            self.requests += 1
            if self._session is None:
                self._session = self._made()
            return self._session

    def _made(self) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter

        session = requests.Session()
        session.trust_env = False  # No .netrc; proxies and authorities are looked up once, below.
        session.headers.clear()
        session.headers.update({"User-Agent": "doit-fleet", "Accept-Encoding": "identity", "Connection": "keep-alive"})
        session.cookies.set_policy(_no_cookies())
        adapter = HTTPAdapter(pool_connections=8, pool_maxsize=self.connections, max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.verify = self._authorities()
        return session

    def _authorities(self) -> str | bool:
        found = self._ca_file or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or ""
        if found and not os.path.isfile(found):
            raise UsageError(f"certificates {found!r} are not there", hint="see registry.ca_file")
        return found or True

    def _proxies_for(self, address: str) -> Any:
        from requests.utils import get_environ_proxies

        server = urlsplit(address)
        if server.netloc not in self._proxies:
            is_here = is_loopback(server.hostname or "")
            self._proxies[server.netloc] = {} if is_here else get_environ_proxies(address)
        return self._proxies[server.netloc]


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
