"""Run contenders in turn, round after round, and compare the medians of their wall times within that one run.

Alternating is what makes a ratio mean something on a busy machine: whatever slows one round slows every contender.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.output import Row

SCRIPTS = Path(sys.executable).parent
Walls = Mapping[str, Sequence[float]]


def nothing() -> None:
    """Prepare nothing."""


@frozen(kw_only=True)
class Contender:
    """A command that is timed from its start to its end."""

    name: str
    command: Sequence[str]
    cwd: Path
    before: Callable[[], None] = nothing
    """Done before each round, outside the time."""
    python: str = sys.executable
    """The project's interpreter; its environment is the active one."""
    exits: Sequence[int] = (0,)


def environment(python: str) -> dict[str, str]:
    """Ours with the interpreter's virtual environment active and byte-code allowed, as users have it."""
    folder = Path(python).parent
    mine = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join((str(folder), str(SCRIPTS), mine["PATH"]))
    return {**mine, "VIRTUAL_ENV": str(folder.parent), "PATH": path}


def seconds(contender: Contender) -> float:
    """The wall time of one run. Raises `RuntimeError` when it ends otherwise than it should."""
    contender.before()
    began = time.perf_counter()
    done = subprocess.run(
        contender.command,
        cwd=contender.cwd,
        env=environment(contender.python),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    if done.returncode not in contender.exits:
        said = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise RuntimeError(f"{contender.name} ended with status {done.returncode}:\n{said}")
    return took


def race(contenders: Sequence[Contender], rounds: int) -> dict[str, list[float]]:
    """Wall times by contender; every round runs each of them once."""
    walls: dict[str, list[float]] = {one.name: [] for one in contenders}
    for _ in range(rounds):
        for one in contenders:
            walls[one.name].append(seconds(one))
    return walls


def row(what: str, ours: Sequence[float], base: str, theirs: Sequence[float], aim: float) -> Row:
    """The ratio of two medians beside what it should be."""
    mine, other = statistics.median(ours), statistics.median(theirs)
    return {"what": what, "ours_s": mine, "against": base, "theirs_s": other, "ratio": mine / other, "aim": aim}


def fleet(*arguments: str) -> list[str]:
    """Our own command, run whatever was run before."""
    return [str(SCRIPTS / "doit-fleet"), "-a", *arguments]


def xdist(python: str, workers: int, mode: str, *arguments: str) -> list[str]:
    """`pytest -n` in one of its modes."""
    return [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(workers), "--dist", mode, *arguments]


def parser(name: str, text: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that all races have."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=text)
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.add_argument("--rounds", type=int, default=rounds, help=f"how often each contender runs (default: {rounds})")
    return made


def write_project(folder: Path, files: Mapping[str, str]) -> Path:
    """A project with these files below `tests`."""
    (folder / "tests").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n', encoding="utf-8")
    for name, text in files.items():
        (folder / "tests" / name).write_text(text, encoding="utf-8")
    return folder
