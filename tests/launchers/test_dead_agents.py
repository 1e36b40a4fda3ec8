"""What a killed or stopped agent leaves: nothing that runs, and whatever its harnesses had said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters import process_table
from pipeline.model.messages import Message
from tests.processes.house import House, until

ROOT = Path(__file__).parents[2]
TALK = "import time\nfor i in range(6):\n    channel.say('result', batch='1.1', i=i, final=True)\n"
TALK += "open(options['folder'] + '/said', 'w').close()\ntime.sleep(1000)"


class Agent:
    """An agent in a process of its own."""

    def __init__(self, scratch: Path, code: str, heard: int, lease_seconds: float) -> None:
        command = [sys.executable, "-m", "tests.launchers.agent", str(scratch), code, f"{heard}", f"{lease_seconds}"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.told: dict[str, Any] = json.loads(self.process.stdout.readline())

    def left(self) -> list[int]:
        """What still runs of it."""
        return list(process_table.marked(self.told["mark"]))

    def end(self) -> None:
        """Kill and reap."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def agent(scratch: Path, code: str = TALK, *, heard: int = 0, lease_seconds: float = 2.0) -> Iterator[Agent]:
    """A running agent; nothing of it is left afterwards."""
    one = Agent(scratch, code, heard, lease_seconds)
    try:
        yield one
    finally:
        one.end()
        process_table.end_all([], one.told["mark"])


def salvage(scratch: Path, identity: dict[str, Any]) -> Sequence[Message] | None:
    """What a new agent salvages."""
    remains = asyncio.run(House(scratch).launcher.salvage(identity))
    return None if remains is None else remains.messages


def test_nothing_runs_on_after_its_agent_was_killed(tmp_path: Path) -> None:
    """SIGKILL on the agent: guards notice the closed socket and end everything, the zygote included."""
    daemon = "if os.fork() == 0:\n    os.setsid()\nimport time\ntime.sleep(1000)"
    with agent(tmp_path, daemon, lease_seconds=60.0) as one:  # So it is not the permission that ends them.
        one.end()

        asyncio.run(until(lambda: one.left() == []))


@pytest.mark.parametrize("stopped", [[], ["guard"], ["zygote"], ["guard", "zygote", "harness"]])
def test_leftovers_are_ended_with_proof(tmp_path: Path, stopped: list[str]) -> None:
    """A later agent finds what is left, stopped guards and zygotes too, ends it, and then knows that it is dead."""
    with agent(tmp_path) as one:
        for name in stopped:
            os.kill(one.told[name], signal.SIGSTOP)
        one.end()
        messages = salvage(tmp_path, one.told["identity"])

        assert messages is not None
        assert one.left() == []


@pytest.mark.parametrize("heard", [0, 1, 4, 6])
def test_last_words_are_given_back_whether_handled_or_not(tmp_path: Path, heard: int) -> None:
    """Of six results all come back, in order, however many the agent had heard."""
    with agent(tmp_path, heard=heard) as one:
        said = Path(one.told["identity"]["folder"], "0001", "said")
        asyncio.run(until(said.exists))
        one.end()
        messages = salvage(tmp_path, one.told["identity"]) or []

    results = [message["i"] for message in messages if message["say"] == "result"]
    assert results == [*range(6)]


def test_salvaging_twice_gives_the_same(tmp_path: Path) -> None:
    """An agent that dies while salvaging loses nothing for the next."""
    with agent(tmp_path, heard=2) as one:
        one.end()

        assert salvage(tmp_path, one.told["identity"]) == salvage(tmp_path, one.told["identity"])


@pytest.mark.parametrize("part", ["space", "boot"])
def test_the_dead_of_elsewhere_are_not_proved_here(tmp_path: Path, part: str) -> None:
    """Another container's or machine's processes cannot be looked up, so nothing is claimed about them."""
    with agent(tmp_path) as one:
        one.end()
        identity = {**one.told["identity"], "machine": "another", part: "another"}

        assert salvage(tmp_path, identity) is None


def test_a_restarted_machine_proves_every_death(tmp_path: Path) -> None:
    """The same machine after a boot: nothing of before can live, and the outboxes are read."""
    with agent(tmp_path) as one:
        asyncio.run(until(Path(one.told["identity"]["folder"], "0001", "said").exists))
        one.end()
        messages = salvage(tmp_path, {**one.told["identity"], "boot": "before", "pid": os.getpid()})

    assert messages is not None
    assert len([message for message in messages if message["say"] == "result"]) == 6


def test_a_stopped_agent_is_alive_but_its_harness_is_not_for_long(tmp_path: Path) -> None:
    """SIGSTOP on the agent: no proof of its death; its harness dies by itself when the permission ends."""
    with agent(tmp_path) as one:
        started = process_table.start_time(one.told["harness"])
        one.process.send_signal(signal.SIGSTOP)

        assert salvage(tmp_path, one.told["identity"]) is None
        asyncio.run(until(lambda: not process_table.is_alive(one.told["harness"], started)))
