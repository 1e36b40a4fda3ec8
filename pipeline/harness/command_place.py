"""Where the commands of one harness run: the folders, fields and variables that all of them share, and how one is carried out.

Knows neither tests nor set-ups, only commands.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
from time import perf_counter
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from . import command_template as template
from .command_process import Bell, Running, explain, start, told

LONGEST_NAME = 80
RUN = "DOIT_FLEET_RUN_ID"
OUTPUT = "output.log"


class Ended(NamedTuple):
    """How a command ended."""

    status: Optional[int]
    """As in `subprocess`: negative is a signal; None: it could not be started, or was stopped."""
    seconds: float
    trouble: str = ""
    """Why it has no status of its own."""
    is_late: bool = False
    """It was ended because its time was over."""

    @property
    def text(self) -> str:
        """How it ended, for people."""
        return self.trouble if self.status is None or self.is_late else told(self.status)


class Call(NamedTuple):
    """One command to be carried out."""

    command: Any
    """A text for the shell, or a list of words with fields."""
    fields: Mapping[str, str]
    env: Mapping[str, str]
    output: str
    """The file that what it says is added to."""
    seconds: Optional[float] = None
    cwd: str = "."
    """Relative to the suite's root; may have fields."""
    heeds_halt: bool = True
    """Whether a stop ends it."""


class Place:
    """One harness's."""

    def __init__(self, options: Mapping[str, Any], halt: Any) -> None:
        """`halt.asked` becomes true when everything is to end."""
        self.options = options
        self.halt = halt
        self.bell = Bell()
        self.root = os.getcwd()
        self.grace: float = options["kill_after_seconds"]
        self._scratch = ""
        self._base: Optional[Tuple[str, Dict[str, str]]] = None

    def fields(self) -> Dict[str, str]:
        """Fields of whatever runs here."""
        slot = int(self.options.get("slot", 0))
        return {
            "suite": str(self.options["suite"]),
            "root": self.root,
            "slot": str(slot),
            "worker": "gw%d" % slot,
            "run": os.environ.get(RUN, "run"),
        }

    def folder(self, name: str) -> str:
        """An empty folder of that name, below what belongs to this run."""
        path = os.path.join(self.options["folder_of_runs"], plain_name(self.fields()["run"]), name)
        if os.path.lexists(path):
            remove(path)
        os.makedirs(path)
        return path

    def _environment(self) -> Dict[str, str]:
        """Our own, read once for each run: reading it costs as much as much else."""
        run = os.environ.get(RUN, "")
        if self._base is None or self._base[0] != run:
            self._base = run, dict(os.environ)
        return self._base[1]

    def scratch(self) -> str:
        """An empty folder for whatever comes next, for those of whom nothing is kept: making one for each costs more than they do."""
        if self._scratch and not os.listdir(self._scratch):
            return self._scratch
        self._scratch = self.folder("scratch-%d" % os.getpid())
        return self._scratch

    def close(self) -> None:
        """Remove what nobody needs."""
        if self._scratch:
            remove(self._scratch)

    def begin(self, call: Call) -> Any:
        """A command that has been started, or `Ended` when it could not be; what it says is added to its file."""
        began = perf_counter()
        try:
            arguments = template.arguments(call.command, call.fields)
            cwd = os.path.join(self.root, template.fill(call.cwd, call.fields))
        except KeyError as error:
            return Ended(None, 0.0, "there is no field {%s} here" % error.args[0])
        try:
            descriptor = os.open(call.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            return Ended(None, 0.0, "cannot write %r: %s" % (call.output, error.strerror))
        env = {**self._environment(), **call.env, **template.variables(call.fields)}
        try:
            return start(arguments, cwd=cwd, env=env, output=descriptor, bell=self.bell)
        except (OSError, ValueError) as error:
            return Ended(None, perf_counter() - began, explain(error, arguments, cwd))
        finally:
            os.close(descriptor)

    def await_end(self, running: Running, call: Call, began: float) -> Ended:
        """Wait for a command's own end; what is late or must stop is ended, and its group with it."""
        if running.wait(call.seconds, lambda: call.heeds_halt and self.halt.asked):
            return Ended(running.status(), perf_counter() - began)
        is_halted = call.heeds_halt and self.halt.asked
        running.end(self.grace)
        trouble = "stopped" if is_halted else "it took longer than %g s" % (call.seconds or 0.0)
        return Ended(None, perf_counter() - began, trouble, not is_halted)

    def perform(self, call: Call) -> Ended:
        """Carry out a command to its end; nothing of its group is left."""
        began = perf_counter()
        running = self.begin(call)
        if isinstance(running, Ended):
            return running
        ended = self.await_end(running, call, began)
        running.reap()
        return ended


def plain_name(text: str, more: str = "") -> str:
    """A file name for any text; what had to be changed is told apart by a digest. `more` is added in front of that."""
    plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", text)[:LONGEST_NAME].strip("-.")
    if plain == text and not more:
        return plain
    digest = hashlib.sha256((text + "\0" + more).encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return "-".join(part for part in (plain, more, digest) if part)


def remove(path: str) -> None:
    """Remove a folder of ours as far as it can be."""
    unlock(path)
    shutil.rmtree(path, ignore_errors=True)


def unlock(path: str) -> None:
    """Open folders that a test has closed to everybody; links are not followed."""
    for folder, names, _ in os.walk(path):
        for name in names:
            inner = os.path.join(folder, name)
            if not os.path.islink(inner):
                with contextlib.suppress(OSError):
                    os.chmod(inner, 0o700)
