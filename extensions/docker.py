"""Docker workers: containers of a Docker daemon, here or elsewhere.

What they run is `images`, where that comes from is `registry`, their size is the pool's.
"""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.collected import texts, variables
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Docker(Extension):
    """Settings of the launcher `docker`."""

    host = setting(kinds.text, "")
    """The daemon's address: `unix:///…`, `tcp://…` or `ssh://…`. Empty: as for `docker` itself, by `DOCKER_HOST` or the
    current context."""

    user = setting(kinds.text, "")
    """User and group that tests run as. Empty: the agent's own user with group 0; `images.user` where the agent is root."""

    network = setting(kinds.text, "")
    """The network that containers join, by name. Empty: the daemon's default."""

    mounts = setting(texts, ())
    """Folders that containers see, each `/source:/target`, or with `:ro`. The folder of the store is among them in any
    case, unless the daemon is on another machine."""

    privileges = setting(texts, ())
    """Capabilities that tests keep, like `NET_ADMIN`. All others are dropped, and no program may gain new ones."""

    environment = setting(variables, {})
    """Environment variables of the containers, which anybody may read who may inspect them. Secrets are refused: name them
    for a suite, in `env`."""

    read_only = setting(kinds.boolean, True)
    """Whether the image cannot be written. The project's folder and those for temporary files can be in any case."""
