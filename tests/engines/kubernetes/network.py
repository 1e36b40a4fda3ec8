"""The network of a cluster: a bridge, and for each node a network namespace behind a cable that can be cut. Knows no Kubernetes.

Addresses of a cluster are 10.N.…: the machine is 10.N.0.1, node i is 10.N.0.(10+i), its pods are 10.N.i.0/24, services 10.N.128.0/20.
Whatever listens on the machine's loopback is reached at 10.N.0.1 with the same port, from nodes, pods and the machine itself;
nodes (not pods) reach it at 127.0.0.1, too. There is no way out to other networks.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import frozen

from tests.engines import places
from tests.engines.bridges import interfaces, ip
from tests.engines.errors import EngineTrouble

LOWEST, HIGHEST = 230, 249
"""N of clusters; those of Docker daemons are below."""
KUBELET_PORTS = "10248,10010"
"""Of the node's own loopback: the kubelet's health and containerd's streams."""


@frozen(kw_only=True)
class Wiring:
    """Names and addresses; nothing is made yet."""

    tag: str
    """Eight hexadecimal digits that stand for the cluster's folder."""
    number: int
    """N."""
    nodes: int

    @property
    def bridge(self) -> str:
        """Its interface."""
        return f"dk-{self.tag}"

    @property
    def machine(self) -> str:
        """The address of this machine for nodes and pods."""
        return f"10.{self.number}.0.1"

    @property
    def services(self) -> str:
        """The range of service addresses; only the API server's works (there is no kube-proxy)."""
        return f"10.{self.number}.128.0/20"

    @property
    def api_service(self) -> str:
        """The API server's address inside pods."""
        return f"10.{self.number}.128.1"

    @property
    def dns(self) -> str:
        """Where pods look for names; nobody answers, and at once."""
        return f"10.{self.number}.128.10"

    def address(self, node: int) -> str:
        """Of a node, counted from 1."""
        return f"10.{self.number}.0.{10 + node}"

    def pods(self, node: int) -> str:
        """The pods' range on that node."""
        return f"10.{self.number}.{node}.0/24"

    def cable(self, node: int) -> str:
        """The machine's end of the node's cable."""
        return f"dk-{self.tag}-{node}"

    def space(self, node: int) -> str:
        """The node's network namespace."""
        return f"doit-fleet-{self.tag}-{node}"

    def inside(self, node: int) -> tuple[str, ...]:
        """What goes before a command that is to run in the node's network (and in no other namespace)."""
        return ("nsenter", f"--net=/run/netns/{self.space(node)}")


