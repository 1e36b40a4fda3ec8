"""The control plane's processes, all on loopback of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.engines.kubernetes.credentials import write_kubeconfig
from tests.engines.kubernetes.part import Part

MASTERS = "system:masters"
STAGES = Path(__file__).with_name("stages.yaml")
NODE_GRACE_SECONDS = 20
"""How long a node may be silent until it is not ready; Kubernetes' own is 50."""
TOLERATION_SECONDS = 5
"""How long pods stay bound to a node that is not ready; Kubernetes' own is 300."""


class Etcd(Part):
    """The store of the API server; what it wrote outlives a kill, not a power cut."""

    name = program = "etcd"
    scheme = "http"
    health_path = "/health"

    def port(self) -> int:
        """The one the API server was told."""
        return self.site.etcd_port

    def arguments(self, port: int) -> list[str]:
        """One member without peers."""
        url, nobody = f"http://127.0.0.1:{port}", f"unix://{self.folder / 'peers.sock'}"
        urls = (f"--listen-client-urls={url}", f"--advertise-client-urls={url}", f"--listen-peer-urls={nobody}")
        return [f"--data-dir={self.folder / 'data'}", *urls, "--unsafe-no-fsync", "--log-level=warn"]


class ApiServer(Part):
    """The API, with RBAC, node restriction, Pod Security and quotas."""

    name = "apiserver"
    program = "kube-apiserver"
    health_path = "/readyz"

    def port(self) -> int:
        """The one that all kubeconfigs name."""
        return self.site.api_port

    def arguments(self, port: int) -> list[str]:
        """As in kube-apiserver's reference."""
        site, who = self.site, self.site.credentials
        server, kubelets = who.server(site.wiring), who.client("apiserver-of-kubelets", MASTERS)
        accounts = who.service_accounts()
        options: dict[str, Any] = {
            "etcd-servers": f"http://127.0.0.1:{site.etcd_port}",
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "advertise-address": site.wiring.machine,
            "tls-cert-file": server.certificate,
            "tls-private-key-file": server.key,
            "client-ca-file": who.ca,
            "kubelet-client-certificate": kubelets.certificate,
            "kubelet-client-key": kubelets.key,
            "kubelet-preferred-address-types": "InternalIP",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "service-cluster-ip-range": site.wiring.services,
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": accounts.certificate,
            "service-account-signing-key-file": accounts.key,
            "default-not-ready-toleration-seconds": TOLERATION_SECONDS,
            "default-unreachable-toleration-seconds": TOLERATION_SECONDS,
            "allow-privileged": "true",
            "profiling": "false",
        }
        return [f"--{name}={value}" for name, value in options.items()]


class ControllerManager(Part):
    """Jobs, node life-cycle, namespaces, service accounts, garbage collection."""

    name = "controller-manager"
    program = "kube-controller-manager"

    def arguments(self, port: int) -> list[str]:
        """Each controller with its own rights, as RBAC's defaults have them."""
        site, who = self.site, self.site.credentials
        user = who.client("system:kube-controller-manager")
        options: dict[str, Any] = {
            "kubeconfig": write_kubeconfig(self.folder / "kubeconfig", site.url, user),
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "leader-elect": "false",
            "use-service-account-credentials": "true",
            "service-account-private-key-file": who.service_accounts().key,
            "root-ca-file": who.ca,
            "node-monitor-grace-period": f"{NODE_GRACE_SECONDS}s",
            "node-monitor-period": "2s",
            "pvclaimbinder-sync-period": "1s",  # A claim that met a race would wait 15 s.
            "kube-api-qps": "200",  # Else 20 requests a second, two for each pod that a Job makes.
            "kube-api-burst": "400",
            "profiling": "false",
        }
        return [f"--{name}={value}" for name, value in options.items()]


class Scheduler(Part):
    """Which node a pod goes to."""

    name = "scheduler"
    program = "kube-scheduler"

    def arguments(self, port: int) -> list[str]:
        """Alone, so without an election."""
        user = self.site.credentials.client("system:kube-scheduler")
        config = write_kubeconfig(self.folder / "kubeconfig", self.site.url, user)
        told = ("--bind-address=127.0.0.1", "--leader-elect=false", "--kube-api-qps=200", "--kube-api-burst=400")
        return [f"--kubeconfig={config}", f"--secure-port={port}", *told]


class Kwok(Part):
    """Pretends that nodes with its annotation and their pods live; runs nothing."""

    name = program = module = "kwok"
    scheme = "http"

    def arguments(self, port: int) -> list[str]:
        """Only nodes that are meant for it."""
        user = self.site.credentials.client("kwok", MASTERS)
        config = write_kubeconfig(self.folder / "kubeconfig", self.site.url, user)
        which = ("--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake")
        told = (f"--config={STAGES}", "--node-lease-duration-seconds=40")
        return [f"--kubeconfig={config}", *which, *told, f"--server-address=127.0.0.1:{port}"]
