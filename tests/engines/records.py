"""What is remembered of a started engine, for other processes: who it is and how it is reached. One JSON file a folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from tests.engines import places
from tests.engines.processes import Identity, lives, pid_namespace

FILE = "engine.json"


@frozen(kw_only=True)
class Record:
    """A started engine. Without processes it is one that was there already, not ours to stop."""

    processes: tuple[Identity, ...] = ()
    facts: dict[str, Any] = field(factory=dict)
    """What its clients must know: an address, a port, names of files."""
    pids: str = field(factory=pid_namespace)
    """Where its processes' ids mean something."""

    @property
    def alive(self) -> bool:
        """Whether all its processes are the ones that were started; in a container only the engine's answers can tell."""
        return self.pids != pid_namespace() or all(lives(who) for who in self.processes)


def remember(folder: Path, record: Record) -> None:
    """Store it whole or not at all."""
    fresh = folder / f"{FILE}.{os.getpid()}"
    told = {**asdict(record), "home": str(places.home())}
    fresh.write_text(json.dumps(told, indent=1), "utf-8")
    fresh.replace(folder / FILE)


def recall(folder: Path) -> Record | None:
    """What was remembered; nothing, when there is none or it cannot be read."""
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
        processes = tuple(Identity(**who) for who in told["processes"])
        facts = {name: _moved(fact, told.get("home", "")) for name, fact in told["facts"].items()}
        return Record(processes=processes, facts=facts, pids=told.get("pids", pid_namespace()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _moved(fact: Any, home: str) -> Any:
    """Names of files below the engines' folder hold also where that is mounted at another place."""
    if home and isinstance(fact, str) and fact.startswith(f"{home}/"):
        return str(places.home() / fact[len(home) + 1 :])
    return fact


def forget(folder: Path) -> None:
    """Remember nothing."""
    (folder / FILE).unlink(missing_ok=True)
