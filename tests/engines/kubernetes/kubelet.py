"""A node's kubelet, inside the node's network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.engines.kubernetes.containerd import Containerd
from tests.engines.kubernetes.credentials import write_kubeconfig
from tests.engines.kubernetes.part import Part, Site

LEASE_SECONDS = 20


class Kubelet(Part):
    """One kubelet; pods outlive it."""

    name = program = "kubelet"
    scheme = "http"

    def __init__(self, site: Site, node: int, group: str, runtime: Containerd) -> None:
        super().__init__(site, site.folder / f"node-{node}" / self.name)
        self.node, self.group, self.runtime = node, group, runtime

    @property
    def node_name(self) -> str:
        """In the API."""
        return f"node-{self.node}"

    def port(self) -> int:
        """Of its health; the address is the node's own."""
        return 10248

    def host(self) -> str:
        """The node."""
        return self.site.wiring.address(self.node)

    def before(self) -> tuple[str, ...]:
        """Enter the node's network."""
        return self.site.wiring.inside(self.node)

    def arguments(self, port: int) -> list[str]:
        """Most is in its file."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yaml"
        config.write_text(json.dumps(self._config(port)), "utf-8")  # JSON is YAML.
        user = self.site.credentials.client(f"system:node:{self.node_name}", "system:nodes")
        kubeconfig = write_kubeconfig(self.folder / "kubeconfig", self.site.far_url, user)
        node = (f"--hostname-override={self.node_name}", f"--node-ip={self.host()}")
        where = (f"--root-dir={self.folder / 'root'}", f"--cert-dir={self.folder / 'root' / 'pki'}")
        return [f"--config={config}", f"--kubeconfig={kubeconfig}", *node, *where]

    def forget_logs(self) -> None:
        """Remove links to containers' logs, which lie where every kubelet puts them."""
        for link in Path("/var/log/containers").glob("*.log"):
            if link.is_symlink() and str(link.readlink()).startswith(f"{self.folder}/"):
                link.unlink()

    def _config(self, port: int) -> dict[str, Any]:
        """KubeletConfiguration v1beta1. What is unusual is for many nodes on one busy machine without CAP_SYS_RESOURCE."""
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": self.host(),
            "healthzBindAddress": self.host(),
            "healthzPort": port,
            "authentication": {
                "x509": {"clientCAFile": str(self.site.credentials.ca)},
                "webhook": {"enabled": True},
                "anonymous": {"enabled": False},
            },
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{self.group}",
            "containerRuntimeEndpoint": f"unix://{self.runtime.socket}",
            "enforceNodeAllocatable": [],
            "localStorageCapacityIsolation": False,
            "failSwapOn": False,
            "makeIPTablesUtilChains": False,
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "serializeImagePulls": False,
            "registryPullQPS": 0,
            "clusterDNS": [self.site.wiring.dns],
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "podLogsDir": str(self.folder / "logs"),
            "volumePluginDir": str(self.folder / "plugins"),
            "nodeLeaseDurationSeconds": LEASE_SECONDS,
            "nodeStatusUpdateFrequency": "5s",
        }
