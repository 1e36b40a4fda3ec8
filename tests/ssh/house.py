"""Hosts for a test: real SSH servers, a client's configuration, and a project whose workers live on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

from pipeline.adapters.openssh import Client
from tests.engines.own import own_sshd
from tests.engines.sshd import Sshd, make_key, write_client_config
from tests.engines.toml import inline
from tests.faults.project import MARKER, Project, until

NO_PYTHON = (
    "exec unshare -m sh -c 'for p in /usr/bin/python3 /usr/local/bin/python3; do "
    'if [ -e $p ]; then mount --bind /dev/null $p; fi; done; PATH=/usr/bin:/bin; exec sh -c "$SSH_ORIGINAL_COMMAND"\''
)
"""A session's command that hides all interpreters from it, in a mount name space of its own."""
RELAY = b"exec(sys.stdin.buffer.readline())"
"""In the command line of every relay."""


@define
class Lab:
    """Some hosts, and how they are reached."""

    folder: Path
    hosts: dict[str, Sshd] = field(factory=dict)

    @property
    def config(self) -> Path:
        """The client's configuration."""
        return self.folder / "ssh_config"

    @property
    def key(self) -> Path:
        """Of whoever may log in."""
        return self.folder / "key"

    @property
    def remote(self) -> Path:
        """The folder of ours on hosts: the same for all, as with a shared home."""
        return self.folder / "remote"

    @property
    def client(self) -> Client:
        """OpenSSH's client for these hosts."""
        return Client(config=str(self.config), connect_seconds=10.0)

    def write_config(self, *more: str) -> None:
        """Write the client's configuration anew."""
        write_client_config(self.config, self.hosts, self.key, more)

    def relays(self) -> list[int]:
        """Pids of all relays."""
        return [pid for host in self.hosts.values() for pid in host.sessions() if RELAY in _command(pid)]

    def left(self) -> list[str]:
        """What is left on hosts, but for what is kept by digest."""
        folders = [str(path) for path in (self.remote / "runs").glob("[!.]*")]
        return [*(f"relay {pid}" for pid in self.relays()), *folders]


@contextmanager
def lab(folder: Path, names: Sequence[str], settings: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[Lab]:
    """Start a server for each name, with further lines of its configuration where some are given."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Lab(folder)
    with ExitStack() as stack:
        for name in names:
            host = stack.enter_context(own_sshd(**(settings or {}).get(name, {})))
            host.allow(make_key(made.key))
            made.hosts[name] = host
        made.write_config()
        yield made


@define
class SshProject(Project):
    """A project with settings for the launcher `ssh`."""

    lab: Lab = field(kw_only=True)
    lease: str = "4s"
    repeats_without_agent: int = 8
    """Of each worker the test in flight, and one whose result was on the way."""
    slots: int = 2
    host_settings: dict[str, Any] = field(factory=dict)
    """Further settings of every host."""
    own: dict[str, dict[str, Any]] = field(factory=dict)
    """Further settings of single hosts."""
    everywhere: dict[str, Any] = field(factory=dict)
    """Further settings of `ssh`."""
    suite: dict[str, Any] = field(factory=dict)
    marked: dict[str, str] = field(factory=dict)
    """Further variables of all tests."""
    listed: Path = Path()
    """A hosts file that names them; else the settings do."""

    def settle(self) -> None:
        """Write settings, and what git ignores."""
        super().settle()
        suite = {"env": {"FLEET_TRACE": str(self.trace_file), MARKER: self.marker, **self.marked}, **self.suite}
        text = "[tool.doit-fleet.suites.unit]\n" + _lines(suite)
        told = {"config": str(self.lab.config), "folder": str(self.lab.remote), **self.everywhere}
        is_listed = self.listed.name != ""
        told.update({"hosts_file": str(self.listed)} if is_listed else {})
        text += "[tool.doit-fleet.ssh]\n" + _lines(told)
        for name in () if is_listed else self.lab.hosts:
            text += f"[tool.doit-fleet.hosts.{name}]\n" + _lines(
                {"slots": self.slots, **self.host_settings, **self.own.get(name, {})}
            )
        self.write("pyproject.toml", text)
        self.write(".gitignore", "build\n.fleet\n__pycache__\n")

    def commands(self, count: int, seconds: float, **suite: Any) -> int:
        """A suite of commands that leave a trace and sleep; `suite`: further settings. How many."""
        script = f'echo "$0" >> "$FLEET_TRACE"; sleep {seconds}'
        self.write("lines.txt", "".join(f"line{number}\n" for number in range(count)))
        told = {"framework": "command", "lines": ["lines.txt"], "command": ["sh", "-c", script, "{line}"]}
        self.suite = {**told, **suite}
        self.arguments = (
            f"workers.count={self.workers}",
            f"workers.lease_seconds={self.lease}",
            "workers.max_losses=100",
        )
        return count

    def supervisors(self, agent: int) -> list[int]:
        """Relays hold the zygotes."""
        return self.lab.relays()

    def sweep(self) -> None:
        """Hosts are swept by the next run, or by hand."""
        sweep = self.start("sweep", "--all")
        assert sweep.end() == 0, sweep.output

    def left(self) -> list[str]:
        """Relays and run folders, too."""
        return [*super().left(), *self.lab.left()]


def ssh_project(root: Path) -> Iterator[SshProject]:
    """A project in `root` with two hosts; nothing of it may be left afterwards."""
    root.mkdir()
    with lab(root.parent / "lab", ("lab1", "lab2")) as hosts:
        made = SshProject(root, launcher="ssh", lab=hosts)
        try:
            yield made
            until(lambda: not made.left(), made.left, 15)
        finally:
            made.clear()


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _lines(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {inline(value)}\n" for name, value in values.items())
