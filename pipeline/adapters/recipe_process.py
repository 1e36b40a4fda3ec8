"""Run a recipe's command: in a process group of its own, which never outlives it, a time limit or a stop."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from pipeline.errors import EngineError

SHOWN = 2000
"""Characters of a failed command's output that are told."""
GRACE_SECONDS = 5.0


class Stopping(Protocol):
    """The news that a signal came."""

    signal_number: int | None

    def calling(self, callback: Callable[[int], object]) -> AbstractContextManager[None]:
        """Call back when it comes."""

    def check(self) -> None:
        """Raise `Stopped` when it has come."""


def run_recipe(
    name: str,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_seconds: float | None,
    stop: Stopping | None = None,
) -> str:
    """What the command printed. Raises `EngineError` with the end of its output, and `Stopped`."""
    arguments = ["/bin/sh", "-c", command[0]] if len(command) == 1 else list(command)
    try:
        process = subprocess.Popen(
            arguments,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(
            f"artifact {name!r}: cannot start {arguments[0]!r} in {str(cwd)!r}: {error.strerror}"
        ) from error
    late = False
    try:
        with stop.calling(lambda _: _signal(process, signal.SIGTERM)) if stop else nullcontext():
            output, _ = process.communicate(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        late, output = True, _ended(process)
    except BaseException:
        _ended(process)
        raise
    finally:
        _signal(process, signal.SIGKILL)  # Whatever it left behind in its group.
    if stop:
        stop.check()
    text = output.decode("utf-8", "replace").strip()
    if late:
        raise EngineError(f"artifact {name!r}: its command took longer than {timeout_seconds:g} s: {text[-SHOWN:]}")
    if process.returncode != 0:
        raise EngineError(f"artifact {name!r}: its command ended with status {process.returncode}: {text[-SHOWN:]}")
    return text


def _ended(process: subprocess.Popen[bytes]) -> bytes:
    killer = threading.Timer(GRACE_SECONDS, _signal, (process, signal.SIGKILL))
    killer.start()
    try:
        _signal(process, signal.SIGTERM)
        process.wait()
        _signal(process, signal.SIGKILL)
        return process.communicate()[0] or b""
    finally:
        killer.cancel()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # The group has ended.
