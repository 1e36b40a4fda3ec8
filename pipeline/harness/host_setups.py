"""What all tests of a host share: set up once before any worker starts there, torn down when the host is left, whatever happened.

Carried out by whoever lives as long as the host is used: a relay, or a keeper on the agent's own machine. Its values are
variables of every worker there. What stands is written down, as in a worker; see `command_remains`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Dict, List, Mapping

from .command_place import Place, plain_name
from .command_setups import SetUps

STANDING = "standing"
"""The folder of notes in a relay's own folder."""


class _Never:
    """Nothing stops it: whoever is gone is noticed by what comes after."""

    asked = False


def set_up(order: Mapping[str, Any], notes: str, folder: str) -> "tuple[SetUps, Dict[str, Any]]":
    """Set up in this process, whose folder and environment become the suite's. `exports`, or `trouble` and `details`.

    `order`: `suite`, `root`, `env`, `setups`, `kill_after_seconds`.
    """
    os.chdir(order["root"])
    os.environ.update(order["env"])
    options = {**order, "folder_of_notes": notes, "folder_of_runs": folder}
    setups = SetUps(Place(options, _Never()), order["setups"])
    trouble = setups.enter(setups.path_of({}), {}, again=False)
    if trouble is None:
        return setups, {"exports": dict(setups.env)}
    return setups, {"trouble": trouble.message, "details": trouble.details}


def tear_down(notes: str, root: str, env: Mapping[str, str]) -> List[str]:
    """Tear down what is written down there, in a process of its own; what went wrong."""
    if not os.path.isdir(notes):
        return []
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        told = ["the tear-down was interrupted"]
        try:
            os.close(reading)
            os.chdir(root)
            os.environ.update(env)
            options = {"suite": "", "folder_of_notes": notes, "folder_of_runs": notes, "kill_after_seconds": 5.0}
            told = [one.details for one in SetUps(Place(options, _Never()), []).tear_down_abandoned()]
        finally:
            os.write(writing, json.dumps(told).encode("ascii")[:60000])
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    os.waitpid(pid, 0)
    return list(json.loads(said)) if said else ["the tear-down was killed"]


def notes_of(standing: str, suite: str) -> str:
    """The folder of a suite's notes."""
    return os.path.join(standing, plain_name(suite, "suite"))


def tear_down_all(standing: str, root: str, env: Mapping[str, str], envs: Mapping[str, Mapping[str, str]]) -> List[str]:
    """Tear down what stands of all suites; `envs` are those of suites that are known."""
    known = {os.path.basename(notes_of(standing, suite)): own for suite, own in envs.items()}
    names = sorted(os.listdir(standing)) if os.path.isdir(standing) else []
    return [
        text for name in names for text in tear_down(os.path.join(standing, name), root, {**env, **known.get(name, {})})
    ]


def keep() -> None:
    """Be the keeper: an order comes as the first line of standard input, which stays open as long as the host is used."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Who gives up its agent closes the input.
    answer = os.dup(1)
    os.dup2(2, 1)
    order = json.loads(sys.stdin.buffer.readline())
    for left in tear_down(order["notes"], order["root"], order["env"]):
        sys.stderr.write(left + "\n")
    setups, told = set_up(order, order["notes"], order["folder"])
    _say(answer, told)
    sys.stdin.buffer.read()
    _say(answer, {"down": [one.details for one in setups.leave(())]})


def _say(answer: int, told: Dict[str, Any]) -> None:
    try:
        os.write(answer, json.dumps(told).encode("ascii") + b"\n")
    except OSError:
        pass  # Nobody listens any more.