def tag_of(folder: Path) -> str:
    """The cluster's name in names that must be short."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:8]


def make_network(tag: str, nodes: int, api_port: int) -> Wiring:
    """Bridge, namespaces, cables, addresses, routes and rules. Raises EngineTrouble."""
    with places.locked(places.home() / "networks"):
        wiring = Wiring(tag=tag, number=_free_number(tag), nodes=nodes)
        ip("link", "add", wiring.bridge, "type", "bridge")
        ip("addr", "add", f"{wiring.machine}/24", "dev", wiring.bridge)
    ip("link", "set", wiring.bridge, "up")
    Path(f"/proc/sys/net/ipv4/conf/{wiring.bridge}/route_localnet").write_text("1", "ascii")
    for rule in _machine_rules(wiring):
        _iptables("-A", rule)
    for node in range(1, nodes + 1):
        _add_node(wiring, node, api_port)
    return wiring


def remove_network(tag: str) -> None:
    """Remove whatever there is of it, even of a half-made one."""
    bridge = f"dk-{tag}"
    for name in (*(path.name for path in Path("/sys/class/net").glob(f"{bridge}-*")), bridge):
        if Path("/sys/class/net", name).exists():  # Before the spaces: those take their ends with them, but later.
            ip("link", "delete", name)
    for space in list(Path("/run/netns").glob(f"doit-fleet-{tag}-*")):
        ip("netns", "delete", space.name)
    for table in ("nat", "filter"):
        for line in _run(["iptables-save", "-t", table]).splitlines():
            if f"--comment {bridge} " in f"{line} ".replace('"', ""):
                _run(["iptables", "-t", table, "-D", *line.replace('"', "").split()[1:]])


def cut(wiring: Wiring, node: int) -> None:
    """Pull the cable: the node and its pods reach nobody but each other."""
    ip("link", "set", wiring.cable(node), "down")


def mend(wiring: Wiring, node: int) -> None:
    """Undo all cuts."""
    ip("link", "set", wiring.cable(node), "up")
    while _tried([*wiring.inside(node), "iptables", "-D", "OUTPUT", "-j", "CUT"]):
        pass
    while _tried([*wiring.inside(node), "iptables", "-D", "INPUT", "-j", "CUT"]):
        pass


def cut_from_api(wiring: Wiring, node: int) -> None:
    """The node itself reaches and is reached by nobody; its pods go on and reach everything, the store above all."""
    for chain in ("OUTPUT", "INPUT"):
        _run([*wiring.inside(node), "iptables", "-I", chain, "-j", "CUT"])


def _free_number(tag: str) -> int:
    taken = {number for _, number in interfaces()}
    span = HIGHEST - LOWEST + 1
    free = [n for n in (LOWEST + (int(tag, 16) + i) % span for i in range(span)) if n not in taken]
    if not free:
        raise EngineTrouble(f"{span} clusters are there already", "python -m tests.engines stop")
    return free[0]


def _machine_rules(wiring: Wiring) -> Iterator[tuple[str, ...]]:
    here = ("-d", wiring.machine, "-p", "tcp", "-m", "comment", "--comment", wiring.bridge)
    to_loopback = ("-j", "DNAT", "--to-destination", "127.0.0.1")
    yield ("nat", "PREROUTING", "-i", wiring.bridge, *here, *to_loopback)
    yield ("nat", "OUTPUT", *here, *to_loopback)
    between = ("-i", wiring.bridge, "-o", wiring.bridge, "-m", "comment", "--comment", wiring.bridge)
    yield ("filter", "FORWARD", *between, "-j", "ACCEPT")


def _add_node(wiring: Wiring, node: int, api_port: int) -> None:
    space, inside = wiring.space(node), wiring.inside(node)
    ip("netns", "add", space)
    ip("link", "add", wiring.cable(node), "type", "veth", "peer", "name", "eth0", "netns", space)
    ip("link", "set", wiring.cable(node), "master", wiring.bridge, "up")
    ip("-n", space, "link", "set", "lo", "up")
    ip("-n", space, "addr", "add", f"{wiring.address(node)}/24", "dev", "eth0")
    ip("-n", space, "link", "set", "eth0", "up")
    ip("route", "add", wiring.pods(node), "via", wiring.address(node))
    for other in set(range(1, wiring.nodes + 1)) - {node}:
        ip("-n", space, "route", "add", wiring.pods(other), "via", wiring.address(other))
    settings = "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"
    _run([*inside, "sh", "-c", settings])
    for rule in _node_rules(wiring, node, api_port):
        _run([*inside, "iptables", *rule])


def _node_rules(wiring: Wiring, node: int, api_port: int) -> Iterator[tuple[str, ...]]:
    nat, others = ("-t", "nat", "-A"), ("-m", "multiport", "!", "--dports", KUBELET_PORTS)
    to_machine = ("-j", "DNAT", "--to-destination", wiring.machine)
    yield (*nat, "OUTPUT", "-d", "127.0.0.1", "-p", "tcp", *others, *to_machine)
    yield (*nat, "POSTROUTING", "-s", "127.0.0.0/8", "-o", "eth0", "-j", "SNAT", "--to-source", wiring.address(node))
    service = ("-d", wiring.api_service, "-p", "tcp", "--dport", "443")
    yield (*nat, "PREROUTING", *service, "-j", "DNAT", "--to-destination", f"{wiring.machine}:{api_port}")
    yield ("-N", "CUT")
    yield ("-A", "CUT", "-i", "eth0", "-j", "DROP")
    yield ("-A", "CUT", "-o", "eth0", "-j", "DROP")


def _iptables(verb: str, rule: Sequence[str]) -> None:
    table, *rest = rule
    _run(["iptables", "-t", table, verb, *rest])


def _tried(argv: Sequence[str]) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _run(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise EngineTrouble(f"no `{argv[0]}`", "apt-get install iptables util-linux") from None
    if done.returncode:
        raise EngineTrouble(f"{' '.join(argv)}: {done.stderr.strip()}", "root with CAP_NET_ADMIN is needed")
    return done.stdout
