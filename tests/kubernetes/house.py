"""A project whose workers are pods, and what the cluster and its nodes know of them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.docker.house import make_environment
from tests.engines import only_outside
from tests.engines.errors import EngineTrouble
from tests.engines.fixtures import Bucket
from tests.engines.kubernetes import disruptions
from tests.engines.kubernetes.containers import PodOnNode
from tests.engines.kubernetes.namespaces import Cluster
from tests.engines.toml import inline
from tests.faults.project import MARKER, Project, Running, children_of_all, until

__all__ = ["KubernetesProject", "kubernetes_project", "make_environment"]

LABEL = "doit-fleet.io/project"
WORKER_USER = "65532"
SMALL = {"workers.memory": "384Mi", "kubernetes.cpu_request": "0.1", "kubernetes.scratch": "256Mi"}
"""Room for many on two nodes of one machine."""
Pod = dict[str, Any]
GONE_SECONDS = 90
"""Controllers and kubelets that have met no API server look again after up to a minute (client-go's reflectors: 30 s and as
much again by chance)."""


@define
class KubernetesProject(Project):
    """A project with settings for the launcher `kubernetes`, whose agent has the shipped role and no other rights."""

    cluster: Cluster = None  # type: ignore[assignment]
    bucket: Bucket = None  # type: ignore[assignment]
    kubeconfig: Path = Path()
    """The agent's."""
    registry: str = ""
    base: str = ""
    store_url: str = ""
    """The S3 server, as agent and pods reach it."""
    python: Path = Path(sys.prefix)
    workers: int = 2
    lease: str = "6s"
    repeats_without_agent: int = 0
    """Pods go on."""
    layers: Path | None = None
    """Layers of earlier projects, so that they are not made again for each."""
    suite: dict[str, Any] = field(factory=dict)
    """Further settings of its suite, `unit`."""
    kubernetes: dict[str, Any] = field(factory=dict)
    """Further settings of `kubernetes`."""
    tables: dict[str, Any] = field(factory=dict)
    """Further tables of settings, by name."""
    volumes: list[dict[str, Any]] = field(factory=list)
    seen: set[str] = field(factory=set)
    """Uids of all pods that were looked at."""

    def busy(self) -> int:
        """Fewer tests, each longer: two workers keep two processors busy."""
        super().busy()
        return self.sleepers(files=8, count=4, seconds=0.2)

    def reach(self, *folders: Path) -> None:
        """Mount them by claims on this machine's folders."""
        for folder in folders:
            folder.mkdir(exist_ok=True)
            folder.chmod(0o777)
            name = self.cluster.volume(f"folder-{len(self.volumes)}", folder)
            self.volumes.append({"mountPath": str(folder), "persistentVolumeClaim": {"claimName": name}})

    def settle(self) -> None:
        """Write what does not change: settings, what git ignores, the place for traces that pods share."""
        super().settle()
        if not self.volumes:
            self.reach(self.shared)
        self.take_layers()
        self.trace_file.touch()
        self.trace_file.chmod(0o666)
        suite = {"env": {"FLEET_TRACE": str(self.trace_file), MARKER: self.marker}, **self.suite}
        tables = {"suites.unit": suite, "kubernetes": {"volumes": self.volumes, **self.kubernetes}, **self.tables}
        text = "".join(
            f"[tool.doit-fleet.{name}]\n" + "".join(f"{key} = {inline(value)}\n" for key, value in table.items())
            for name, table in tables.items()
        )
        self.write("pyproject.toml", text)
        self.write(".gitignore", "build\n.fleet\n__pycache__\n")

    def take_layers(self) -> None:
        """Begin with the layers of earlier projects."""
        mine = self.root / ".fleet" / "images"
        if self.layers is not None and self.layers.exists() and not mine.exists():
            mine.parent.mkdir(exist_ok=True)
            copy_tree(self.layers, mine)

    def give_layers(self) -> None:
        """Leave the layers for later projects."""
        mine = self.root / ".fleet" / "images"
        if self.layers is not None and not self.layers.exists() and mine.exists():
            copy_tree(mine, self.layers)

    def environment(self) -> dict[str, str]:
        """What `doit-fleet` is started with."""
        store = {
            "AWS_ENDPOINT_URL": self.store_url,
            "AWS_ACCESS_KEY_ID": self.bucket.access_key,
            "AWS_SECRET_ACCESS_KEY": self.bucket.secret_key,
            "AWS_REGION": "us-east-1",
        }
        return {**super().environment(), **store, "VIRTUAL_ENV": str(self.python), "KUBECONFIG": str(self.kubeconfig)}

    def start(self, *arguments: str, env: Any = None) -> Running:
        """Start `doit-fleet`."""
        given = {
            "project.name": self.marker,
            "registry.url": f"{self.registry}/fleet-tests/{self.marker}",
            "images.base": self.base,
            "images.dependencies": "environment",
            "store.url": f"s3://{self.bucket.bucket}/fleet",
            "kubernetes.namespace": self.cluster.namespace,
            **SMALL,
        }
        return super().start(*(f"{name}={value}" for name, value in given.items()), *arguments, env=env)

    def pods(self) -> list[Pod]:
        """Objects of the workers' pods, ended ones too, those that were made first before others."""
        found = self.cluster.api.get(f"{self.cluster.path('pods')}?labelSelector={LABEL}%3D{self.marker}")["items"]
        self.seen |= {pod["metadata"]["uid"] for pod in found}
        return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def running(self) -> list[Pod]:
        """Pods whose worker runs and that nobody has deleted."""
        alive = (pod for pod in self.pods() if "deletionTimestamp" not in pod["metadata"])
        return [pod for pod in alive if pod["status"].get("phase") == "Running"]

    def on_node(self, pod: Pod) -> PodOnNode:
        """Its processes."""
        return PodOnNode(engine=self.cluster.engine, uid=pod["metadata"]["uid"])

    def of_host(self, host: str) -> PodOnNode:
        """The pod of that host name, which is its name."""
        (found,) = [pod for pod in self.pods() if pod["metadata"]["name"] == host]
        return self.on_node(found)

    def supervisors(self, agent: int) -> list[int]:
        """Children of the first process of every pod: the kernel shows them to the host."""
        children = children_of_all()
        firsts = [first for pod in self.running() for first in self.on_node(pod).supervisors()]
        return [pid for first in firsts for pid in children.get(first, [])]

    def until_missed(self, harnesses: Sequence[int], tests: int) -> None:
        """Nobody misses it: pods go on until all tests have run."""
        until(lambda: len(set(self.traces())) >= tests, "pods go on without their agent")

    def until_left(self) -> None:
        """Nothing is waited for: pods go on."""

    def freeze(self, pid: int, host: str) -> None:
        """Freeze the pod of that host name."""
        self.of_host(host).freeze()

    def thaw(self, pid: int, host: str) -> None:
        """Let it go on; the run may have removed it."""
        with suppress(ValueError):
            self.of_host(host).thaw()

    def kill(self, pid: int, host: str) -> None:
        """Kill the pod's processes."""
        self.of_host(host).kill()

    def sweep(self) -> None:
        """Wait until the pods of a run that was given up have ended, and sweep."""
        until(lambda: not self.running(), "pods without an agent end", 60)
        sweep = self.start("sweep", "--all")
        assert sweep.end() == 0, sweep.output

    def left(self) -> list[str]:
        """Objects of ours in the namespace, and processes on nodes, too."""
        objects = {"pods": "v1", "jobs": "batch/v1", "secrets": "v1", "configmaps": "v1", "services": "v1"}
        selector = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Ddoit-fleet"
        found = [
            f"{kind} {one['metadata']['name']}"
            for kind, group in objects.items()
            for one in self.cluster.api.get(f"{self.cluster.path(kind, group=group)}?{selector}")["items"]
        ]
        return [*super().left(), *found]

    def clear(self) -> None:
        """Remove what a failed test has left; the rest goes with the namespace."""
        for pod in self.pods():
            self.on_node(pod).thaw()
            with suppress(EngineTrouble):
                disruptions.force_delete(self.cluster, pod["metadata"]["name"])
        super().clear()


