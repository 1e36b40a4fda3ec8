"""From settings to the values that the launcher `docker` works with. Secrets end up in what is sent to workers only."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from extensions.plugins import Launching
from extensions.store_access import asking, handed_on
from pipeline.errors import UntrustworthyRun, UsageError
from pipeline.model.services import Service
from pipeline.settings.secret import Secret

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.launchers.docker.specs import DockerTerms
    from pipeline.model.images import RunImages
    from pipeline.model.pools import Pool

STORE_THERE = "/opt/doit-fleet/store"
"""Where containers have a store of this machine: below its own name they may not come to it, as in an image's `/root`."""


def docker_terms(launching: Launching, pool: Pool, *, is_remote: bool) -> DockerTerms:
    """Everything a container of that pool is made from, but its image. Raises `UsageError`."""
    from pipeline.launchers.docker.specs import DockerTerms

    fleet = launching.fleet
    docker, size = fleet.docker, fleet.pools[pool.name]
    url, mounts = _store(fleet, tuple(docker.mounts.get()), is_remote=is_remote)
    return DockerTerms(
        project=fleet.project.name.get(),
        store=url,
        store_label=store_label(fleet),
        mounts=mounts,
        user=user_of(fleet),
        cpus=size.cpus.get(),
        memory_bytes=size.memory.get(),
        network=docker.network.get(),
        privileges=tuple(docker.privileges.get()),
        environment=plain(docker.environment.get(), "docker.environment"),
        read_only=docker.read_only.get(),
        services=services_of(fleet, pool.name),
        env={suite: spec.env for suite, spec in launching.specs.items() if suite in pool.suites},
        store_env=handed_on(fleet),
        ask_store=asking(fleet),
    )


def user_of(fleet: Fleet) -> str:
    """Who tests run as: somebody who may write what the agent may, and the image's files by group 0."""
    given = str(fleet.docker.user.get())
    if given:
        return given
    return str(fleet.images.user.get()) if os.getuid() == 0 else f"{os.getuid()}:0"


def store_label(fleet: Fleet) -> str:
    """Names the store in a label: of several machines' folders of one name, this one's."""
    from pipeline.adapters.process_table import machine_id

    url = str(fleet.store.url.get())
    place = url if "://" in url and not url.startswith("file://") else f"{machine_id()}:{url.removeprefix('file://')}"
    return hashlib.sha256(place.encode()).hexdigest()[:16]


def _store(fleet: Fleet, mounts: tuple[str, ...], *, is_remote: bool) -> tuple[str, tuple[str, ...]]:
    """The address that workers are given, and the mounts with what it needs."""
    url = str(fleet.store.url.get())
    if "://" in url and not url.startswith("file://"):
        return url, mounts
    folder = Path(url.removeprefix("file://"))
    targets = [Path(mount.split(":")[1]) for mount in mounts if mount.count(":")]
    if any(target == folder or target in folder.parents for target in targets):
        return f"file://{folder}", mounts
    if is_remote:
        raise UsageError(
            f"the store {str(folder)!r} is a folder of this machine, and the Docker daemon is on another",
            hint='name a store that both can reach, store.url = "s3://…", or mount a shared folder: docker.mounts',
        )
    folder.mkdir(parents=True, exist_ok=True)
    return f"file://{STORE_THERE}", (*mounts, f"{folder}:{STORE_THERE}")


def services_of(fleet: Fleet, pool: str) -> tuple[Service, ...]:
    """The services of all suites of a pool; each of its workers may run any of them. Raises `UsageError`."""
    found: dict[str, Service] = {}
    for suite in (each for each in fleet.suites if each.pool.get() == pool):
        for name in suite.services.names():
            one, where = suite.services[name], f"services.{name}"
            if not one.image.get():
                raise UsageError(f"{where} has no image", hint=f'name one: {where}.image = "redis:7"')
            service = Service(
                name=name,
                image=one.image.get(),
                command=tuple(one.command.get()),
                environment=plain(one.environment.get(), f"{where}.environment"),
                ready=tuple(one.ready.get()),
                ready_timeout_seconds=float(one.ready_timeout_seconds.get()),
                user=one.user.get() or "",
                cpus=one.cpus.get(),
                memory_bytes=one.memory.get(),
            )
            if found.setdefault(name, service) != service:
                raise UsageError(
                    f"two suites have different services {name!r}", hint="give them different names, or pools"
                )
    return tuple(found.values())


def plain(values: Mapping[str, str | Secret], where: str) -> dict[str, str]:
    """Variables without secrets. Raises `UsageError` for a secret: whoever inspects a container would read it."""
    for name, value in values.items():
        if isinstance(value, Secret):
            raise UsageError(
                f"{where}.{name} is a secret, but anybody may read it there", hint="name it for a suite, in `env`"
            )
    return {name: str(value) for name, value in values.items()}


def sweep_containers(fleet: Fleet, alive: Callable[[], Collection[str]]) -> list[str]:
    """Remove containers of runs in this store, but for runs that are alive; their names. Raises `EngineError`.

    `alive` is asked when containers have been listed: whoever has one of those has its run in the store by then.
    """
    from pipeline.adapters.docker_engine import DockerEngine
    from pipeline.launchers.docker.specs import RUN, SERVICE, STORE

    with closing(DockerEngine(fleet.docker.host.get())) as engine:
        found = engine.list({STORE: store_label(fleet)})
        living = alive() if found else ()
        left = [one for one in found if one.labels.get(RUN) not in living]
        left.sort(key=lambda one: SERVICE in one.labels)  # Workers first: a service's network is theirs too.
        for one in left:
            engine.remove(one.id)
    return [one.name for one in left]


def read_images(path: Path) -> RunImages:
    """What `push` has left. Raises `UntrustworthyRun`."""
    from pipeline.logic.run_images import from_json

    try:
        return from_json(path.read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UntrustworthyRun(f"cannot read {str(path)!r}: {error}", hint="run `doit -a push launch`") from error
