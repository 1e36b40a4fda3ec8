"""Collect a suite once, file by file, over warm harnesses.

Each harness walks on its own and names the files; then files are handed out, each to the harness that is likeliest to
run it, and an idle harness takes over from the one with most left. Knows the channel and no framework: a harness that
says `whole` is asked for everything at once, and so is every other when its turn to run comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, field

from pipeline.errors import EngineError, UntrustworthyRun
from pipeline.logic.naming import name_tests
from pipeline.model.events import FileCollected
from pipeline.model.messages import Message
from pipeline.ports import Collected, Emit, Harness, HarnessEnd, Known, Warm


@define
class _Crew:
    """The harnesses that collect one suite, and what they have found so far."""

    suite: str
    emit: Emit
    files: list[str] = field(factory=list)
    queues: list[deque[str]] = field(factory=list)
    rows: dict[str, list[list[Any]]] = field(factory=dict)
    errors: list[tuple[str, str]] = field(factory=list)
    deselected: int = 0
    affinity: dict[str, int] = field(factory=dict)
    facts: dict[str, Any] = field(factory=dict)
    whole: str = ""
    complaint: str = ""
    """The latest error that a harness told of, in the framework's own words."""

    def next_file(self, slot: int) -> str | None:
        """The slot's own next file, or the last one of the slot that has most left."""
        if self.queues[slot]:
            return self.queues[slot].popleft()
        fullest = max(self.queues, key=len)
        return fullest.pop() if fullest else None

    def take(self, slot: int, message: Message) -> None:
        """Note what a harness has collected."""
        for native, text in message["errors"]:
            self.errors.append((native, text))
        self.deselected += message["deselected"]
        for row in message["tests"]:
            self.rows.setdefault(row[4], []).append(row)
        self.affinity[message["file"]] = slot
        self.emit(
            FileCollected(
                suite=self.suite,
                file=message["file"],
                tests=len(message["tests"]),
                errors=len(message["errors"]),
                seconds=message["seconds"],
            )
        )


async def collect_suite(
    suite: str, warm: Warm, slots: int, *, weights: Mapping[str, float], emit: Emit, only: Sequence[str] | None = None
) -> Collected:
    """Collect with `slots` harnesses. `weights`: seconds by file as far as history knows them.

    Raises `UntrustworthyRun` when harnesses end before they have answered.
    """
    crew = _Crew(suite, emit)
    harnesses = await asyncio.gather(*(warm.warm(slot, suite) for slot in range(slots)))
    crew.files = await _walk(harnesses[0], crew)
    if crew.whole:
        await _collect_whole(harnesses[0], crew)
    else:
        crew.queues = share(crew.files, weights, slots)
        await asyncio.gather(*(_serve(slot, harness, crew) for slot, harness in enumerate(harnesses)))
    return _collected(crew)


def collect_known(suite: str, known: Known, slots: int, *, weights: Mapping[str, float], emit: Emit) -> Collected:
    """What harnesses would say of tests that the agent knows already; nothing is started."""
    crew = _Crew(suite, emit, files=list(known.files))
    by_file: dict[str, list[Sequence[Any]]] = {file: [] for file in known.files or ("",)}
    for row in known.tests:
        by_file[row[4] if known.files else ""].append(row)
    owners = {file: slot for slot, files in enumerate(share(known.files, weights, slots)) for file in files}
    for file, rows in by_file.items():
        told = {"file": file, "tests": rows, "errors": [], "deselected": 0, "seconds": 0.0}
        crew.take(owners.get(file, 0), told)
    crew.affinity, crew.deselected = owners, known.deselected
    return _collected(crew)


def share(files: Sequence[str], weights: Mapping[str, float], slots: int) -> list[deque[str]]:
    """Deal files to slots, heaviest first to the lightest slot, each slot's own in walk order.

    A file that history does not know weighs the mean of those it knows.
    """
    mean = sum(weights.values()) / len(weights) if weights else 1.0
    loads = [0.0] * slots
    owner: dict[str, int] = {}
    for file in sorted(files, key=lambda name: -weights.get(name, mean)):
        slot = loads.index(min(loads))
        owner[file] = slot
        loads[slot] += weights.get(file, mean)
    return [deque(file for file in files if owner[file] == slot) for slot in range(slots)]


async def _walk(harness: Harness, crew: _Crew) -> list[str]:
    while True:
        message = await _hear(harness, crew)
        if message["say"] == "files":
            crew.whole = message["whole"]
            return list(message["files"])


async def _collect_whole(harness: Harness, crew: _Crew) -> None:
    await harness.send({"do": "collect-all"})
    while (message := await _hear(harness, crew))["say"] != "collected":
        pass
    crew.take(0, message)
    crew.affinity = {}


async def _serve(slot: int, harness: Harness, crew: _Crew) -> None:
    if slot > 0:
        await _walk(harness, crew)
    while (file := crew.next_file(slot)) is not None:
        await harness.send({"do": "collect", "file": file})
        while (message := await _hear(harness, crew))["say"] != "collected":
            pass
        crew.take(slot, message)


async def _hear(harness: Harness, crew: _Crew) -> Message:
    message = await harness.receive()
    if isinstance(message, HarnessEnd):
        raise UntrustworthyRun(
            f"collecting suite {crew.suite!r}: the harness ended ({message.cause}, status {message.code})",
            hint=f"its output is in {harness.log}" if harness.log else "",
        )
    if message["say"] == "hello":
        crew.facts.update(message["facts"])
    elif message["say"] == "log" and message["level"] == "error":
        crew.complaint = message["text"].strip()
    elif message["say"] == "bye":
        complaint = f"\n{crew.complaint}" if crew.complaint else ""
        raise EngineError(
            f"collecting suite {crew.suite!r}: the framework ended with status {message['code']}{complaint}",
            hint=f"its output is in {harness.log}" if harness.log else "",
        )
    return message


def _collected(crew: _Crew) -> Collected:
    order = {file: place for place, file in enumerate(crew.files)}
    files = sorted(crew.rows, key=lambda file: order.get(file, len(order))) if not crew.whole else list(crew.rows)
    rows = [row for file in files for row in crew.rows[file]]
    return Collected(
        tests=name_tests(crew.suite, rows),
        errors=tuple(crew.errors),
        deselected=crew.deselected,
        affinity=crew.affinity,
        facts=crew.facts,
    )
