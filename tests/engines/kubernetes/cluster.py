"""The cluster as an engine: started, stopped and asked as a whole; its parts are killed and brought back by their names."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.engines import ports
from tests.engines.binaries import build
from tests.engines.control_groups import remove_group
from tests.engines.engine import Engine
from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes import network
from tests.engines.kubernetes.api import Api, until
from tests.engines.kubernetes.containerd import PLUGINS
from tests.engines.kubernetes.control_plane import MASTERS, ApiServer, ControllerManager, Etcd, Kwok, Scheduler
from tests.engines.kubernetes.credentials import write_kubeconfig
from tests.engines.kubernetes.node import Node
from tests.engines.kubernetes.part import MODULE, Part, Site
from tests.engines.mounts import unmount_below
from tests.engines.processes import Identity, wait_for
from tests.engines.records import Record, forget, recall

NODES = 2
USUAL_PORT = 16443
KEPT = ("certificates", "lock")
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")
NEEDED = {"containerd": "containerd", "runc": "runc", "ip": "iproute2", "iptables": "iptables", "nsenter": "util-linux"}


class Kubernetes(Engine):
    """Etcd, API server, controller manager, scheduler and two nodes; kwok when asked. It starts empty each time, and anew when a part has died."""

    name = "kubernetes"
    start_seconds = 120.0

    @property
    def tag(self) -> str:
        """What names of its network and control groups have."""
        return network.tag_of(self.folder)

    @property
    def group(self) -> str:
        """The control group above all its containers."""
        return f"doit-fleet-{self.tag}"

    @property
    def log(self) -> Path:
        """The folder with a log for each part."""
        return self.folder

    @property
    def facts(self) -> dict[str, Any]:
        """How it is reached, also while a part is down. Raises EngineTrouble when it was not started."""
        found = recall(self.folder)
        if found is None:
            raise EngineTrouble(f"{self.name} does not run", f"start it: python -m tests.engines start {self.name}")
        return found.facts

    @property
    def site(self) -> Site:
        """Where its parts are."""
        told = self.facts
        wiring = network.Wiring(tag=self.tag, number=told["number"], nodes=NODES)
        return Site(folder=self.folder, wiring=wiring, api_port=told["port"], etcd_port=told["etcd_port"])

    @property
    def parts(self) -> dict[str, Part]:
        """Processes of the control plane by name: kill(), pause(), resume(), start()."""
        return {part.name: part for part in _control_plane(self.site)}

    @property
    def nodes(self) -> dict[str, Node]:
        """Nodes by name."""
        return {node.name: node for node in _nodes(self.site, self.group)}

    @property
    def kwok(self) -> Part:
        """Who pretends that nodes live; runs only when started."""
        return Kwok(self.site)

    @property
    def kubeconfig(self) -> Path:
        """An administrator's."""
        return Path(self.facts["kubeconfig"])

    @property
    def api(self) -> Api:
        """As an administrator."""
        return _api(self.site)

    def launch(self) -> Record:
        """Start all parts on an empty network. Raises EngineTrouble; nothing is left then."""
        self._check()
        self._remove_state()
        port = ports.choose(self.name, USUAL_PORT) if self.is_shared else ports.any_free()
        wiring = network.make_network(self.tag, NODES, port)
        site = Site(folder=self.folder, wiring=wiring, api_port=port, etcd_port=ports.any_free())
        try:
            _start(site, self.group)
        except EngineTrouble:
            self._end()
            raise
        admin = site.credentials.client("administrator", MASTERS)
        kubeconfig = write_kubeconfig(self.folder / "kubeconfig", site.url, admin)
        facts = {"url": site.url, "port": port, "etcd_port": site.etcd_port, "number": wiring.number}
        processes = tuple(_processes(_control_plane(site), _nodes(site, self.group)))
        return Record(processes=processes, facts={**facts, "kubeconfig": str(kubeconfig), "machine": wiring.machine})

    @property
    def record(self) -> Record | None:
        """What is known of it, while all its parts live; they may be others than at its start."""
        found = recall(self.folder)
        if found is None:
            return None
        now = list(_processes(self.parts.values(), self.nodes.values()))
        return Record(processes=tuple(now), facts=found.facts) if len(now) == len(found.processes) else None

    def is_healthy(self) -> bool:
        """Whether the API serves and all nodes take pods."""
        return self.api.ready() and until(lambda: all(self.are_ready().values()), 0.2)

    def are_ready(self) -> dict[str, bool]:
        """Of each node by name, whether the cluster takes it for ready."""
        found = self.api.get("/api/v1/nodes")["items"]
        ready = {item["metadata"]["name"]: _is_ready(item) for item in found}
        return {name: ready.get(name, False) for name in self.nodes}

    def heal(self) -> None:
        """Bring back all parts and nodes that are lost. Raises EngineTrouble when that fails."""
        for part in self.parts.values():
            part.resume()
            if part.record is None:
                part.start()
        for node in self.nodes.values():
            node.kubelet.resume()
            node.containerd.resume()
            node.mend()
            if not node.runs:
                node.start()
        if not wait_for(self.is_healthy, self.start_seconds):
            raise EngineTrouble(f"{self.name} does not recover: {self.are_ready()}", f"its logs: {self.folder}/*/log")

    def clean(self) -> None:
        """End what is left of all parts, and undo mounts, control groups, links and the network."""
        folder = self.folder
        wiring = network.Wiring(tag=self.tag, number=0, nodes=NODES)
        site = Site(folder=folder, wiring=wiring, api_port=0, etcd_port=0)
        for part in (Kwok(site), *_control_plane(site)):
            part.kill()
        for node in _nodes(site, self.group):
            node.lose_power()
            node.containerd.forget_networks()
            node.kubelet.forget_logs()
        unmount_below(folder)
        remove_group(self.group)
        network.remove_network(self.tag)

    def last_words(self, lines: int = 20) -> str:
        """The ends of all logs."""
        logs = sorted([*self.folder.glob("*/log"), *self.folder.glob("*/*/log")])
        each = max(3, lines // max(1, len(logs)))
        return "\n".join(
            f"{log}:\n" + "\n".join(log.read_text("utf-8", "replace").splitlines()[-each:]) for log in logs
        )

    def _end(self) -> None:
        self.clean()
        forget(self.folder)

    def _remove_state(self) -> None:
        for path in self.folder.iterdir():
            if path.name not in KEPT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _check(self) -> None:
        if os.geteuid() != 0:
            raise EngineTrouble("only root can start nodes", "run it as root, e.g. in a container of CI")
        for program, package in NEEDED.items():
            if not shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"):
                raise EngineTrouble(f"no `{program}` for nodes", f"apt-get install {package}")
        if not (PLUGINS / "bridge").exists():
            raise EngineTrouble(f"no CNI plug-ins in {PLUGINS}", "apt-get install containernetworking-plugins")
        for program in PROGRAMS:
            build(program, MODULE)
        build("pause")


class SharedKwok(Engine):
    """kwok of the shared cluster, which is started with it."""

    name = "kwok"
    start_seconds = 60.0

    def __init__(self) -> None:
        self.cluster = Kubernetes()
        super().__init__(self.cluster.folder / self.name)

    def start(self) -> Record:
        """Start the cluster and it, unless they run. Raises EngineTrouble."""
        build(self.name)
        self.cluster.start()
        return super().start()

    def launch(self) -> Record:
        """Start it beside its cluster."""
        return self.cluster.kwok.launch()

    def is_healthy(self) -> bool:
        """Whether it says so."""
        return recall(self.cluster.folder) is not None and self.cluster.kwok.is_healthy()


def _start(site: Site, group: str) -> None:
    control = {part.name: part for part in _control_plane(site)}
    with ThreadPoolExecutor(2 + NODES) as pool:
        runtimes = [pool.submit(_start_runtime, node) for node in _nodes(site, group)]
        control["etcd"].start()
        control["apiserver"].start()
        rest = [pool.submit(control[name].start) for name in ("controller-manager", "scheduler")]
        for future in runtimes:
            future.result()
        nodes = [pool.submit(node.start) for node in _nodes(site, group)]
        both: list[Future[Any]] = [*rest, *nodes]
        for each in both:
            each.result()


def _start_runtime(node: Node) -> None:
    node.containerd.start()
    node.containerd.import_pause()


def _control_plane(site: Site) -> list[Part]:
    return [make(site) for make in (Etcd, ApiServer, ControllerManager, Scheduler)]


def _nodes(site: Site, group: str) -> list[Node]:
    return [Node(site, number, group) for number in range(1, NODES + 1)]


def _processes(parts: Any, nodes: Any) -> list[Identity]:
    everything = [*parts, *(part for node in nodes for part in (node.containerd, node.kubelet))]
    return [who for part in everything if part.record for who in part.record.processes]


def _api(site: Site) -> Api:
    return Api(port=site.api_port, user=site.credentials.client("administrator", MASTERS))


def _is_ready(node: dict[str, Any]) -> bool:
    said = {found["type"]: found["status"] for found in node["status"].get("conditions", ())}
    return said.get("Ready") == "True" and not node["spec"].get("taints")
