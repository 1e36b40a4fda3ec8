"""sshd: real OpenSSH servers on free ports of loopback, each a "host" with keys of its own; one key of a user may log in.

A session process is a child of its connection's, which is one of the server's: `kill` leaves them alone, `lose_power` does not.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.engines.engine import ListeningEngine
from tests.engines.errors import EngineTrouble
from tests.engines.ports import LOOPBACK
from tests.engines.processes import spawn
from tests.engines.records import Record, recall

INSTALL = "apt-get install openssh-server"
CONFIG = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
PidFile {folder}/pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitUserEnvironment no
PrintMotd no
AcceptEnv LANG
LogLevel VERBOSE
"""


def program() -> str | None:
    """sshd, wherever it is."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def make_key(path: Path) -> Path:
    """A key without a passphrase, unless it is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "doit-fleet tests", "-f", str(path)], check=True
        )
    return path


class Sshd(ListeningEngine):
    """One server: one host."""

    name = "sshd"
    usual_port = 17022
    start_seconds = 15.0

    def __init__(self, folder: Path | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are further lines of its configuration; they win."""
        super().__init__(folder)
        self.settings = dict(settings or {})

    @property
    def address(self) -> str:
        """Where it listens."""
        return LOOPBACK

    @property
    def known_hosts(self) -> str:
        """The line that a client knows it by."""
        kind, key = (self.folder / "host_key.pub").read_text("ascii").split()[:2]
        return f"[{self.facts['address']}]:{self.facts['port']} {kind} {key}\n"

    def allow(self, key: Path) -> None:
        """Let the holder of that key in."""
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(f"{key}.pub", self.folder / "authorized_keys")

    def launch(self) -> Record:
        """Start it where it was before, else at the usual port; a private one at any."""
        found = program()
        if found is None:
            raise EngineTrouble("there is no sshd", f"install it: {INSTALL}")
        make_key(self.folder / "host_key")
        make_key(self.folder / "user_key")
        if not (self.folder / "authorized_keys").exists():
            self.allow(self.folder / "user_key")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # Compiled in, for separated privileges.
        port = self.port()
        lines = "".join(f"{name} {value}\n" for name, value in self.settings.items())
        config = self.folder / "config"
        config.write_text(lines + CONFIG.format(port=port, address=self.address, folder=self.folder))
        who = spawn([found, "-D", "-e", "-f", str(config)], self.log)
        facts = {"address": self.address, "port": port, "user": getpass.getuser(), "key": str(self.folder / "user_key")}
        return Record(processes=(who,), facts=facts)

    def is_healthy(self) -> bool:
        """Whether it says its version."""
        found = recall(self.folder)
        if found is None:
            return False
        try:
            with socket.create_connection((found.facts["address"], found.facts["port"]), timeout=5) as probe:
                return probe.recv(8).startswith(b"SSH-2.0")
        except OSError:
            return False

    def sessions(self) -> list[int]:
        """Processes of its connections, and all that they have started, without what was detached from them."""
        found = recall(self.folder)
        return sorted(_below([who.pid for who in found.processes] if found else []))

    def lose_power(self) -> None:
        """SIGKILL to the server, its connections and all below them."""
        below = self.sessions()
        self.kill()
        _send(below, signal.SIGKILL)

    def kill_sessions(self) -> None:
        """SIGKILL to connections and to all below them; the server itself lives."""
        _send(self.sessions(), signal.SIGKILL)

    def cut_sessions(self) -> None:
        """SIGKILL to the connections' own processes only: what was started there is left to itself."""
        _send([pid for pid in self.sessions() if _program_of(pid) == "sshd"], signal.SIGKILL)


def write_client_config(path: Path, hosts: Mapping[str, Sshd], key: Path, more: Sequence[str] = ()) -> Path:
    """A configuration for ssh by which these hosts are reached by name, their keys known."""
    known = path.with_name(f"{path.name}-known_hosts")
    known.write_text("".join(host.known_hosts for host in hosts.values()))
    lines = list(more)
    for name, host in hosts.items():
        facts = host.facts
        lines += [
            f"Host {name}",
            f"  HostName {facts['address']}",
            f"  Port {facts['port']}",
            f"  User {facts['user']}",
        ]
    lines += [
        "Host *",
        f"  IdentityFile {key}",
        "  IdentitiesOnly yes",
        f"  UserKnownHostsFile {known}",
        "  GlobalKnownHostsFile none",
        "  StrictHostKeyChecking yes",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def _below(roots: Sequence[int]) -> set[int]:
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:
            continue
        fresh = {int(child) for child in children} - found
        found |= fresh
        waiting += fresh
    return found


def _program_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def _send(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
