"""Who lives on this machine: processes by id and start time, their descendants, and those that carry a mark.

A process id alone names nobody, because ids are used again; with its start time it does. Must not know harnesses.
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.harness.lineage import descendants

_IS_LINUX = sys.platform.startswith("linux")


def boot_id() -> str:
    """Changes with each start of the machine."""
    if _IS_LINUX:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False).stdout.strip()


def machine_id() -> str:
    """Names the machine over its restarts."""
    try:
        machine = Path("/etc/machine-id").read_text().strip()
    except OSError:
        machine = ""
    return f"{machine}/{platform.node()}"


def pid_space() -> str:
    """The name space of process ids; those of another one cannot be looked up here."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """When the process started, in the system's own writing; empty when it has ended (a zombie has)."""
    if not _IS_LINUX:
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def is_alive(pid: int, started: str) -> bool:
    """Whether that very process still runs."""
    return bool(started) and start_time(pid) == started


def marked(*marks: str) -> Iterator[int]:
    """Processes, other than this one, that were started with one of `marks` (`NAME=value`) in their environment; Linux only."""
    wanted = {mark.encode() for mark in marks}
    for name in filter(str.isdigit, os.listdir("/proc") if _IS_LINUX else ()):
        try:
            environment = Path(f"/proc/{name}/environ").read_bytes()
        except OSError:
            continue
        if not wanted.isdisjoint(environment.split(b"\0")) and int(name) != os.getpid() and start_time(int(name)):
            yield int(name)


def end_all(known: Iterable[tuple[int, str]], *marks: str, within_seconds: float = 5.0) -> bool:
    """Kill those processes, what descends from them and what carries one of the marks; whether none is left."""
    until = time.monotonic() + within_seconds
    known = list(known)
    hunted: dict[int, str] = {}
    while True:
        roots = [pid for pid, started in known if is_alive(pid, started)]
        roots += [*marked(*marks)] if marks else []
        roots += [pid for pid, started in hunted.items() if is_alive(pid, started)]
        if not roots:
            return True
        for pid in descendants(roots) - {os.getpid()}:
            hunted.setdefault(pid, start_time(pid))
            _kill(pid)
        if time.monotonic() > until:
            return False
        time.sleep(0.005)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
