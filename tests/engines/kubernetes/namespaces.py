"""Namespaces for tests: Pod Security `restricted`, a quota that demands requests and limits, users with given rights."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import frozen

from tests.engines.binaries import build
from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.api import Api, until
from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.kubernetes.credentials import write_token_kubeconfig
from tests.engines.kubernetes.part import MODULE
from tests.engines.ports import LOOPBACK

QUOTA = {
    "requests.cpu": "8",
    "requests.memory": "8Gi",
    "limits.cpu": "16",
    "limits.memory": "16Gi",
    "pods": "50",
    "count/jobs.batch": "50",
}
LEVEL = "pod-security.kubernetes.io/enforce"
TOKEN_SECONDS = 7200
READY_SECONDS = 90
"""Its controllers may have met no API server before, and then look again after up to a minute."""
VOLUMES = "/api/v1/persistentvolumes"
OWNER = "tests/namespace"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@frozen(kw_only=True)
class Cluster:
    """A cluster with a namespace of this test's own."""

    engine: Kubernetes
    kubeconfig: Path
    """An administrator's, with the namespace as the current one."""
    namespace: str
    nodes: tuple[str, ...]
    """Names of real nodes."""
    machine: str
    """This machine's address for pods: what listens on 127.0.0.1 is reached there by the same port, from this machine, too."""
    registry: str
    """The shared plain registry, in images' names on this machine and on nodes."""
    folder: Path
    """For kubeconfig files."""

    @property
    def api(self) -> Api:
        """As an administrator."""
        return self.engine.api

    @property
    def url(self) -> str:
        """The API server on this machine."""
        return self.engine.site.url

    def path(self, kind: str, name: str = "", group: str = "v1") -> str:
        """In the API: of objects of a kind (plural, small letters) of this namespace; a group as `batch/v1`."""
        prefix = "/apis" if "/" in group else "/api"
        return f"{prefix}/{group}/namespaces/{self.namespace}/{kind}" + (f"/{name}" if name else "")

    def reachable(self, url: str) -> str:
        """The same URL or address for pods."""
        return url.replace(LOOPBACK, self.machine)

    def kubectl(self, *arguments: str) -> str:
        """What kubectl says. Raises EngineTrouble when it fails."""
        argv = [str(build("kubectl", MODULE)), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise EngineTrouble(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}", "see the API server's log")
        return done.stdout

    def volume(self, name: str, folder: Path, *, read_only: bool = False) -> str:
        """The name of a new claim on this machine's folder, for any number of pods on all nodes (which share its file system)."""
        whole = f"{self.namespace}-{name}"
        mode = "ReadOnlyMany" if read_only else "ReadWriteMany"
        room = {"storage": "1Gi"}
        body = {
            "metadata": {"name": whole, "labels": {OWNER: self.namespace}},
            "spec": {
                "capacity": room,
                "accessModes": [mode],
                "hostPath": {"path": str(folder), "type": "Directory"},
                "storageClassName": "",
                "claimRef": {"namespace": self.namespace, "name": name},
                "persistentVolumeReclaimPolicy": "Retain",
            },
        }
        self.api.create(VOLUMES, body)
        asked = {"accessModes": [mode], "storageClassName": "", "volumeName": whole, "resources": {"requests": room}}
        self.api.create(self.path("persistentvolumeclaims"), {"metadata": {"name": name}, "spec": asked})
        return name

    def service_account(self, rules: Sequence[dict[str, Any]], name: str = "agent") -> Path:
        """The kubeconfig of a new service account that may do what a Role with these rules allows, in this namespace."""
        self.api.create(self.path("serviceaccounts"), {"metadata": {"name": name}})
        prefix = f"{RBAC}/namespaces/{self.namespace}"
        self.api.create(f"{prefix}/roles", {"metadata": {"name": name}, "rules": list(rules)})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        who = {"kind": "ServiceAccount", "name": name, "namespace": self.namespace}
        self.api.create(f"{prefix}/rolebindings", {"metadata": {"name": name}, "roleRef": role, "subjects": [who]})
        return self.token_kubeconfig(name)

    def token_kubeconfig(self, account: str) -> Path:
        """The kubeconfig of a service account that is there, e.g. by a manifest that was applied."""
        asked = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        token = self.api.create(self.path("serviceaccounts", account) + "/token", asked)["status"]["token"]
        place = self.folder / f"{self.namespace}-{account}.kubeconfig"
        return write_token_kubeconfig(place, self.url, self.engine.site.credentials.ca, token, self.namespace)


@contextmanager
def fresh_namespace(engine: Kubernetes, registry: str, folder: Path) -> Iterator[Cluster]:
    """A namespace of its own; its pods are ended at once afterwards, and it goes."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    try:
        yield make_namespace(engine, name, registry, folder)
    finally:
        remove_namespace(engine, name)


def make_namespace(engine: Kubernetes, name: str, registry: str, folder: Path) -> Cluster:
    """A new namespace that takes pods, under `restricted` and the quota. Raises EngineTrouble."""
    api, where = engine.api, f"/api/v1/namespaces/{name}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": {LEVEL: "restricted"}}})
    api.create(f"{where}/resourcequotas", {"metadata": {"name": "quota"}, "spec": {"hard": QUOTA}})
    if not until(lambda: _takes_pods(api, where), READY_SECONDS):
        raise EngineTrouble(f"namespace {name} takes no pods", f"its logs: {engine.folder}/*/log")
    kubeconfig = folder / f"{name}.kubeconfig"
    kubeconfig.touch(0o600)
    kubeconfig.write_text(engine.kubeconfig.read_text("utf-8").replace('"default"', f'"{name}"'), "utf-8")
    return Cluster(
        engine=engine,
        kubeconfig=kubeconfig,
        namespace=name,
        nodes=tuple(engine.nodes),
        machine=str(engine.facts["machine"]),
        registry=registry,
        folder=folder,
    )


def remove_namespace(engine: Kubernetes, name: str) -> None:
    """Begin to remove it and its volumes, if it is there; pods get a second."""
    api = engine.api
    api.delete(f"/apis/batch/v1/namespaces/{name}/jobs", propagationPolicy="Background")
    api.delete(f"/api/v1/namespaces/{name}/pods", gracePeriodSeconds=1)
    api.delete(f"{VOLUMES}?labelSelector={quote(f'{OWNER}={name}')}")
    api.delete(f"/api/v1/namespaces/{name}")


def _takes_pods(api: Api, where: str) -> bool:
    """Quota is counted and the default service account is there; before, pods are refused."""
    counted = api.get(f"{where}/resourcequotas/quota").get("status", {}).get("hard")
    return bool(counted) and api.find(f"{where}/serviceaccounts/default") is not None
