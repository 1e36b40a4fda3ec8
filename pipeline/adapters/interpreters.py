"""Find the project's own interpreter: the places where Python projects keep one, looked at in a fixed order.

Nothing is changed and nothing is installed. Our own interpreter is never taken by accident: it is only used where the
user activated or named the environment that we live in. Knows nothing of suites or settings.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.model.suites import Interpreter

PROBE = Path(__file__).parent.parent / "harness" / "probe.py"
OLDEST = (3, 8)


@frozen
class Place:
    """Somewhere an interpreter may be; `path` is empty when there is none."""

    source: str
    path: str


@frozen
class Wanted:
    """What an interpreter must offer: minimum major versions of distributions, by normalised name."""

    packages: Mapping[str, int]


def find(root: Path, project: Path, environment: Mapping[str, str], wanted: Wanted) -> Interpreter:
    """The first interpreter that fits, for a suite in `root` of a project in `project`.

    Raises `UsageError` that names each place searched and why it did not do.
    """
    refused: list[str] = []
    for place in places(root, project, environment):
        interpreter, reason = examine(place, wanted)
        if interpreter is not None and not _is_ours_by_accident(interpreter, environment):
            return interpreter
        refused.append(f"{place.source}: {reason or 'this is the environment of doit-fleet itself'}")
    searched = "".join(f"\n  - {line}" for line in refused)
    raise UsageError(
        f"no interpreter for the tests in {str(root)!r}: searched{searched}",
        hint='activate the project\'s environment, or name one: [tool.doit-fleet.suites.<name>] python = "path/to/python"',
    )


def named(python: str, root: Path, wanted: Wanted) -> Interpreter:
    """The interpreter a setting names: a path (also of an environment's folder), a command, or a version like `3.12`.

    Raises `UsageError` when it is not there or does not fit.
    """
    place = Place(f"setting python = {python!r}", _resolve(python, root))
    interpreter, reason = examine(place, wanted)
    if interpreter is None:
        raise UsageError(
            f"python {python!r} cannot run this suite: {reason}", hint="name a path, a command on PATH or a version"
        )
    return interpreter


def places(root: Path, project: Path, environment: Mapping[str, str]) -> Iterator[Place]:
    """Where to look, best first. Commands of other tools are only asked where their files are seen."""
    yield Place("active virtual environment (VIRTUAL_ENV)", _python_of(environment.get("VIRTUAL_ENV", "")))
    for folder in dict.fromkeys((root, *_between(root, project), project)):
        for name in (environment.get("UV_PROJECT_ENVIRONMENT", ""), ".venv", "venv"):
            if name and (folder / name).is_dir():
                yield Place(str(folder / name), _python_of(str(folder / name)))
    yield from _asked(root, "poetry", ("poetry.lock",), "[tool.poetry", ["poetry", "env", "info", "--path"])
    yield from _asked(root, "hatch", ("hatch.toml",), "[tool.hatch.envs", ["hatch", "env", "find"])
    yield Place("conda (CONDA_PREFIX)", _python_of(environment.get("CONDA_PREFIX", "")))
    for command in ("python3", "python"):
        yield Place(f"{command} on PATH", shutil.which(command, path=environment.get("PATH")) or "")


def examine(place: Place, wanted: Wanted) -> tuple[Interpreter | None, str]:
    """Look at one place: the interpreter if it fits, else the reason why not."""
    if not place.path:
        return None, "none there"
    try:
        told = probe(place.path, sorted(wanted.packages))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return None, f"{place.path} does not start ({error})"
    version = tuple(told["version"])
    if version < OLDEST:
        return None, f"{place.path} is Python {'.'.join(map(str, version))}, too old (3.8 is the oldest)"
    lacking = _lacking(told["packages"], wanted)
    if lacking:
        return None, f"{place.path} (Python {'.'.join(map(str, version))}) has no {lacking}"
    path = place.path if os.path.isabs(place.path) else told["path"]
    if "shims" in Path(path).parts:
        path = told["path"]
    return Interpreter(
        path=path, version=version, prefix=told["prefix"], packages=told["packages"], source=place.source
    ), ""


def probe(python: str, packages: Iterable[str]) -> dict[str, Any]:
    """Start an interpreter and let it say what it is (the object printed by `harness/probe.py`)."""
    done = subprocess.run(
        [python, str(PROBE), *packages],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    if done.returncode != 0:
        raise ValueError(f"exit status {done.returncode}: {done.stderr.strip()[-200:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _lacking(packages: Mapping[str, str], wanted: Wanted) -> str:
    for name, oldest in wanted.packages.items():
        have = packages.get(name)
        if have is None:
            return name
        if not have.split(".")[0].isdigit() or int(have.split(".")[0]) < oldest:
            return f"{name} {oldest} or newer (it has {have})"
    return ""


def _is_ours_by_accident(interpreter: Interpreter, environment: Mapping[str, str]) -> bool:
    if os.path.realpath(interpreter.prefix) != os.path.realpath(sys.prefix) or sys.prefix == sys.base_prefix:
        return False
    active = [environment.get(name, "") for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    return not any(path and os.path.realpath(path) == os.path.realpath(sys.prefix) for path in active)


def _resolve(python: str, root: Path) -> str:
    candidate = (root / os.path.expanduser(python)) if os.sep in python or python.startswith((".", "~")) else None
    if candidate is not None:
        return _python_of(str(candidate)) if candidate.is_dir() else (str(candidate) if candidate.exists() else "")
    if python[:1].isdigit():
        return shutil.which(f"python{python}") or ""
    return shutil.which(python) or (_python_of(str(root / python)) if (root / python).is_dir() else "")


def _python_of(prefix: str) -> str:
    path = os.path.join(prefix, "bin", "python") if prefix else ""
    return path if path and os.path.exists(path) else ""


def _between(root: Path, project: Path) -> Sequence[Path]:
    return [parent for parent in root.parents if project in parent.parents]


def _asked(root: Path, tool: str, files: Sequence[str], table: str, command: list[str]) -> Iterator[Place]:
    config = root / "pyproject.toml"
    uses = any((root / name).exists() for name in files) or (
        config.exists() and table in config.read_text("utf-8", "replace")
    )
    if not uses:
        return
    if shutil.which(command[0]) is None:
        yield Place(f"{tool} (used by this project, but the command {command[0]!r} is not on PATH)", "")
        return
    done = subprocess.run(
        command, cwd=root, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False
    )
    yield Place(f"{tool} ({' '.join(command)})", _python_of(done.stdout.strip()) if done.returncode == 0 else "")
