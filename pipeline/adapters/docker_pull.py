"""Bring an image to a Docker daemon, patiently: a registry that is down may come back, one that refuses will not."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from pipeline.adapters.docker_errors import docker_in_use, hint_of, may_pass
from pipeline.adapters.registry_credentials import Credentials
from pipeline.errors import EngineError

PATIENCE_SECONDS = 60.0
FIRST_WAIT_SECONDS = 0.5


def login_at(credentials: Mapping[str, Credentials], reference: str) -> dict[str, str] | None:
    """What the daemon is told of us for a registry; None: what docker's own configuration says."""
    known = credentials.get(reference.partition("/")[0])
    return {"username": known.username, "password": known.password} if known else None


def pull_image(
    client: Any,
    host: str,
    reference: str,
    *,
    login: dict[str, str] | None = None,
    platform: str = "",
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Pull by tag or digest. Raises `EngineError` with the last reason."""
    until, wait = time.monotonic() + patience_seconds, FIRST_WAIT_SECONDS
    while True:
        reason = _try(client, host, reference, login, platform)
        if not reason:
            return
        if not may_pass(reason) or time.monotonic() + wait > until:
            hint = hint_of(reason) or "is the registry up, and can the daemon reach it?"
            raise EngineError(f"image {reference!r} cannot be pulled: {reason}", hint=hint)
        time.sleep(wait)
        wait *= 2


def _try(client: Any, host: str, reference: str, login: dict[str, str] | None, platform: str) -> str:
    """Why it failed; empty: it is there."""
    from docker.errors import APIError

    repository, _, digest = reference.partition("@")
    tag = digest or None
    if not digest and ":" in repository.rpartition("/")[2]:
        repository, _, tag = repository.rpartition(":")
    with docker_in_use(f"pulling {reference!r}", host):
        try:
            for line in client.pull(
                repository, tag=tag or "latest", stream=True, decode=True, auth_config=login, platform=platform or None
            ):
                if "error" in line:
                    return str(line["error"])
        except APIError as error:
            return str(error.explanation or error)
    return ""
