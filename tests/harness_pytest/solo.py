"""One harness that collects everything and runs it in the order given: enough to see what is said of each test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.harness_pytest.driving import Harness

Message = dict[str, Any]


def collect(harness: Harness) -> list[list[Any]]:
    """Walk, then collect each file; all tests as `collected` names them."""
    files = harness.until("files")[-1]
    if files["whole"]:
        harness.send("collect-all")
        return list(harness.until("collected")[-1]["tests"])
    tests: list[list[Any]] = []
    for file in files["files"]:
        harness.send("collect", file=file)
        tests += harness.until("collected")[-1]["tests"]
    return tests


def send_run(harness: Harness, batch: str, tests: Sequence[Sequence[Any]], **fields: Any) -> None:
    """Queue tests, named as in `collected`."""
    named = [[test[0], test[1], test[4]] for test in tests]
    harness.send("run", **{"batch": batch, "tests": named, "attempt": 1, "retries": 0, "careful": False, **fields})


def finals(messages: Sequence[Message], tests: Sequence[Sequence[Any]]) -> dict[str, Message]:
    """The last final result of each test of one batch, by the part of its node id after the file."""
    return {
        tests[message["i"]][0].partition("::")[2]: message["result"]
        for message in messages
        if message["say"] == "result" and message["final"]
    }


def run_all(folder: Path, args: Sequence[str] = (), **fields: Any) -> tuple[dict[str, Message], list[Message]]:
    """Everything in one batch, `finish` sent ahead: the results by name, and all messages."""
    retries = fields.pop("retries", 0)
    with Harness(folder, args, **fields) as harness:
        tests = collect(harness)
        send_run(harness, "0.1", tests, retries=retries)
        harness.send("finish")
        messages = harness.until("bye")
    return finals(messages, tests), messages
