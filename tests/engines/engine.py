"""What every engine is: a folder, processes that are remembered, a question whether it is healthy, a log.

Knows no engine; each has a file of its own. A new one (Kubernetes, sshd) subclasses `Engine` and is added to `engines.py`.
"""

from __future__ import annotations

import shutil
import signal
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from tests.engines import places, ports
from tests.engines.errors import EngineTrouble
from tests.engines.mounts import unmount_below
from tests.engines.processes import Identity, end, kill, lives, send, wait_for
from tests.engines.records import Record, forget, recall, remember


class Engine(ABC):
    """One engine in one folder. All methods may be called from any process; two starts at once give one engine."""

    name: str
    start_seconds = 30.0
    """How long it may take until it is healthy."""
    stop_seconds = 15.0

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or places.home() / self.name
        self.is_shared = folder is None

    @abstractmethod
    def launch(self) -> Record:
        """Start its processes and say how it is reached. Raises EngineTrouble with the way out."""

    @abstractmethod
    def is_healthy(self) -> bool:
        """Whether it answers now."""

    def clean(self) -> None:  # noqa: B027 - most have nothing more.
        """End and undo what its processes left; called when they are gone."""

    @property
    def log(self) -> Path:
        """Everything its processes said, over all starts."""
        return self.folder / "log"

    @property
    def record(self) -> Record | None:
        """What is known of it, if it was started and lives."""
        found = recall(self.folder)
        return found if found and found.alive else None

    @property
    def facts(self) -> dict[str, Any]:
        """How it is reached. Raises EngineTrouble when it does not run."""
        found = self.record
        if found is None:
            raise EngineTrouble(f"{self.name} does not run", f"start it: python -m tests.engines start {self.name}")
        return found.facts

    def running(self) -> bool:
        """Whether it was started, lives and answers."""
        return self.record is not None and self.is_healthy()

    def start(self) -> Record:
        """Start it unless it runs; returns when it is healthy."""
        with places.locked(self.folder):
            found = self.record
            if found and wait_for(self.is_healthy, self.start_seconds if found.processes else 0):
                return found
            self._end()
            fresh = self.launch()
            remember(self.folder, fresh)
            self._wait_until_healthy(fresh)
            return fresh

    def stop(self) -> None:
        """End it and everything it started; nothing happens when it does not run."""
        with places.locked(self.folder):
            self._end()

    def kill(self) -> None:
        """SIGKILL, as a crash would: nothing is tidied."""
        for who in self._processes():
            kill(who)

    def pause(self) -> None:
        """It hangs: connections are accepted by the kernel and nobody answers."""
        for who in self._processes():
            send(who, signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        for who in self._processes():
            send(who, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again at the same address with what it had stored."""
        with places.locked(self.folder):
            for who in self._processes():
                end(who, self.stop_seconds)
            fresh = self.launch()
            remember(self.folder, fresh)
            self._wait_until_healthy(fresh)

    def discard(self) -> None:
        """Stop it and remove all it had stored."""
        self.stop()
        unmount_below(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self, lines: int = 20) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def _processes(self) -> tuple[Identity, ...]:
        found = recall(self.folder)
        return found.processes if found else ()

    def _end(self) -> None:
        for who in self._processes():
            end(who, self.stop_seconds)
        self.clean()
        forget(self.folder)

    def _wait_until_healthy(self, record: Record) -> None:
        wait_for(lambda: not record.alive or self.is_healthy(), self.start_seconds)
        if record.alive and self.is_healthy():
            return
        why = f"is not healthy after {self.start_seconds:g} s" if record.alive else "ended"
        said = self.last_words()
        for who in record.processes:
            if lives(who):
                end(who, self.stop_seconds)
        self.clean()
        forget(self.folder)
        raise EngineTrouble(f"{self.name} {why}; its log ends:\n{said}", f"the whole log: {self.log}")


class ListeningEngine(Engine):
    """An engine that listens on a port of loopback."""

    usual_port: int
    """Of the shared one, unless DOIT_FLEET_<NAME>_PORT names another or it is taken."""

    def port(self) -> int:
        """The one it had before, else the usual; any for a private one."""
        before = recall(self.folder)
        if before and ports.is_free(before.facts["port"]):
            return int(before.facts["port"])
        return ports.choose(self.name, self.usual_port) if self.is_shared else ports.any_free()
