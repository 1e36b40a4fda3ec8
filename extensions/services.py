"""Services of a suite: what its tests need beside them, such as a database.

One container of each beside every worker that may run the suite; in Kubernetes, a sidecar.
"""

from __future__ import annotations

from extensions.kubernetes_kinds import owner
from pipeline.settings import kinds
from pipeline.settings.collected import texts, variables
from pipeline.settings.container import Container
from pipeline.settings.cores import cores
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

    user = setting(kinds.Optional(owner), "off")
    """User and group by number that it runs as. "off": the image's own user in a container; in a pod the worker's, for pods run
    nothing as root."""

    cpus = setting(kinds.Optional(cores), "off")
    """How many processors it may use. "off": in a container as many as there are, in a pod 1, of which 0.1 is kept for it."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """How much memory it may use. "off": in a container all, in a pod 512 MiB."""


class Services(Container[ServiceSettings]):
    """The services by name."""

    element = ServiceSettings
