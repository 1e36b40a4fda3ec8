"""Where a registry answers, and where it may send us.

Redirects are a way to make a build agent ask its own network: https://owasp.org/www-community/attacks/Server_Side_Request_Forgery.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urljoin, urlsplit

from pipeline.errors import EngineError, UsageError

DOCKER_HUB_SERVER: Final = "registry-1.docker.io"


def split_repository(repository: str) -> tuple[str, str]:
    """Host and path of `host[:port]/path`. Raises `UsageError`."""
    host, slash, path = repository.partition("/")
    if not slash or not path:
        raise UsageError(f"{repository!r} is no repository", hint="write host:port/path")
    return host, path


def followed(address: str, location: str) -> str:
    """Where a `Location` leads from an address. Raises `EngineError` for places that a registry may not send us to.

    Those are: another scheme than HTTP, plain HTTP instead of HTTPS, and another host given as a private address.
    """
    here, target = urlsplit(address), urljoin(address, location)
    there = urlsplit(target)
    if there.scheme not in ("http", "https") or not there.hostname or there.username is not None:
        raise EngineError(f"registry {here.netloc!r} sends us to {location[:200]!r}, which is no address of a registry")
    if (here.scheme, there.scheme) == ("https", "http"):
        raise EngineError(
            f"registry {here.netloc!r} sends us from HTTPS to plain HTTP at {there.netloc!r}",
            hint="tell the registry its outside address (for distribution: http.host)",
        )
    if (
        there.hostname != here.hostname
        and _is_private(there.hostname)
        and not _both_here(here.hostname, there.hostname)
    ):
        raise EngineError(
            f"registry {here.netloc!r} sends us to the private address {there.netloc!r}, which is refused",
            hint="let the registry name that server by its host name",
        )
    return target


def is_same_server(one: str, other: str) -> bool:
    """Whether two addresses have scheme, host and port in common."""
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def is_loopback(name: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and address.is_loopback


def _both_here(one: str | None, other: str | None) -> bool:
    return is_loopback(one or "") and is_loopback(other or "")


def _is_private(name: str) -> bool:
    address = _address(name)
    return is_loopback(name) or (address is not None and not address.is_global)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
