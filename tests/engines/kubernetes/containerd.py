"""A node's containerd (Debian's), with root, state, socket, CNI and registries of its own; it never meets Docker's."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from tests.engines.errors import EngineTrouble
from tests.engines.kubernetes.network import KUBELET_PORTS
from tests.engines.kubernetes.part import PATH, Part, Site
from tests.engines.kubernetes.pause import PAUSE, pause_archive
from tests.engines.processes import Identity, naming, spawn
from tests.engines.records import Record

PLUGINS = Path("/usr/lib/cni")
NETWORK_NOTES = Path("/var/lib/cni/results")
"""Where libcni keeps what it did, by network and container."""
LONGEST_SOCKET = 107
"""sun_path of unix(7), less the zero."""


class Containerd(Part):
    """One runtime; its shims and containers outlive it."""

    name = "containerd"

    def __init__(self, site: Site, node: int) -> None:
        super().__init__(site, site.folder / f"node-{node}" / self.name)
        self.node = node

    @property
    def socket(self) -> Path:
        """Where the kubelet and shims find it."""
        return self.folder / "c.sock"

    def arguments(self, port: int) -> list[str]:
        """All is in its file."""
        return ["--config", str(self.folder / "config.toml"), "--log-level", "warn"]

    def launch(self) -> Record:
        """Start it inside the node's network."""
        if len(f"{self.socket}.ttrpc") > LONGEST_SOCKET:
            raise EngineTrouble(f"{self.folder} is too long for sockets", "set DOIT_FLEET_ENGINES_HOME to a short path")
        self._configure()
        argv = [*self.site.wiring.inside(self.node), "containerd", *self.arguments(0)]
        return Record(processes=(spawn(argv, self.log, {"PATH": PATH}),), facts={"port": 0})

    def is_healthy(self) -> bool:
        """Whether somebody listens."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def import_pause(self) -> None:
        """Give it the image without which no pod starts."""
        archive = pause_archive(self.folder / "pause.tar")
        self._ctr("images", "import", str(archive))

    def shims(self) -> list[Identity]:
        """The processes that stand between it and containers."""
        return [who for who in naming(str(self.socket)) if self._is_shim(who)]

    def forget_shims(self) -> None:
        """Remove sockets of dead shims, which lie outside all our folders."""
        for note in (self.folder / "run").glob("io.containerd.runtime.v2.task/*/*/address"):
            Path(note.read_text("utf-8").removeprefix("unix://")).unlink(missing_ok=True)

    def forget_networks(self) -> None:
        """Remove notes about networks of containers, which lie outside, too."""
        for note in NETWORK_NOTES.glob(f"{self.site.wiring.space(self.node)}-*"):
            note.unlink(missing_ok=True)

    def _is_shim(self, who: Identity) -> bool:
        try:
            return b"containerd-shim" in Path(f"/proc/{who.pid}/cmdline").read_bytes().split(b"\0")[0]
        except OSError:
            return False

    def _ctr(self, *arguments: str) -> None:
        argv = ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineTrouble(f"{' '.join(argv)}: {done.stderr.strip()}", f"see {self.log}")

    def _configure(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.toml").write_text(self._config(), "utf-8")
        network = self.folder / "cni"
        network.mkdir(exist_ok=True)
        (network / "10-bridge.conflist").write_text(json.dumps(self._cni()), "utf-8")
        (self.folder / "registries").mkdir(exist_ok=True)
        for name, port in (("secure-registry", 15443), ("token-registry", 15444)):
            self._trust(name, port)

    def _trust(self, registry: str, port: int) -> None:
        """Shared registries with TLS are known by their CA, if they are there; plain ones on loopback need nothing."""
        ca = self.site.folder.parent / registry / "certificates" / "ca.pem"
        if ca.exists():
            place = self.folder / "registries" / f"127.0.0.1:{port}"
            place.mkdir(exist_ok=True)
            shutil.copy(ca, place / "ca.pem")
            told = f'server = "https://127.0.0.1:{port}"\nca = "{place / "ca.pem"}"\n'
            (place / "hosts.toml").write_text(told, "utf-8")

    def _cni(self) -> dict[str, Any]:
        """A bridge for pods inside the node's network (the bridge plug-in's reference)."""
        ranges = [[{"subnet": self.site.wiring.pods(self.node)}]]
        addresses = {"type": "host-local", "ranges": ranges, "dataDir": str(self.folder / "addresses")}
        bridge = {"type": "bridge", "bridge": "pods", "isDefaultGateway": True, "hairpinMode": True, "ipam": addresses}
        return {"cniVersion": "0.4.0", "name": self.site.wiring.space(self.node), "plugins": [bridge]}

    def _config(self) -> str:
        folder = self.folder
        unused = [f"io.containerd.snapshotter.v1.{name}" for name in ("aufs", "btrfs", "devmapper", "zfs")]
        cri = '[plugins."io.containerd.grpc.v1.cri"'
        return f"""version = 2
root = "{folder}/root"
state = "{folder}/run"
disabled_plugins = {json.dumps([*unused, "io.containerd.internal.v1.opt"])}
[grpc]
address = "{self.socket}"
{cri}]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
stream_server_port = "{KUBELET_PORTS.split(",")[1]}"
netns_mounts_under_state_dir = true
max_concurrent_downloads = 6
{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
{cri}.containerd.runtimes.runc.options]
SystemdCgroup = false
Root = "{folder}/runc"
{cri}.cni]
bin_dir = "{PLUGINS}"
conf_dir = "{folder}/cni"
{cri}.registry]
config_path = "{folder}/registries"
"""
