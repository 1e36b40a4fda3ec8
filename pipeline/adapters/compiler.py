"""Byte-compile a project's sources with its own interpreter. Knows no suites: it is given paths."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from attrs import frozen

from pipeline.errors import EngineError

SCRIPT = Path(__file__).parent.parent / "harness" / "compile_sources.py"


@frozen
class Broken:
    """A source that is no valid syntax for the interpreter that was asked."""

    path: str
    line: int
    text: str


def compile_sources(python: str, paths: Sequence[str], *, cwd: str, processes: int) -> tuple[int, tuple[Broken, ...]]:
    """Compile what has no fresh byte-code yet: how many, and which are broken.

    Raises `EngineError` when the interpreter does not do it.
    """
    shares = [paths[start::processes] for start in range(processes) if paths[start::processes]]
    with ThreadPoolExecutor(max_workers=processes) as pool:
        told = list(pool.map(lambda share: _compile(python, share, cwd), shares))
    broken = [Broken(*row) for one in told for row in one["broken"]]
    return sum(one["compiled"] for one in told), tuple(sorted(broken, key=lambda one: one.path))


def _compile(python: str, paths: Sequence[str], cwd: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    lines = "".join(json.dumps(path) + "\n" for path in paths)
    done = subprocess.run(
        [python, "-S", str(SCRIPT)], input=lines, capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
    if done.returncode != 0:
        raise EngineError(f"byte-compiling failed with status {done.returncode}: {done.stderr.strip()[-500:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
