"""Freeze rows, start a harness of commands in a process of its own and talk to it as a supervisor would."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from attrs import asdict

from pipeline.frameworks.command_rows import Selected, Templates, freeze, key_fields
from pipeline.model.commands import Command, Row, SetUp
from tests.harness_pytest import driving

BOOT = driving.BOOT.replace("pytest_session", "command_session")


class Harness(driving.Harness):
    """A harness of commands; `folder` is the suite's root."""

    def __init__(
        self,
        folder: Path,
        command: Command,
        rows: Sequence[Row] = (),
        setups: Sequence[SetUp] = (),
        *,
        python: str = sys.executable,
        **options: Any,
    ) -> None:
        rows = rows or [Row(name="one")]
        templates = Templates(command=command, cwd=options.get("cwd", "."), setups=setups)
        (folder / "tests.json").write_bytes(freeze("bench", rows, templates, Selected()))
        told = {
            "suite": "bench",
            "rows": str(folder / "tests.json"),
            "folder_of_runs": str(folder / "own"),
            "folder_of_notes": str(folder / "standing"),
            "command": command,
            "cwd": ".",
            "good_codes": [0],
            "skip_codes": [77],
            "timeout_seconds": None,
            "kill_after_seconds": 5,
            "keep": [],
            "metrics": [],
            "results": [],
            "setups": [{**asdict(one), "fields": key_fields(setups, at)} for at, one in enumerate(setups)],
            "slot": 0,
            "warm": True,
            **options,
        }
        self.rows = rows
        self._start(folder, told, python)

    @classmethod
    def of(cls, folder: Path, options: dict[str, Any]) -> Self:
        """A harness with options as an agent has made them; its tests are those of the options."""
        made = cls.__new__(cls)
        made.rows = ()
        made._start(folder, {**options, "slot": 0, "warm": True}, sys.executable)
        return made

    def _start(self, folder: Path, told: dict[str, Any], python: str) -> None:
        ours, theirs = socket.socketpair()
        self.log = folder / ".harness.log"
        with self.log.open("wb") as log, theirs:
            self.process = subprocess.Popen(
                [python, "-c", BOOT, str(driving.HARNESS), str(theirs.fileno()), json.dumps(told)],
                cwd=folder,
                env=driving.clean_environment(),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._socket = ours
        self._lines = ours.makefile("rb")

    def run(self, *names: str, retries: int = 0, batch: str = "1.1") -> None:
        """Send a batch of these tests; all when none is named."""
        tests = [[name, 0, ""] for name in names or [row.name for row in self.rows]]
        environment = {"DOIT_FLEET_RUN_ID": "run-1"}
        self.send("run", batch=batch, tests=tests, attempt=1, retries=retries, careful=False, environment=environment)

    def results(self, *names: str, retries: int = 0) -> list[dict[str, Any]]:
        """The final results of these tests, as one batch and all that there is to do."""
        self.run(*names, retries=retries)
        self.send("finish")
        return finals(self.until("bye"))


def finals(heard: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results that count."""
    return [message["result"] for message in heard if message["say"] == "result" and message["final"]]


def result(folder: Path, command: Command, row: Row | None = None, **options: Any) -> dict[str, Any]:
    """The result of one test."""
    with Harness(folder, command, [row or Row(name="one")], **options) as harness:
        (one,) = harness.results()
    return one


def output(one: dict[str, Any]) -> str:
    """What the test printed."""
    return "".join(text for _, text in one.get("sections", ()))


def lives(pid: int) -> bool:
    """Whether that process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
