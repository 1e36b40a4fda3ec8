"""A harness that is told to begin nothing more: what waits is dropped, what runs is not, and a start that waits is still let go."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from pipeline.harness import pytest_queue
from pipeline.harness.pytest_queue import Queue


class Said:
    """A channel on which all has been said already."""

    def __init__(self, *commands: dict[str, Any]) -> None:
        self._commands = deque(commands)

    def pending(self) -> bool:
        """Whether more was said."""
        return bool(self._commands)

    def hear(self) -> dict[str, Any]:
        """The next."""
        return self._commands.popleft()

    def flush(self) -> None:
        """Nothing."""


def run(name: str, tests: int) -> dict[str, Any]:
    """A command."""
    return {"do": "run", "batch": name, "tests": [[f"{name}{at}", 0, "f"] for at in range(tests)]}


def test_what_has_not_begun_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what is sent later: it was on its way."""
    monkeypatch.setattr(pytest_queue, "_HEED_SECONDS", -1.0)
    queue = Queue(Said({"do": "yield"}, run("b", 3)))
    queue.take(run("a", 3))
    queue.entries.popleft()  # It runs.

    assert not queue.heed()
    assert queue.is_over
    queue.take(run("b", 3))
    assert not queue.entries


def test_a_start_that_waits_to_be_durable_waits_on() -> None:
    """Else it would run although its supervisor has not written down that it has begun."""
    queue = Queue(Said({"do": "yield"}, {"do": "go", "i": 0}, {"do": "ping"}))
    queue.take(run("a", 1))
    queue.wait_for_go(queue.entries.popleft())

    assert queue.channel.pending(), "all up to the go was heard, and no more"
    assert queue.channel.hear() == {"do": "ping"}
