"""Where the Docker daemon is, and a client for it: a setting, `DOCKER_HOST`, or docker's current context."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from pipeline.adapters.docker_errors import docker_in_use

CONNECTIONS = 32
"""Requests under way at once to one daemon."""
ANSWER_SECONDS = 60.0


def daemon_host(setting: str = "") -> str:
    """The daemon's address: `unix:///…`, `tcp://…` or `ssh://…`."""
    from docker.constants import DEFAULT_UNIX_SOCKET
    from docker.context import ContextAPI

    if setting or os.environ.get("DOCKER_HOST"):
        return setting or os.environ["DOCKER_HOST"]
    with docker_in_use("reading docker's contexts", "the current context"):
        context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
    host = str(context.Host) if context is not None else DEFAULT_UNIX_SOCKET
    return host.replace("http+unix://", "unix://")


def is_remote(host: str) -> bool:
    """Whether that daemon sees another machine's folders."""
    parts = urlsplit(host)
    return parts.scheme not in ("unix", "npipe", "http+unix") and parts.hostname not in (
        "127.0.0.1",
        "localhost",
        "::1",
    )


def client_of(host: str) -> Any:
    """The client for that address; safe to call from several threads, to be closed in the end."""
    import docker

    with docker_in_use("connecting", host):
        tls = None
        if not host.startswith(("unix://", "ssh://")):
            from docker.utils import kwargs_from_env

            tls = kwargs_from_env().get("tls")
        return docker.APIClient(
            base_url=host, version="auto", tls=tls or False, num_pools=CONNECTIONS, timeout=int(ANSWER_SECONDS)
        )
