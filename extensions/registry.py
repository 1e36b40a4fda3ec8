"""The registry: where the images of runs are pushed to, and who says so.

Credentials are docker's own (`docker login`, credential helpers) unless given here. Reads nothing, asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.secret_kind import secret_name

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.adapters.registry_credentials import Credentials


class Registry(Extension):
    """The registry that images are pushed to."""

    url = setting(kinds.text, "")
    """Host, port and repository of the images, like `registry.acme.net:5000/ci/shop`; `{project}` stands for the project's
    name. Needed by launchers that run images."""

    ca_file = setting(kinds.Optional(kinds.path), "off")
    """Certificates of the authority that signed the registry's, as PEM. "off": those that the system trusts."""

    insecure = setting(kinds.boolean, False)
    """Whether plain HTTP is spoken to registries on other machines. On this machine it always may be."""

    connections = setting(kinds.whole, 8)
    """How many requests may be under way at once."""

    username = setting(kinds.text, "")
    """Who we are at the registry. Empty: what docker's configuration says (`docker login`, `credHelpers`, `credsStore`)."""

    password = setting(secret_name, None)
    """The password or token of `username`, by the name of its secret."""


def repository_in(fleet: Fleet) -> str:
    """`host:port/name` of the project's images. Raises `UsageError` when it is not set or cannot be."""
    from pipeline.logic.repositories import repository_of

    return repository_of(fleet.registry.url.get(), fleet.project.name.get())


def credentials_of(fleet: Fleet) -> Mapping[str, Credentials]:
    """Those that the settings name, by the registry's host; none: docker's own count. Raises `UsageError`."""
    from pipeline.adapters.registry_credentials import Credentials

    user, secret = fleet.registry.username.get(), fleet.registry.password.get()
    if not user and secret is None:
        return {}
    if not user or secret is None:
        missing = "password" if user else "username"
        raise UsageError(f"setting 'registry.{missing}' is missing: username and password belong together")
    password = secret.reveal(fleet.environment, fleet.home)
    host = repository_in(fleet).partition("/")[0]
    return {host: Credentials(username=user, password=password, source="the settings (registry.username)")}
