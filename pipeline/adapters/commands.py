"""Run a command to its end and take what it prints. Knows nothing of what is run."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from pipeline.errors import EngineError

SHOWN_CHARACTERS = 2_000
"""So much of a failed command's output is told."""


def run_command(arguments: Sequence[str], *, cwd: str) -> str:
    """What the command printed. Raises `EngineError` when it cannot be started or ends with another status than 0."""
    try:
        done = subprocess.run(
            list(arguments),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise EngineError(f"cannot start {arguments[0]!r}: {error}") from error
    if done.returncode != 0:
        tail = done.stdout[-SHOWN_CHARACTERS:].strip()
        raise EngineError(f"{arguments[0]!r} ended with status {done.returncode}: {tail}")
    return done.stdout


def run_on_terminal(arguments: Sequence[str], *, cwd: str, env: Mapping[str, str]) -> int:
    """Give a command our terminal and wait for its end; its exit status. Raises `EngineError` when it cannot start.

    Ctrl-C reaches it from the terminal itself, so here it is left to the command.
    """
    try:
        process = subprocess.Popen(list(arguments), cwd=cwd, env=env)
    except OSError as error:
        raise EngineError(f"cannot start {arguments[0]!r}: {error}") from error
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
