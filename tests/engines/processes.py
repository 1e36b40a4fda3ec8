"""Processes that outlive whoever starts them, known by pid *and* start time, so that a recycled pid is never signalled.

Knows Linux's /proc and no engine.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.engines.errors import EngineTrouble

POLL_SECONDS = 0.02


@frozen(kw_only=True)
class Identity:
    """One process of one boot of this machine."""

    pid: int
    started: int
    """Clock ticks since boot, field 22 of /proc/PID/stat (proc(5))."""
    boot: str


def identify(pid: int) -> Identity | None:
    """Who has that pid now; nobody, when it is dead or only waits to be reaped."""
    state, found = _look(pid)
    return None if state in "ZX" else found


def _look(pid: int) -> tuple[str, Identity | None]:
    """State and identity; X and nobody, when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return "X", None
    state, *rest = text.rpartition(")")[2].split()
    return state, Identity(pid=pid, started=int(rest[18]), boot=boot_id())


def boot_id() -> str:
    """The name of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def pid_namespace() -> str:
    """Where pids that we see mean something, pid_namespaces(7)."""
    return os.readlink("/proc/self/ns/pid")


def lives(who: Identity) -> bool:
    """Whether exactly this process still runs (or is paused)."""
    return identify(who.pid) == who


def spawn(argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Identity:
    """Start a program in a session of its own; its output is added to the log. Raises OSError when it cannot be started."""
    log.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    silence = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, silence, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    try:
        pid = os.posix_spawnp(
            argv[0], list(argv), dict(os.environ if env is None else env), file_actions=actions, setsid=True
        )
    finally:
        os.close(output)
        os.close(silence)
    found = _look(pid)[1]
    assert found, "our child is there until we reap it, even when it ended at once"
    return found


def send(who: Identity, number: signal.Signals) -> None:
    """Signal this process, if it still is this process."""
    if lives(who):
        try:
            os.kill(who.pid, number)
        except ProcessLookupError:
            pass  # It ended between the look and the signal.


def end(who: Identity, patience: float) -> None:
    """TERM, and KILL after `patience` seconds; returns when it is gone."""
    send(who, signal.SIGTERM)
    send(who, signal.SIGCONT)
    if not wait_for(lambda: gone(who), patience):
        kill(who)


def kill(who: Identity) -> None:
    """KILL; returns when it is gone."""
    send(who, signal.SIGKILL)
    if not wait_for(lambda: gone(who), 10):
        raise EngineTrouble(f"process {who.pid} does not die", "it may hang in the kernel; see `dmesg`")


def gone(who: Identity) -> bool:
    """Whether it has ended; reaped, where it was our child."""
    if lives(who):
        return False
    reap(who.pid)
    return True


def reap(pid: int) -> None:
    """Forget an ended child; of others init takes care."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # Not ours.


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def naming(text: str) -> Iterator[Identity]:
    """Processes whose command line names that text: what a daemon left behind says where it belongs."""
    wanted = text.encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                found = wanted in (folder / "cmdline").read_bytes()
            except OSError:
                continue  # It ended.
            who = identify(int(folder.name)) if found else None
            if who is not None:
                yield who


def kill_all(found: Iterable[Identity]) -> None:
    """KILL each of them."""
    for who in list(found):
        kill(who)