def kubernetes_project(
    request: pytest.FixtureRequest,
    root: Path,
    environment: Path,
    cluster: Cluster,
    kind: type[KubernetesProject] = KubernetesProject,
) -> Iterator[KubernetesProject]:
    """A project in `root` on that cluster, with the shared registry and a bucket; nothing of it may be left afterwards."""
    only_outside("pods, and whether anything of them is left, are looked at from the machine that runs them")
    root.mkdir()
    bucket: Bucket = request.getfixturevalue("s3")
    made = kind(
        root,
        launcher="kubernetes",
        cluster=cluster,
        bucket=bucket,
        kubeconfig=agent_of(cluster),
        registry=cluster.registry,
        base=request.getfixturevalue("base_image"),
        store_url=cluster.reachable(bucket.url),
        python=environment,
        layers=environment.parent / "layers-of-pods",
    )
    made.arguments = ("workers.count=2",)
    try:
        yield made
        until(lambda: not made.left(), made.left, GONE_SECONDS)
        made.give_layers()
    finally:
        made.clear()


ROLE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "role.yaml"


def agent_of(cluster: Cluster) -> Path:
    """The kubeconfig of the service account that the shipped manifest makes, with its rights and no others."""
    cluster.kubectl("apply", "--filename", str(ROLE))
    return cluster.token_kubeconfig("doit-fleet")


def copy_tree(source: Path, target: Path) -> None:
    """By links."""
    shutil.copytree(source, target, copy_function=os.link)
