"""A node: containerd and kubelet in a network namespace; its ways to be lost."""

from __future__ import annotations

from pathlib import Path

from tests.engines.control_groups import members
from tests.engines.kubernetes import network
from tests.engines.kubernetes.containerd import Containerd
from tests.engines.kubernetes.kubelet import Kubelet
from tests.engines.kubernetes.part import Site
from tests.engines.processes import Identity, identify, kill_all

GROUPS = Path("/sys/fs/cgroup")
SHARES = 8192
"""Of the processors, for all pods of a cluster; a process of the machine that is in no group has 1024. With less, pods on a busy
machine are too slow to say that they live."""


class Node:
    """One of the cluster's nodes, counted from 1."""

    def __init__(self, site: Site, number: int, group: str) -> None:
        self.site, self.number, self.group = site, number, f"{group}/node-{number}"
        self.name = f"node-{number}"
        self.containerd = Containerd(site, number)
        self.kubelet = Kubelet(site, number, self.group, self.containerd)

    @property
    def address(self) -> str:
        """Of the node, as the API tells it."""
        return self.site.wiring.address(self.number)

    def start(self) -> None:
        """Start what does not run; also how a lost node comes back, with the disk it had."""
        for controller in GROUPS.iterdir():
            if controller.name != "unified" and controller.is_dir() and not controller.is_symlink():
                (controller / self.group).mkdir(parents=True, exist_ok=True)
        shares = GROUPS / "cpu" / self.group.partition("/")[0] / "cpu.shares"
        if shares.exists():
            shares.write_text(str(SHARES), "ascii")
        network.mend(self.site.wiring, self.number)
        if self.containerd.record is None:
            self.containerd.start()
            self.containerd.import_pause()
        self.kubelet.start()

    def kill(self) -> None:
        """SIGKILL kubelet, containerd and shims; the containers' processes go on without anybody who watches them."""
        self.kubelet.kill()
        self.containerd.kill()
        kill_all(self.containerd.shims())
        self.containerd.forget_shims()

    def lose_power(self) -> None:
        """SIGKILL everything on the node, containers too."""
        self.kill()
        for state in (GROUPS / "freezer" / self.group).glob("**/freezer.state"):
            if state.parent.name != self.name:
                state.write_text("THAWED", "ascii")  # runc may have died while it had frozen what it was to kill.
        kill_all(self.processes())

    def cut_off(self) -> None:
        """Pull its cable: nothing reaches the node or its pods, nor they anything; all go on."""
        network.cut(self.site.wiring, self.number)

    def cut_off_from_api(self) -> None:
        """The kubelet reaches nobody; pods go on and reach the store."""
        network.cut_from_api(self.site.wiring, self.number)

    def mend(self) -> None:
        """Put the cable back."""
        network.mend(self.site.wiring, self.number)

    def processes(self) -> list[Identity]:
        """All that run in its containers."""
        return [who for who in map(identify, members(self.group)) if who]

    @property
    def runs(self) -> bool:
        """Whether kubelet and containerd live."""
        return self.kubelet.record is not None and self.containerd.record is not None
