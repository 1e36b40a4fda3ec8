"""Docker: the daemon that is there already, else one of our own with its own data, socket and containerd.

Ours changes nothing of the machine's firewall: containers reach each other, this machine and loopback of theirs, not the world.
Each has a bridge of its own, so that any number stand beside each other (`--bridge=none` would delete docker0).
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from tests.engines.bridges import make_bridge, remove_bridge
from tests.engines.control_groups import members, remove_group
from tests.engines.docker_ping import answers
from tests.engines.engine import Engine
from tests.engines.errors import EngineTrouble
from tests.engines.mounts import unmount_below
from tests.engines.processes import Identity, identify, kill_all, naming, spawn, wait_for
from tests.engines.records import Record, recall

USUAL_SOCKET = "unix:///var/run/docker.sock"
LONGEST_SOCKET = 107
"""sun_path of unix(7), less the zero; containerd's is the longest below our folder."""


class Docker(Engine):
    """A daemon for all tests."""

    name = "docker"
    start_seconds = 60.0
    stop_seconds = 30.0
    finds_others = True
    more_options: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The value for DOCKER_HOST."""
        return str(self.facts["host"])

    def launch(self) -> Record:
        """Use the daemon that answers, else start one."""
        found = next(filter(answers, self._others()), None)
        if found:
            return Record(facts={"host": found, "ours": False})
        self._check()
        self._forget_the_dead()
        host = f"unix://{self.folder / 'docker.sock'}"
        who = spawn(self._command(host), self.log)
        return Record(processes=(who,), facts={"host": host, "ours": True})

    def is_healthy(self) -> bool:
        """Whether the daemon answers."""
        found = recall(self.folder)
        return found is not None and answers(str(found.facts["host"]))

    def clean(self) -> None:
        """End containers, shims and containerd a killed daemon left, and undo their mounts."""
        kill_all(self._left())
        unmount_below(self.folder)
        for path in (self.folder / "docker.pid", self.folder / "exec"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        remove_group(self.group)
        remove_bridge(self.bridge)

    def kill(self) -> None:
        """SIGKILL the daemon; the kernel kills its containerd with it, containers go on until a daemon comes again."""
        super().kill()
        wait_for(lambda: identify(_pid(self.containerd_pid)) is None, 10)

    def client(self, timeout: int = 60) -> Any:
        """A client of the Docker SDK."""
        import docker

        return docker.DockerClient(base_url=self.host, timeout=timeout, max_pool_size=32)

    @property
    def group(self) -> str:
        """The control group above all its containers; names what is ours."""
        return f"doit-fleet-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]}"

    @property
    def bridge(self) -> str:
        """Its default network's interface."""
        return f"df-{self.group[-8:]}"

    def _command(self, host: str) -> list[str]:
        folder = self.folder
        ours = ("--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile", folder / "docker.pid")
        alone = ("--containerd-namespace", self.group, "--containerd-plugins-namespace", f"{self.group}-plugins")
        quiet = ("--iptables=false", "--ip6tables=false", "--ip-masq=false", "--cgroup-parent", f"/{self.group}")
        number = make_bridge(self.bridge, int(self.group[-8:], 16))
        net = ("--bridge", self.bridge, "--default-address-pool", f"base=10.{number}.128.0/17,size=24")
        config = folder / "daemon.json"
        config.write_text("{}", "utf-8")  # Not the machine's /etc/docker/daemon.json.
        options = (*ours, *alone, *quiet, *net, "--config-file", config, "--shutdown-timeout", 5)
        return ["dockerd", "--host", host, "--group", "0", *map(str, options), *self.more_options]

    @property
    def containerd_pid(self) -> Path:
        """Where it notes which containerd is its own."""
        return self.folder / "exec" / "containerd" / "containerd.pid"

    def _forget_the_dead(self) -> None:
        """A daemon believes these files as long as anything has the pid, be it a zombie."""
        for note in (self.folder / "docker.pid", self.containerd_pid):
            if identify(_pid(note)) is None:
                note.unlink(missing_ok=True)

    def _others(self) -> tuple[str, ...]:
        return (os.environ.get("DOCKER_HOST") or USUAL_SOCKET,) if self.finds_others else ()

    def _check(self) -> None:
        if not shutil.which("dockerd"):
            raise EngineTrouble("no dockerd", "apt-get install docker.io, or name a running daemon by DOCKER_HOST")
        if os.geteuid() != 0:
            raise EngineTrouble("only root can start dockerd", "start Docker yourself and name it by DOCKER_HOST")
        longest = self.folder / "exec" / "containerd" / "containerd-debug.sock.ttrpc"
        if len(os.fsencode(longest)) > LONGEST_SOCKET:
            raise EngineTrouble(f"{self.folder} is too long for sockets", "set DOIT_FLEET_ENGINES_HOME to a short path")

    def _left(self) -> list[Identity]:
        inside = [who for who in map(identify, members(self.group)) if who]
        return [*inside, *naming(f"{self.folder}/exec"), *naming(f"{self.folder}/data")]


class OwnDocker(Docker):
    """A daemon for one test; with `live_restore` its containers go on while it is away."""

    finds_others = False

    def __init__(self, folder: Path, *, live_restore: bool = False) -> None:
        super().__init__(folder)
        self.more_options = ("--live-restore",) if live_restore else ()


def _pid(note: Path) -> int:
    """Of a file; one that nobody has when there is none."""
    try:
        return int(note.read_text("ascii"))
    except (OSError, ValueError):
        return -1
