"""The command side of the harness, as the process side sees it: `warm` once in the zygote, `serve` in each harness.

Runs the user's commands. Knows nothing of processes above, sockets or runs. Options: see `pipeline/frameworks/command.py`.
"""

from __future__ import annotations

import json
import os
import platform
import signal
import traceback
from typing import Any, Dict, Optional

from .command_place import Place
from .command_runner import Key, Row, Runner
from .command_setups import SetUps
from .pytest_queue import Queue

_READ: Dict[str, Dict[str, Any]] = {}
"""Frozen rows by path: read once in the zygote, shared by all its harnesses."""


class Halted(BaseException):
    """A signal came while nothing was done."""


class Halt:
    """Whether a signal has asked for the end."""

    def __init__(self) -> None:
        self.asked = False
        self._is_idle = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._heed)

    def _heed(self, number: int, frame: Any) -> None:
        self.asked = True
        if self._is_idle:
            self._is_idle = False
            raise Halted

    def __enter__(self) -> None:
        self._is_idle = True
        if self.asked:
            raise Halted

    def __exit__(self, *exception: object) -> None:
        self._is_idle = False


class HaltingQueue(Queue):
    """A queue whose waiting ends with a signal: then `hear` raises `Halted`."""

    def __init__(self, channel: Any, halt: Halt) -> None:
        super().__init__(channel)
        self._halt = halt

    def hear(self) -> None:
        """Wait for one command."""
        with self._halt:
            super().hear()


def warm(options: Dict[str, Any]) -> None:
    """Read what every harness will need."""
    read(str(options["rows"]))


def read(path: str) -> Dict[str, Any]:
    """The frozen tests and rows, as `pipeline/frameworks/command_rows.py` writes them; and `groups`, the tests of each."""
    if path not in _READ:
        with open(path, encoding="utf-8") as file:
            frozen = json.load(file)
        frozen["groups"] = {}
        for test in frozen["tests"]:
            frozen["groups"].setdefault(test[4], []).append(test)
        _READ[path] = frozen
    return _READ[path]


def rows_of(frozen: Dict[str, Any]) -> Dict[Key, Row]:
    """What each test is, by native id and occurrence."""
    return {
        (test[0], test[1]): Row(values, file, line, [(name, number) for name, number in needs])
        for test, (values, file, line, needs) in zip(frozen["tests"], frozen["rows"])
    }


def serve(channel: Any, options: Dict[str, Any]) -> int:
    """Answer the supervisor until it says `finish` or is gone."""
    halt = Halt()
    frozen = read(str(options["rows"]))
    channel.say("hello", pid=os.getpid(), python=platform.python_version(), framework="command", facts={}, keeps=True)
    channel.say("files", **_files(frozen, options))
    queue, place = HaltingQueue(channel, halt), Place(options, halt)
    setups = SetUps(place, options["setups"])
    runner = Runner(channel, queue, place, setups, rows_of(frozen))
    code = 0
    try:
        _serve(channel, queue, halt, runner, setups, frozen)
    except Halted:
        pass
    except BaseException:  # What is set up must be torn down, whatever happens here.
        channel.say("log", level="error", text=traceback.format_exc())
        code = 3
    halt.asked = True
    runner.finish()
    channel.say("bye", code=code)
    channel.flush()
    return code


def _serve(channel: Any, queue: Queue, halt: Halt, runner: Runner, setups: SetUps, frozen: Dict[str, Any]) -> None:
    has_run = False
    while not halt.asked and (queue.heed() or not queue.is_over):
        if queue.to_collect:
            _collect(channel, frozen, queue.to_collect.popleft().get("file"))
        elif queue.entries:
            if not has_run:
                _clear_away(channel, setups)
                has_run = True
            runner.run(queue.entries.popleft())
        else:
            queue.hear()


def _files(frozen: Dict[str, Any], options: Dict[str, Any]) -> Dict[str, Any]:
    """What is collected together: groups, so that each has a worker that it belongs to first; else there is nothing to deal out."""
    if any(one["per"] == "group" for one in options["setups"]):
        return {"files": list(frozen["groups"]), "whole": ""}
    return {"files": [], "whole": "the tests are frozen rows"}


def _collect(channel: Any, frozen: Dict[str, Any], file: Optional[str]) -> None:
    tests = frozen["tests"] if file is None else frozen["groups"].get(file, [])
    is_first = file is None or file == next(iter(frozen["groups"]), None)
    channel.say(
        "collected",
        file=file or "",
        tests=tests,
        errors=[],
        deselected=frozen["deselected"] if is_first else 0,
        seconds=0.0,
    )


def _clear_away(channel: Any, setups: SetUps) -> None:
    for trouble in setups.tear_down_abandoned():
        channel.say("log", level="warning", text=trouble.details)
