"""Services of a suite: what its tests need beside them, such as a database.

One container of each beside every worker that may run the suite; in Kubernetes, a sidecar.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.collected import texts, variables
from pipeline.settings.container import Container
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class ServiceSettings(Extension):
    """One service. Tests reach it on localhost and by its name, at the ports that its image listens on."""

    image = setting(kinds.text, "")
    """The image to run. Needed."""

    command = setting(texts, ())
    """What runs in it. Empty: the image's own."""

    environment = setting(variables, {})
    """Environment variables of its container, which anybody may read who may inspect it. Secrets are refused."""

    ready = setting(texts, ())
    """A command that is run in it again and again until it succeeds; then tests may start. Empty: at once."""

    ready_timeout_seconds = setting(kinds.duration, 60)
    """How long it may take to become ready."""


class Services(Container[ServiceSettings]):
    """The services by name."""

    element = ServiceSettings
