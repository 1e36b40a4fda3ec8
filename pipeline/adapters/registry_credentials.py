"""Who we are at a registry: own settings, else what `docker login` left, helpers and stores included.

Docker's own module reads `~/.docker/config.json` (or `$DOCKER_CONFIG`). Nothing here is ever logged or shown but the
user's name and where it came from.
"""

from __future__ import annotations

import base64
import warnings
from typing import Any

from attrs import field, frozen

from pipeline.errors import EngineError
from pipeline.model.references import DOCKER_HUB


@frozen(kw_only=True)
class Credentials:
    """A user name and password, or an identity token; both empty: nobody."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    source: str = "no credentials"
    """For people: where they came from."""

    @property
    def is_nobody(self) -> bool:
        """Whether there is nothing to show to a registry."""
        return not (self.username or self.identity_token)

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")

    def __str__(self) -> str:
        who = f"user {self.username!r} " if self.username else "an identity token " if self.identity_token else ""
        return f"{who}from {self.source}" if who else self.source


def credentials_for(host: str) -> Credentials:
    """What Docker's configuration holds for a registry; nobody when there is nothing.

    Raises `EngineError` when a credential helper fails.
    """
    from docker import auth
    from docker.errors import DockerException
    from docker.utils.config import find_config_file

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A helper that is not installed is an error below, told once.
            found: dict[str, Any] = auth.load_config().resolve_authconfig(host) or {}
    except (DockerException, ValueError) as error:
        raise EngineError(
            f"credentials for registry {host!r} cannot be read: {_short(error)}",
            hint=f"mend Docker's configuration, or run: docker login {host}",
        ) from error
    named = {key.lower(): value or "" for key, value in found.items()}
    if not named.get("username") and not named.get("identitytoken"):
        return Credentials(source=f"no credentials (there are none for {host} in Docker's configuration)")
    return Credentials(
        username=named.get("username", ""),
        password=named.get("password", ""),
        identity_token=named.get("identitytoken", ""),
        source=str(find_config_file() or "Docker's configuration"),
    )


def login_hint(host: str) -> str:
    """How a person gives credentials."""
    return f"run: docker login {'' if host == DOCKER_HUB else host}".rstrip()


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
