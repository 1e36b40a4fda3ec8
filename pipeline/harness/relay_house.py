"""The relay's place on its host: a base folder with what is kept by digest, and one folder of its own for each relay.

A relay holds a lock on its folder while it lives, so that another can tell whose owner is dead, and end what that left.
"""

from __future__ import annotations

import fcntl
import glob
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from typing import IO, Any

from . import lineage
from .command_standing import tear_down_in_child
from .host_setups import STANDING, tear_down_all
from .relay_archives import UNPACKED

MARK = "DOIT_FLEET_AGENT"
"""Environment variable of every process of a relay: the name of its folder."""
ABOUT, LOCK = "about.json", "lock"
UNKNOWN_SECONDS = 3600.0
"""After that long a folder is removed whose owner died before it could say whose it is, or when it had removed nearly all."""
AFTER_SECONDS = 120.0
OUTPUT_SHOWN = 4000
HARNESS_SECONDS = 3600.0
"""A harness folder may be another session's, which is about to begin."""


class House:
    """One relay's folder."""

    def __init__(self, base: str, name: str) -> None:
        self.base, self.name = base, name
        self.folder = os.path.join(base, "runs", name)
        self.objects = os.path.join(base, "objects")
        self._lock = -1
        self.about: dict[str, Any] = {}
        self.env: dict[str, str] = {}
        """For commands; never written down, because there may be secrets in it."""
        self.standing: dict[str, dict[str, str]] = {}
        """Folders of notes about set-ups, and the environment that their tear-downs have; that is never written down either."""
        self.envs: dict[str, dict[str, str]] = {}
        """For set-ups and tear-downs of suites, as far as they differ; likewise."""

    def open(self, about: dict[str, Any]) -> None:
        """Make the folder and lock it; `about`: `label` (whose store), `after` (commands). Raises `OSError`.

        It gets its name when it is locked: nobody may take it for one whose owner is dead.
        """
        os.makedirs(self.objects, mode=0o700, exist_ok=True)
        named, self.folder = self.folder, os.path.join(self.base, "runs", f".{self.name}")
        os.makedirs(self.folder, mode=0o700)
        self._lock = os.open(os.path.join(self.folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.about = about
        self.note(before=False)
        os.rename(self.folder, named)
        self.folder = named

    def note(self, **facts: Any) -> None:
        """Remember something for whoever tidies up: this process, its parent, or another relay."""
        self.about = {**(_about(self.folder) or self.about), **facts}
        path = os.path.join(self.folder, ABOUT)
        descriptor = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w") as file:
            json.dump(self.about, file)
        os.rename(f"{path}.new", path)

    def expect_notes(self, folder: str, env: dict[str, str]) -> None:
        """Remember where set-ups are noted, for whoever leaves or tidies up."""
        if folder not in self.standing:
            self.standing[folder] = env
            self.note(standing=sorted(self.standing))

    def leave(self) -> dict[str, Any]:
        """Run what is to run afterwards, remove the folder; what happened: `after`, `left`. Nothing, if it is not ours."""
        if self._lock < 0:
            return {"after": None, "left": [], "down": []}
        about = _about(self.folder) or self.about
        left = [line for folder, env in self.standing.items() for line in tear_down(self.name, [folder], env)]
        told = _clear(self.folder, about, self.env, self.envs)
        return {**told, "standing": left} if left else told


def tidy(
    base: str, label: str, keep_seconds: float, env: dict[str, str], envs: dict[str, dict[str, str]] | None = None
) -> list[str]:
    """End and remove what dead relays of that label have left, and what was kept too long; names of their folders."""
    removed = []
    runs = os.path.join(base, "runs")
    for name in sorted(os.listdir(runs)) if os.path.isdir(runs) else ():
        folder = os.path.join(runs, name)
        about = _about(folder) or {}
        if about.get("label") != label and not (not about and _is_old(folder)):
            continue
        lock = _taken(folder)
        if lock is None:
            continue
        end_marked(name.lstrip("."))
        tear_down(name.lstrip("."), about.get("standing", []), env)
        told = _clear(folder, about, env, envs or {})
        os.close(lock)
        removed.append(name if not told["left"] else f"{name} (not {told['left'][0]})")
    _forget_old(os.path.join(base, "objects"), keep_seconds)
    _forget_old(os.path.join(base, UNPACKED), keep_seconds)
    _forget_old(os.path.join(base, "harness"), max(keep_seconds, HARNESS_SECONDS))
    return removed


def end_marked(name: str, within_seconds: float = 5.0) -> bool:
    """Kill every process that carries the mark of that relay, or of one of that agent; whether none is left."""
    wanted = f"{MARK}={name}".encode(), f"{MARK}={name}-".encode()
    until = time.monotonic() + within_seconds
    while True:
        found = [pid for pid in _pids() if pid != os.getpid() and _carries(pid, wanted)]
        if not found:
            return True
        lineage.send(lineage.descendants(found) - {os.getpid()}, signal.SIGKILL)
        if time.monotonic() > until:
            return False
        time.sleep(0.01)


def tear_down(name: str, folders: list[str], env: dict[str, str]) -> list[str]:
    """Tear down set-ups that nobody has torn down; what went wrong, a text for each."""
    told = tear_down_in_child(folders, {**env, MARK: name})
    if told:
        end_marked(name)  # Whatever tear-downs have started in the background.
    return ["set-up %s: %s" % (one["name"], one["trouble"]) for one in told if one["trouble"]]


def run_commands(commands: list[str], cwd: str, env: dict[str, str], seconds: float | None) -> dict[str, Any]:
    """Run commands with the shell, one after the other, to the first that fails: `code`, `command`, `output` (its end)."""
    with tempfile.TemporaryFile() as output:  # No pipe: what a command leaves running may hold it.
        for command in commands:
            try:
                code = subprocess.call(
                    ["/bin/sh", "-c", command],
                    cwd=cwd,
                    env={**os.environ, **env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    timeout=seconds,
                )
            except (subprocess.TimeoutExpired, OSError) as error:
                output.write(f"{error}\n".encode())
                return _told(None, command, output)
            if code != 0:
                return _told(code, command, output)
        return _told(0, "", output)


def find_python(names: list[str], cwd: str) -> str | None:
    """The first of these that is a program: a path (`~` is the home, others start in `cwd`) or a name in PATH."""
    for name in names:
        path = os.path.join(cwd, os.path.expanduser(name)) if "/" in name else shutil.which(name)
        if path and os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    return None


def _told(code: int | None, command: str, output: IO[bytes]) -> dict[str, Any]:
    output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT_SHOWN))
    return {"code": code, "command": command, "output": output.read().decode("utf-8", "replace")}


def _clear(folder: str, about: dict[str, Any], env: dict[str, str], envs: dict[str, dict[str, str]]) -> dict[str, Any]:
    told: dict[str, Any] = {"after": None, "left": []}
    cwd = about.get("project") or folder
    cwd = cwd if os.path.isdir(cwd) else folder
    marked = {**env, MARK: os.path.basename(folder)}
    told["down"] = tear_down_all(os.path.join(folder, STANDING), cwd, marked, envs)
    if about.get("before") and about.get("after"):
        told["after"] = run_commands(about["after"], cwd, marked, AFTER_SECONDS)
        end_marked(os.path.basename(folder))
    for name in os.listdir(folder):
        if name not in (
            ABOUT,
            LOCK,
        ):  # Last: whoever is killed while it removes leaves to another what says whose this is.
            told["left"] += remove(os.path.join(folder, name))
    told["left"] = told["left"] or remove(folder)
    return told


def _is_old(folder: str) -> bool:
    try:
        return os.stat(folder).st_mtime < time.time() - UNKNOWN_SECONDS
    except OSError:
        return False


def remove(folder: str) -> list[str]:
    """Remove a folder with all that is in it; what could not be, with the reason."""
    left: list[str] = []

    def free(function: Any, path: str, error: Any) -> None:
        try:
            os.chmod(os.path.dirname(path), stat.S_IRWXU)
            if os.path.isdir(path) and not os.path.islink(path):
                os.chmod(path, stat.S_IRWXU)
                shutil.rmtree(path)
            else:
                os.unlink(path)
        except FileNotFoundError:
            pass
        except OSError as trouble:
            left.append(f"{path}: {trouble.strerror}")

    if os.path.isdir(folder):
        shutil.rmtree(folder, onerror=free)
    elif os.path.lexists(folder):
        os.unlink(folder)
    return left


def _about(folder: str) -> dict[str, Any] | None:
    try:
        with open(os.path.join(folder, ABOUT)) as file:
            told = json.load(file)
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _taken(folder: str) -> int | None:
    """The lock of a folder whose relay is dead; None: it lives, or the folder is gone."""
    try:
        lock = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _forget_old(folder: str, keep_seconds: float) -> None:
    """Remove entries two levels down (objects) or one (harnesses) that were not used for so long."""
    oldest = time.time() - keep_seconds
    for path in [*glob.glob(os.path.join(folder, "??", "*")), *glob.glob(os.path.join(folder, "?" * 64))]:
        try:
            if os.stat(path).st_mtime < oldest:
                remove(path)
        except OSError:
            continue


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _carries(pid: int, wanted: tuple[bytes, bytes]) -> bool:
    """Whether its environment has the first, or something that begins as the second."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return any(one == wanted[0] or one.startswith(wanted[1]) for one in file.read().split(b"\0"))
    except OSError:
        return False
