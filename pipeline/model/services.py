"""A service that tests need beside them, as a plain value: what a sidecar is in Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class Service:
    """One container beside each worker that may run the suite; tests reach it on localhost and by its name."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    """Empty: the image's own."""
    environment: Mapping[str, str] = field(factory=dict)
    ready: tuple[str, ...] = ()
    """A command run in it until it ends with status 0; empty: it is ready when it runs."""
    ready_timeout_seconds: float = 60.0
    user: str = ""
    """`uid` or `uid:gid` that it runs as. Empty: the image's own user in a container, the worker's in a pod."""
    cpus: float | None = None
    memory_bytes: int | None = None
    """Hard limits."""
