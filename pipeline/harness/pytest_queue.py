"""The commands of the supervisor, in order: which test is next, and what is known of the one after it.

Knows the channel; knows nothing of pytest.
"""

from __future__ import annotations

from collections import deque
from os import environ
from time import perf_counter, sleep
from typing import Any

_NAP_SECONDS = 0.002
_HEED_SECONDS = 0.05
"""So often what the supervisor says is heard between two tests, although there are more to run."""


class Batch:
    """One `run` command and how many of its tests still need their final result."""

    __slots__ = ("careful", "left", "name", "retries")

    def __init__(self, command: dict[str, Any]) -> None:
        self.name = command["batch"]
        self.retries = int(command.get("retries", 0))
        self.careful = bool(command.get("careful", False))
        self.left = len(command["tests"])


class Entry:
    """One test of a batch."""

    __slots__ = ("batch", "file", "i", "native", "occurrence")

    def __init__(self, batch: Batch, i: int, native: str, occurrence: int, file: str) -> None:
        self.batch = batch
        self.i = i
        self.native = native
        self.occurrence = occurrence
        self.file = file


class Queue:
    """What is to be done. `is_over` once `finish` or `yield` has been heard, or the supervisor is gone."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self.entries: deque[Entry] = deque()
        self.to_collect: deque[dict[str, Any]] = deque()
        self.is_over = False
        self._yields = self._is_finished = False
        self._heeded = perf_counter()
        self._go: dict[Any, bool] = {}

    def hear(self) -> None:
        """Wait for one command."""
        self.take(self.channel.hear())

    def heed(self) -> bool:
        """Whether there is a test to run; hears now and then what the supervisor has said meanwhile."""
        if self.entries and perf_counter() - self._heeded > _HEED_SECONDS:
            self._heeded = perf_counter()
            while not self.is_over and self.channel.pending():
                self.hear()
        return bool(self.entries)

    def look(self, seconds: float = 0.0) -> Entry | None:
        """The next test as far as it is known, or becomes known within that time."""
        self._drain()
        if seconds and not self.entries and not self.is_over:
            self.channel.flush()
            until = perf_counter() + seconds
            while not self.entries and not self.is_over and perf_counter() < until:
                sleep(_NAP_SECONDS)
                self._drain()
        return self.entries[0] if self.entries else None

    def _drain(self) -> None:
        while len(self.entries) < 2 and not self.is_over and self.channel.pending():
            self.hear()

    def wait_for_go(self, entry: Entry) -> None:
        """Return when the start of that test is durable."""
        self.channel.flush()
        while not self._is_finished and entry.i not in self._go:
            self.hear()
        self._go.clear()

    def take(self, command: dict[str, Any] | None) -> None:
        """Put one command where it belongs; unknown ones are ignored."""
        do = "finish" if command is None else command.get("do")
        if do == "finish":
            self.is_over = self._is_finished = True
        elif do == "yield":  # Who runs a test ends it; all others are somebody else's.
            self.is_over = self._yields = True
            self.entries.clear()
        elif do == "go" and command is not None:
            self._go[command.get("i")] = True
        elif do in ("collect", "collect-all") and command is not None:
            self.to_collect.append(command)
        elif do == "run" and command is not None and not self._yields:
            environ.update(
                command.get("environment", {})
            )  # Of its run, which has no name yet while files are collected.
            self._queue(Batch(command), command["tests"])

    def _queue(self, batch: Batch, tests: Any) -> None:
        if not tests:
            self.channel.say("done", batch=batch.name)
        for i, (native, occurrence, file) in enumerate(tests):
            self.entries.append(Entry(batch, i, native, occurrence, file))
