"""Remember which interpreter was found in which surroundings, so that a `doit` with nothing to do starts none.

What is remembered counts as long as the surroundings look the same and the interpreter and its packages do.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from attrs import asdict

from pipeline.adapters.inputs import interpreter_digest
from pipeline.model.suites import Interpreter

VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX", "UV_PROJECT_ENVIRONMENT", "PATH")
SIGNS = (".venv", "venv", "poetry.lock", "hatch.toml", "pyproject.toml")
"""Files whose coming and going may lead the search elsewhere."""


class InterpreterCache:
    """A JSON file; losing it costs a search."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(
        self, python: str, root: Path, project: Path, environment: Mapping[str, str], wanted: Mapping[str, int]
    ) -> Interpreter:
        """The interpreter that a setting names, or the one found. Raises `UsageError`."""
        key = _surroundings(python, root, project, environment, wanted)
        known = self._read()
        found = known.get(key)
        if isinstance(found, dict) and _still_stands(found):
            return Interpreter(**{**found["interpreter"], "version": tuple(found["interpreter"]["version"])})
        interpreter = _search(python, root, project, environment, wanted)
        told = {"interpreter": asdict(interpreter), "digest": interpreter_digest(interpreter.path)}
        self._write({**known, key: told})
        return interpreter

    def _read(self) -> dict[str, object]:
        try:
            told = json.loads(self._path.read_text("utf-8"))
            return told if isinstance(told, dict) else {}
        except (OSError, ValueError):
            return {}

    def _write(self, told: Mapping[str, object]) -> None:
        fresh = self._path.with_suffix(f".{os.getpid()}")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(told), encoding="utf-8")
        fresh.replace(self._path)


def _search(
    python: str, root: Path, project: Path, environment: Mapping[str, str], wanted: Mapping[str, int]
) -> Interpreter:
    from pipeline.adapters.interpreters import Wanted, find, named

    if python:
        return named(python, root, Wanted(wanted))
    return find(root, project, environment, Wanted(wanted))


def _surroundings(
    python: str, root: Path, project: Path, environment: Mapping[str, str], wanted: Mapping[str, int]
) -> str:
    folders = [folder for folder in (root, *root.parents) if folder == project or project in folder.parents]
    signs = [str(folder / sign) for folder in folders for sign in SIGNS if (folder / sign).exists()]
    values = [environment.get(name, "") for name in VARIABLES]
    text = json.dumps([python, str(root), str(project), dict(wanted), values, signs])
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _still_stands(found: Mapping[str, object]) -> bool:
    interpreter = found.get("interpreter")
    if not isinstance(interpreter, dict) or not os.path.exists(str(interpreter.get("path"))):
        return False
    return found.get("digest") == interpreter_digest(str(interpreter["path"]))
