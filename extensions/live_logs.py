"""What workers in containers and pods print, read where they live, while they do. Files of this machine are read by `logs` itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.logic.objects import Birth


def printed(fleet: Fleet, birth: Birth, *, follow: bool) -> Iterator[bytes] | None:
    """Lines that a worker has printed; with `follow` on until it ends. None: it has no place that could be asked, or no
    more. Raises `EngineError`, `UsageError`."""
    if birth.launcher == "kubernetes":
        return _of_pod(fleet, birth, follow=follow)
    return _of_container(fleet, birth, follow=follow) if birth.launcher == "docker" else None


def _of_pod(fleet: Fleet, birth: Birth, *, follow: bool) -> Iterator[bytes] | None:
    """A birth is written by its worker, so only pods of our own namespace are asked."""
    from extensions.podding import client_of
    from pipeline.adapters.kubernetes_api import KubernetesApi
    from pipeline.adapters.kubernetes_logs import PodLog
    from pipeline.launchers.kubernetes.containers import WORKER

    client = client_of(fleet)
    namespace = fleet.kubernetes.namespace.get() or client.namespace
    pod, uid = str(birth.identity.get("pod", "")), str(birth.identity.get("uid", ""))
    log = PodLog(KubernetesApi(client), namespace, pod, uid, WORKER)
    if not pod or not log.exists():
        client.close()
        return None

    def lines() -> Iterator[bytes]:
        with closing(client):
            yield from log.lines(follow=follow)

    return lines()


def _of_container(fleet: Fleet, birth: Birth, *, follow: bool) -> Iterator[bytes] | None:
    """Only containers of this store's runs are read, whatever a birth says."""
    from extensions.dockering import store_label
    from pipeline.adapters.docker_engine import DockerEngine
    from pipeline.launchers.docker.specs import STORE, WORKER

    engine = DockerEngine(fleet.docker.host.get())
    found = engine.list({STORE: store_label(fleet), WORKER: birth.worker})
    container = next((one for one in found if one.name == birth.identity.get("container")), None)
    if container is None:
        engine.close()
        return None

    def lines() -> Iterator[bytes]:
        with closing(engine):
            rest = b""
            for piece in engine.printed(container.id, follow=follow):
                *done, rest = (rest + piece).split(b"\n")
                yield from done
            if rest:
                yield rest

    return lines()
