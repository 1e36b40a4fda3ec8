"""The built-in launcher and store as entry points name them: functions from plain values to ports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from extensions.plugins import Launching, knows_slots, needs_images
from pipeline.ports import Launcher, Store

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.local import LocalLauncher
    from pipeline.launchers.queues import QueuePlace


def count_ssh_slots(fleet: Fleet) -> int:
    """The slots of all hosts."""
    from extensions.sshing import slots_of

    return slots_of(fleet)


def local_launcher(launching: Launching) -> LocalLauncher:
    """Workers as processes of this machine."""
    from pipeline.launchers.local import LocalLauncher

    places: Sequence[QueuePlace] = ()
    if launching.grounds is not None:
        from pipeline.launchers.queues import queue_places

        places = queue_places(launching.grounds, str(launching.fleet.project.state_dir.get() / "queues"))
    return LocalLauncher(
        launching.specs,
        launching.scratch,
        slots=launching.slots,
        lease_seconds=launching.lease_seconds,
        zygote=launching.fleet.local.zygote.get(),
        places=places,
    )


@knows_slots(count_ssh_slots)
def ssh_launcher(launching: Launching) -> Launcher:
    """Workers on hosts that are reached by ssh."""
    from extensions.sshing import launcher_of

    return launcher_of(launching, local_launcher(launching))


@needs_images
def docker_launcher(launching: Launching) -> Launcher:
    """Workers as containers."""
    from extensions.dockering import docker_terms, read_images
    from extensions.registry import credentials_of
    from pipeline.adapters.docker_engine import DockerEngine
    from pipeline.launchers.docker.launcher import DockerLauncher

    fleet = launching.fleet
    engine = DockerEngine(fleet.docker.host.get(), credentials_of(fleet))
    local = local_launcher(launching)
    terms_of_pools = [(pool, docker_terms(launching, pool, is_remote=engine.is_remote)) for pool in launching.pools]
    images = fleet.project.build_dir.get() / "push" / "images.json"
    return DockerLauncher(
        local,
        engine,
        {slot: terms for pool, terms in terms_of_pools for slot in pool.slots},
        lambda: read_images(images),
        launching.specs,
        str(fleet.scope.ledger.context.root),
    )


@needs_images
def kubernetes_launcher(launching: Launching) -> Launcher:
    """Workers as pods."""
    from extensions.dockering import read_images
    from extensions.pod_terms import pod_terms
    from extensions.podding import client_of, made_sweeper
    from pipeline.launchers.kubernetes.launcher import KubernetesLauncher

    fleet = launching.fleet
    terms_of_pools = [(pool, pod_terms(launching, pool)) for pool in launching.pools]
    local = local_launcher(launching)
    images = fleet.project.build_dir.get() / "push" / "images.json"
    client = client_of(fleet)
    return KubernetesLauncher(
        local,
        client,
        fleet.kubernetes.namespace.get(),
        {slot: terms for pool, terms in terms_of_pools for slot in pool.slots},
        lambda: read_images(images),
        launching.specs,
        str(fleet.scope.ledger.context.root),
        launching.tell,
        made_sweeper(fleet, client, launching.tell),
    )


def directory_store(url: str) -> Store:
    """A folder; `url` is its path, or `file://` and its path."""
    from pipeline.adapters.directory_store import DirectoryStore

    return DirectoryStore(url.removeprefix("file://"))


def s3_store(url: str) -> Store:
    """A bucket of S3; `url` is `s3://bucket/prefix?endpoint=…&region=…`."""
    from pipeline.adapters.s3_place import parse_place
    from pipeline.adapters.s3_store import S3Store

    return S3Store(parse_place(url))
