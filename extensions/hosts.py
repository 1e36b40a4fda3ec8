"""Hosts whose slots run tests by ssh, by name; what is not said of one comes from `ssh`.

How to log in, over which hosts, with which key is the business of OpenSSH's own configuration.
"""

from __future__ import annotations

from extensions.places import Placed
from pipeline.settings import kinds
from pipeline.settings.collected import interpreters, texts, variables
from pipeline.settings.container import Container
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class HostDefaults(Extension):
    """What can be said for all hosts at once, and of each."""

    slots = setting(kinds.count, "auto")
    """How many tests run there at once; one for each queue, where the host has named ones. "auto": as many as fit beside what runs there
    now; docs/placement.md says what is counted."""

    python = setting(interpreters, ())
    """The interpreter of the tests there: a path (`~` is the home there, a relative one starts in the project's folder), or a name;
    of several, the first that exists. It must have the project's dependencies. Empty: the suite's interpreter, where it lies at
    the same path there, else `python3`."""

    folder = setting(kinds.text, "")
    """Folder on the host for everything of ours: the project's files, logs, what is kept by digest. Empty: `doit-fleet/host` in the
    login's cache folder."""

    env = setting(variables, {})
    """Environment variables of the tests there, on top of what a login has."""

    images = setting(texts, ())
    """Container images that the tests there need: pulled before any test where the host does not have them."""

    images_program = setting(kinds.text, "docker")
    """What pulls them: `docker`, `podman`."""

    before = setting(texts, ())
    """Shell commands that run there once before any test, in the project's folder: installing dependencies, pulling images."""

    before_timeout_seconds = setting(kinds.duration, "30m")
    """How long each of them may take."""

    after = setting(texts, ())
    """Shell commands that run there once at the end, however that came: also when the connection was lost. Each may take two
    minutes."""


def named_so(host: Extension) -> str:
    """the host's name here"""
    return host.scope.path[-1]


class Host(HostDefaults, Placed):
    """One host."""

    address = setting(kinds.text, named_so)
    """A name that ssh knows: of its configuration, of DNS, or an IP address. `:` is this machine, without ssh."""

    user = setting(kinds.text, "")
    """Who logs in. Empty: as ssh's configuration says."""

    port = setting(kinds.whole, 0)
    """Where sshd listens. 0: as ssh's configuration says."""

    def parent(self) -> Extension:
        """Return the defaults of all hosts."""
        ssh: Extension = self.scope.fleet.ssh
        return ssh


class Hosts(Container[Host]):
    """The hosts by name. Those of `ssh.hosts_file` come behind them."""

    element = Host
