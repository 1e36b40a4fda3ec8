"""Ask an interpreter of the agent what it is and what is installed for it; remember the answer while that stands."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.adapters.installed import interpreter_digest
from pipeline.errors import EngineError
from pipeline.model.environments import Installation, Installed

SCRIPT = Path(__file__).parent.parent / "harness" / "installed_distributions.py"


def installation_of(python: str, remembered: Path | None = None) -> Installation:
    """What that interpreter has; asked again once something was installed. Raises `EngineError` when it does not answer.

    `remembered` is a folder of the agent's own: what was answered there is not asked again.
    """
    state = f"{interpreter_digest(python)} {hashlib.sha256(SCRIPT.read_bytes()).hexdigest()}"
    return _known(python, state, remembered)


@lru_cache(maxsize=16)
def _known(python: str, state: str, remembered: Path | None) -> Installation:
    path = remembered / f"{hashlib.sha256(os.fsencode(python)).hexdigest()[:16]}.json" if remembered else None
    try:
        known = json.loads(path.read_text("utf-8")) if path else {}
        if known.get("state") == state:
            return _installation(python, known["told"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    told = _asked(python)
    if path:
        _remember(path, {"state": state, "told": told})
    return _installation(python, told)


def _remember(path: Path, known: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(known, file)
    os.replace(file.name, path)


def _asked(python: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, str(SCRIPT)], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise EngineError(f"{python!r} does not say what is installed: {error}") from error
    return told


def _installation(python: str, told: dict[str, Any]) -> Installation:
    return Installation(
        python=python,
        version=tuple(told["version"]),
        machine=told["machine"],
        system=told["system"],
        libc=told["libc"].strip("-"),
        prefix=told["prefix"],
        scripts=told["scripts"],
        packages=tuple(told["packages"]),
        distributions=tuple(_installed(one) for one in told["distributions"]),
        cache_tag=told["cache_tag"] or "",
    )


def _installed(told: dict[str, Any]) -> Installed:
    return Installed(
        name=told["name"],
        version=told["version"],
        home=told["home"],
        files=tuple(told["files"]),
        origin=told["origin"],
    )
