"""Start a harness in a process of its own and talk to it as a supervisor would.

Works with any interpreter that has pytest; nothing of ours is on its `sys.path`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HARNESS = Path(__file__).resolve().parents[2] / "pipeline" / "harness"

BOOT = """
import importlib.util, json, os, sys
folder, fd, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
sys.path[0] = os.getcwd()
name = "_doit_fleet_harness"
spec = importlib.util.spec_from_file_location(name, folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules[name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules[name])
from _doit_fleet_harness import channel, outbox, pytest_session
if options.pop("warm"):
    pytest_session.warm(options)
code = pytest_session.serve(channel.Channel(fd, outbox.Outbox(None)), options)
sys.stdout.flush(), sys.stderr.flush()
os._exit(code)
"""


class Harness:
    """One harness process and the supervisor's end of its channel."""

    def __init__(
        self,
        folder: Path,
        args: Sequence[str] = (),
        *,
        python: str = sys.executable,
        slot: int = 0,
        slots: int = 1,
        run: str = "run",
        seed: int | None = None,
        warm: bool = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        ours, theirs = socket.socketpair()
        options = {
            "args": [*args],
            "invocation": "python -m pytest",
            "slot": slot,
            "slots": slots,
            "run": run,
            "seed": seed,
            "warm": warm,
        }
        log = open(folder / f".harness-{slot}.log", "wb")  # noqa: SIM115 - closed below, once inherited.
        self.log = Path(log.name)
        self.process = subprocess.Popen(
            [python, "-c", BOOT, str(HARNESS), str(theirs.fileno()), json.dumps(options)],
            cwd=folder,
            env={**clean_environment(), **(env or {})},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()
        theirs.close()
        self._socket = ours
        self._lines = ours.makefile("rb")

    def send(self, do: str, **fields: Any) -> None:
        """Say one command."""
        self._socket.sendall(json.dumps({"do": do, **fields}).encode() + b"\n")

    def receive(self) -> dict[str, Any] | None:
        """The next message, or None at the end."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None

    def until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to and including the next one of that kind."""
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["say"] != kind:
            message = self.receive()
            assert message is not None, f"the harness ended before it said {kind!r}: {heard}\n{self.log.read_text()}"
            heard.append(message)
        return heard

    def close(self) -> int:
        """Close the channel and wait for the process."""
        self._lines.close()
        self._socket.close()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def clean_environment() -> dict[str, str]:
    """Our own environment without what the pytest around us has put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "DOIT_FLEET", "COV_"))}
