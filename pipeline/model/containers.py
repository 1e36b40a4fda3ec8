"""Containers as values: what one is made from, and what is known of one that is there. Words of the Docker Engine API."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class ContainerSpec:
    """What a container is made from."""

    name: str
    image: str
    labels: Mapping[str, str] = field(factory=dict)
    command: tuple[str, ...] = ()
    """Empty: the image's own."""
    environment: Mapping[str, str] = field(factory=dict)
    user: str = ""
    cpus: float | None = None
    memory_bytes: int | None = None
    """A hard limit, swap included."""
    network: str = ""
    """A network's name, or `container:<id>`: that container's own. Empty: the daemon's default."""
    hosts: Mapping[str, str] = field(factory=dict)
    """Addresses by host name, added to /etc/hosts."""
    mounts: tuple[str, ...] = ()
    """`source:target[:ro]`, as for `docker run -v`."""
    volumes: tuple[str, ...] = ()
    """Folders with a volume of their own, which begins with what the image has there and goes with the container."""
    tmpfs: Mapping[str, str] = field(factory=dict)
    """Mount options by folder."""
    read_only: bool = False
    privileges: tuple[str, ...] = ()
    """Capabilities that it keeps; all others are dropped."""
    drops_privileges: bool = True
    """Whether capabilities are dropped and new privileges refused."""
    has_input: bool = False
    """Whether a line is sent to its standard input."""


@frozen(kw_only=True)
class ContainerState:
    """A container that is there."""

    id: str
    name: str
    labels: Mapping[str, str]
    status: str
    """`created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`."""
    code: int | None = None
    """Exit status, once it has ended."""
    out_of_memory: bool = False
    """Whether the kernel killed something in it for want of memory."""
    error: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether its runtime reports it terminated."""
        return self.status in ("exited", "dead")
