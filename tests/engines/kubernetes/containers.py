"""A pod as its node sees it: control groups and processes that may be frozen and killed behind the kubelet's back."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from tests.engines.kubernetes.cluster import Kubernetes
from tests.engines.processes import Identity, identify, kill, wait_for

FREEZER = Path("/sys/fs/cgroup/freezer")
"""Of version 1, cgroups(7)."""


@frozen(kw_only=True)
class PodOnNode:
    """One pod by its uid, which may be gone from the API."""

    engine: Kubernetes
    uid: str

    def processes(self) -> list[Identity]:
        """All that run in it; the runtime's own, which holds its network, is among them."""
        files = [file for folder in self._folders() for file in folder.glob("*/cgroup.procs")]
        pids = [int(line) for file in files for line in file.read_text("ascii").split()]
        return [who for who in map(identify, pids) if who]

    def supervisors(self) -> list[int]:
        """Pids of the first processes of its containers, but the runtime's own."""
        pids = {who.pid for who in self.processes()}
        return sorted(pid for pid in pids if _parent(pid) not in pids and _name(pid) != "pause")

    def freeze(self) -> None:
        """Stop all of it, as a stalled machine would; nobody is told."""
        for folder in self._folders():
            _turn(folder, "FROZEN")

    def thaw(self) -> None:
        """Let it go on, if it is still there; what runc froze meanwhile in order to kill it, too."""
        for folder in self._folders():
            for each in (folder, *(state.parent for state in folder.glob("*/freezer.state"))):
                _turn(each, "THAWED")

    def kill(self) -> None:
        """SIGKILL the first process of each container; the kernel ends the rest."""
        for who in filter(None, map(identify, self.supervisors())):
            kill(who)

    def _folders(self) -> list[Path]:
        return [path for path in (FREEZER / self.engine.group).glob(f"*/**/pod{self.uid}") if path.is_dir()]


def _turn(folder: Path, state: str) -> None:
    place = folder / "freezer.state"
    try:
        place.write_text(state, "ascii")
        wait_for(lambda: place.read_text("ascii").strip() == state, 5)
    except OSError:
        pass  # It has ended.


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
    except OSError:
        return ""
