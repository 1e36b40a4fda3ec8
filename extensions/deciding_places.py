"""What the settings say of where tests run: what decides verdicts there, and what decides which tests run where.

Reaches nobody: what a host or a registry holds behind a name is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.deciding import digest
from pipeline.settings.container import Container
from pipeline.settings.extension import Extension
from pipeline.settings.secret import Secret

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.suites import Suite

WHICH = ("only", "no", "claims", "labels")
"""They say which tests run there."""
SIZES = ("slots", "cpus", "memory", "demand", "reserve")
ROADS = ("address", "port", "before_timeout_seconds", "after", "images_program")
OF_SSH = ("hosts_file", "archives", "program", "config", "options", "connect_timeout_seconds", "keep_seconds")
OF_LOCAL = ("scratch_dir", "zygote")
OF_MACHINES = (*WHICH, *SIZES, *ROADS, *OF_SSH, *OF_LOCAL)
OF_IMAGES = ("mode", "builder", "keep_runs")
OF_DOCKER = ("host",)
OF_PODS = (
    *(
        "cpu_request",
        "memory_request",
        "scratch",
        "storage",
        "priority_class",
        "pull_secrets",
        "deadline",
        "ttl",
        "queue",
    ),
    *("labels", "annotations", "after_preemptions", "topology_spread"),
    *("kubeconfig", "store_claim", "store_secret", "sweep_kinds", "reserve", "demand"),
)
"""What of each cannot decide a verdict: sizes, roads there, spans, names for people."""


def deciding_places(fleet: Fleet, launcher: str, suites: Sequence[Suite]) -> dict[str, str]:
    """Digest to name of each kind of place; places of which the same is said are one. Raises `SettingsError` for unknown secrets."""

    def reveal(secret: Secret) -> str:
        return secret.reveal(fleet.environment, fleet.home)

    return {digest(told): name for name, told in _places(fleet, launcher, suites, reveal)}


def placing_digest(fleet: Fleet, launcher: str) -> str:
    """What decides which tests run where: an old result says nothing of whether that can be met. Where nothing is said, all are equal."""
    machines: list[Any] = [fleet.local] if launcher == "local" else []
    if launcher == "ssh":
        machines = [fleet.hosts[name] for name in fleet.hosts.names()]
    said = {
        ".".join(each.scope.path): told
        for machine in machines
        for each in (machine, *_queues(machine).values())
        if (told := {name: value for name in WHICH if (value := getattr(each, name).get())})
    }
    return digest(said)


def _places(
    fleet: Fleet, launcher: str, suites: Sequence[Suite], reveal: Callable[[Secret], str]
) -> Iterator[tuple[str, Any]]:
    for name, machine, user in _machines(fleet, launcher):
        told = {**_said(machine, (*OF_MACHINES, "queues"), reveal), "user": user}
        queues = _queues(machine)
        for queue, said in queues.items():
            yield f"{name}/{queue}", [launcher, told, _said(said, WHICH, reveal)]
        if not queues:
            yield name, [launcher, told, {"env": {}}]
    for pool in dict.fromkeys(suite.pool for suite in suites) if launcher in ("docker", "kubernetes") else ():
        size = {name: getattr(fleet.pools[pool], name).get() for name in ("cpus", "memory")}
        own = fleet.docker if launcher == "docker" else fleet.kubernetes
        pods = {} if launcher == "docker" else _said(fleet.pools[pool].kubernetes, OF_PODS, reveal)
        told = {**_said(own, OF_DOCKER if launcher == "docker" else OF_PODS, reveal), **pods}
        yield f"pool {pool}", [launcher, size, told, _said(fleet.images, OF_IMAGES, reveal)]


def _machines(fleet: Fleet, launcher: str) -> Iterator[tuple[str, Any, str]]:
    """(name, settings, who logs in) of each."""
    if launcher == "local":
        yield "local", fleet.local, ""
    if launcher == "ssh":
        from extensions.sshing import named_hosts

        known = {*fleet.hosts.names()}
        for host in named_hosts(fleet):
            user = "" if host.address is None else host.address.user
            yield host.name, fleet.hosts[host.name] if host.name in known else fleet.ssh, user


def _queues(machine: Any) -> dict[str, Any]:
    queues = machine.queues if "queues" in machine.declares() else None
    return {} if queues is None else {name: queues[name] for name in queues.names()}


def _said(said: Extension, without: Collection[str], reveal: Callable[[Secret], str]) -> dict[str, Any]:
    """All values of a settings object and of those in it."""
    if isinstance(said, Container):
        return {name: _said(said[name], (), reveal) for name in said.names()}
    found: dict[str, Any] = {}
    for name in said.declares():
        if name not in without:
            value = getattr(said, name)
            found[name] = _said(value, (), reveal) if isinstance(value, Extension) else _plain(value.get(), reveal)
    return found


def _plain(value: Any, reveal: Callable[[Secret], str]) -> Any:
    if isinstance(value, Secret):
        return reveal(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each, reveal) for name, each in value.items()}
    return value


def archive_digests(fleet: Fleet, launcher: str) -> dict[str, str]:
    """Of what lies unpacked on hosts: content by its name there."""
    if launcher != "ssh":
        return {}
    from pipeline.adapters.inputs import file_digests

    root = Path(fleet.scope.ledger.context.root)
    said = {name: str(value) for name, value in fleet.ssh.archives.get().items()}
    contents = dict(file_digests(root, sorted(set(said.values()))))
    return {name: contents.get(path, "") for name, path in said.items()}
