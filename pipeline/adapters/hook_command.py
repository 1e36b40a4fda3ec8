"""Run a command that is told something on its standard input, for so long and no longer. Nothing of its group is left."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from pipeline.errors import EngineError

SHOWN_CHARACTERS = 500
TERM_SECONDS = 1.0


def tell_command(arguments: Sequence[str], content: bytes, *, cwd: str, env: Mapping[str, str], seconds: float) -> None:
    """Run it to its end. Raises `EngineError` when it cannot start, ends with another status than 0, or takes longer."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(content)
        given.seek(0)
        try:
            process = subprocess.Popen(
                list(arguments), cwd=cwd, env=env, stdin=given, stdout=output, stderr=output, start_new_session=True
            )
        except (OSError, ValueError) as error:
            raise EngineError(f"cannot start {arguments[0]!r}: {error}") from error
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise EngineError(f"it took longer than {seconds:g} s") from None
        finally:
            _signal(process.pid, signal.SIGKILL)
        if code != 0:
            output.seek(max(0, output.seek(0, os.SEEK_END) - SHOWN_CHARACTERS))
            raise EngineError(f"it ended with status {code}: {output.read().decode('utf-8', 'replace').strip()}")


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process.pid, signal.SIGTERM)
    try:
        process.wait(TERM_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(process.pid, signal.SIGKILL)
        process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except OSError:
        pass  # Nothing is left of it.
