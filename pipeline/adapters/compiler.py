"""Byte-compile a project's sources with its own interpreter. Knows no suites: it is given paths."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
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
    running = [_start(python, cwd) for _ in shares]
    for process, share in zip(running, shares, strict=True):
        assert process.stdin is not None
        process.stdin.write("".join(json.dumps(path) + "\n" for path in share))
        process.stdin.close()
    told = [_finish(process) for process in running]
    broken = [Broken(*row) for one in told for row in one["broken"]]
    return sum(one["compiled"] for one in told), tuple(sorted(broken, key=lambda one: one.path))


def _start(python: str, cwd: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return subprocess.Popen(
        [python, "-S", str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment,
    )


def _finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None and process.stderr is not None
    out, errors = process.stdout.read(), process.stderr.read()
    if process.wait() != 0:
        raise EngineError(f"byte-compiling failed with status {process.returncode}: {errors.strip()[-500:]}")
    told: dict[str, Any] = json.loads(out)
    return told
