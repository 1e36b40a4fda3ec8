"""What worker pods need to run this repository's own tests: a namespace, volumes, and settings for `./doitw profile=kubernetes`.

`python -m tests.engines.pod_workers` makes them on the shared cluster and writes the settings, as lines for a shell, to a file whose
name it prints. The agent has the shipped role and no other rights. Pods run as nobody; they see the engines' folder, Go and
interpreters by claims, read only, and reach engines at 127.0.0.1 as tests do elsewhere: a sidecar passes connections on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engines import IN_CONTAINER, POD, REQUIRED, images, places
from tests.engines.engine import Engine
from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.api import until
from tests.engines.kubernetes.bodies import NO_PRIVILEGE, SMALL
from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.kubernetes.namespaces import Cluster, make_namespace, remove_namespace
from tests.engines.registries import PlainRegistry, SecureRegistry
from tests.engines.s3 import REGION, S3Server
from tests.engines.token_registry import TokenRegistry
from tests.engines.toml import inline
from tests.engines.workers import IMAGE_PATH, SETTING, running, tools, write

NAMESPACE = "own-tests"
BUCKET = "own-tests"
ROLE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "role.yaml"
ENGINES = "/opt/engines"
"""The engines' folder in pods: the machine's own may lie where only root may look."""
GONE_SECONDS = 60
PASSES_ON = """\
import asyncio, os

async def pump(source, target):
    try:
        while data := await source.read(1 << 16):
            target.write(data)
            await target.drain()
    finally:
        target.close()

async def serve(port):
    async def one(source, target):
        try:
            far = await asyncio.open_connection(os.environ["MACHINE"], port)
        except OSError:
            return target.close()
        await asyncio.gather(pump(source, far[1]), pump(far[0], target), return_exceptions=True)
    async with await asyncio.start_server(one, "127.0.0.1", port) as server:
        await server.serve_forever()

async def main():
    await asyncio.gather(*(serve(int(port)) for port in os.environ["PORTS"].split()))

asyncio.run(main())
"""
IS_THERE = (
    "import os, socket\nfor port in os.environ['PORTS'].split(): socket.create_connection(('127.0.0.1', port), 1)"
)


def file() -> Path:
    """Where the settings are written."""
    return places.home() / "workers" / "pods.sh"


def settings() -> dict[str, str]:
    """Settings as variables. Raises `EngineTrouble` when an engine does not run or an image is not there."""
    registry, store = running(PlainRegistry()), running(S3Server())
    cluster = _cluster(registry.address)
    base, service = (_image(recipe, registry) for recipe in (images.OWN, images.BASE))
    _make_bucket(store)
    return {
        f"{SETTING}REGISTRY__URL": registry.address,
        f"{SETTING}IMAGES__BASE": base,
        f"{SETTING}STORE__URL": f"s3://{BUCKET}/fleet",
        "AWS_ENDPOINT_URL": cluster.reachable(store.url),
        "AWS_ACCESS_KEY_ID": str(store.facts["access_key"]),
        "AWS_SECRET_ACCESS_KEY": str(store.facts["secret_key"]),
        "AWS_REGION": REGION,
        f"{SETTING}KUBERNETES__KUBECONFIG": str(_agent(cluster)),
        f"{SETTING}KUBERNETES__NAMESPACE": cluster.namespace,
        f"{SETTING}KUBERNETES__VOLUMES": inline(list(_volumes(cluster))),
        **{f"{SETTING}KUBERNETES__ENVIRONMENT__{name}": value for name, value in _environment().items()},
        f"{SETTING}KUBERNETES__TEMPLATE": inline({"spec": {"initContainers": [_beside(service, cluster.machine)]}}),
    }


def _cluster(registry: str) -> Cluster:
    """The namespace, made anew."""
    engine = running(Kubernetes())
    remove_namespace(engine, NAMESPACE)
    if not until(lambda: engine.api.find(f"/api/v1/namespaces/{NAMESPACE}") is None, GONE_SECONDS):
        raise EngineTrouble(f"namespace {NAMESPACE} does not go", f"its logs: {engine.folder}/*/log")
    folder = file().parent
    folder.mkdir(exist_ok=True)
    return make_namespace(engine, NAMESPACE, registry, folder)


def _agent(cluster: Cluster) -> Path:
    cluster.kubectl("apply", "--filename", str(ROLE))
    return cluster.token_kubeconfig("doit-fleet")


def _image(recipe: images.Recipe, registry: PlainRegistry) -> str:
    found = images.find(recipe, registry)
    if found is None:
        raise EngineTrouble(f"{recipe.reference} is not there", "make it: python -m tests.engines start images")
    return found


def _make_bucket(store: S3Server) -> None:
    client = store.client()
    try:
        if BUCKET not in [found["Name"] for found in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=BUCKET)
    finally:
        client.close()


def _ports() -> Iterator[int]:
    """Where engines listen that run now."""
    engines: tuple[Engine, ...] = (PlainRegistry(), SecureRegistry(), TokenRegistry(), S3Server())
    for engine in engines:
        if engine.running():
            yield from (int(value) for name, value in engine.facts.items() if name == "port" or name.endswith("_port"))


def _prefixes() -> set[Path]:
    """Folders of interpreters and Go that others than root may look into, and that no image has."""
    found = {path.parents[1] for path in tools().values()}
    return {path for path in found - {Path("/usr")} if all(up.stat().st_mode & 0o005 == 0o005 for up in path.parents)}


def _volumes(cluster: Cluster) -> Iterator[dict[str, object]]:
    seen = {ENGINES: places.home(), **{str(path): path for path in sorted(_prefixes())}}
    for number, (place, folder) in enumerate(seen.items()):
        claim = cluster.volume(f"folder-{number}", folder, read_only=True)
        yield {"mountPath": place, "readOnly": True, "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}


def _beside(image: str, machine: str) -> dict[str, Any]:
    """A native sidecar: at 127.0.0.1 it passes connections on to the machine. No service of the suite: profiles add none."""
    given = {"MACHINE": machine, "PORTS": " ".join(map(str, _ports()))}
    return {
        "name": "engines",
        "image": image,
        "restartPolicy": "Always",
        "command": ["python3", "-c", PASSES_ON],
        "env": [{"name": name, "value": value} for name, value in given.items()],
        "startupProbe": {
            "exec": {"command": ["python3", "-c", IS_THERE]},
            "timeoutSeconds": 10,
            "failureThreshold": 30,
            "periodSeconds": 1,
        },
        "securityContext": NO_PRIVILEGE,
        "resources": {"requests": SMALL, "limits": {"cpu": "1", "memory": "128Mi"}},
    }


def _environment() -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in (REQUIRED,) if name in os.environ},
        places.NAMED_BY: ENGINES,
        places.PRIVATE_NAMED_BY: "/tmp/engines",
        IN_CONTAINER: POD,
        "PATH": ":".join([IMAGE_PATH, *(f"{path}/bin" for path in sorted(_prefixes()))]),
    }


def main() -> int:
    """Write the file; 2 when something is missing."""
    return write(file(), settings)


if __name__ == "__main__":
    sys.exit(main())
