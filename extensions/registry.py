"""The registry: where the images of runs are pushed to, and who says so.

Credentials are docker's own (`docker login`, credential helpers) unless given here. Reads nothing, asks nobody.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.secret_kind import secret_name


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
