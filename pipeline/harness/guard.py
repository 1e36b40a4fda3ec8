"""The guard: a tiny process that holds one harness and ends it, with all it ever started, when its permission expires.

The agent renews the permission over the control socket; a closed socket ends it at once. Whatever happens, the last
line the guard says is how the harness ended, after nothing of it lives. It knows neither channel nor tests.

| agent to guard | meaning |
|---|---|
| {"renew": [stamp, span]} | the harness may live until stamp + span on the guard's clock |
| {"kill": grace} | TERM to all, KILL after `grace` seconds |
| {"dump": 1} | stacks of all threads into the log |

| guard to agent | meaning |
|---|---|
| {"harness": pid, "guard": pid} | first |
| {"stamp": seconds} | the guard's clock, every `stamp_seconds` |
| {"end": {"code", "cause", "asked", "proof"}} | last; code as in `subprocess`: negative is a signal |
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from . import lineage
from .wire import Watch, Wire

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Counts suspension: on Linux by name, on macOS CLOCK_MONOTONIC does."""
DUMP_SIGNAL = signal.SIGRTMIN + 11 if hasattr(signal, "SIGRTMIN") else signal.SIGUSR2
GIVE_UP_SECONDS = 10.0
"""After that long some process could not be killed (another user's, or stuck in the kernel): no proof."""


def now() -> float:
    """Seconds on the guard's clock."""
    return time.clock_gettime(CLOCK)


class Guard:
    """The loop of one guard process."""

    def __init__(self, wire: Wire, watch: Watch, harness: int, terms: dict[str, Any]) -> None:
        self._wire = wire
        self._watch = watch
        self._harness = harness
        self._stamp_seconds: float = terms["stamp_seconds"]
        self._stop_seconds: float = terms["stop_seconds"]
        self._permitted_until = now() + terms["start_seconds"]
        self._next_stamp = 0.0
        self._kill_at: float | None = None
        self._stopped_at: float | None = None
        self._asked = False
        self._status: int | None = None

    def run(self) -> None:
        """Watch until the harness has ended or must; then end everything and say how it went."""
        self._wire.write(harness=self._harness, guard=os.getpid())
        cause = None
        while self._status is None and cause is None:
            self._stamp()
            self._watch.wait(self._next_event() - now())
            for command in self._wire.read():
                self._obey(command)
            self._look_at_children()
            cause = self._reason_to_kill()
        self._finish(cause)

    def _stamp(self) -> None:
        if now() >= self._next_stamp:
            self._wire.write(stamp=now())
            self._next_stamp = now() + self._stamp_seconds

    def _next_event(self) -> float:
        moments: list[float] = [self._next_stamp, self._permitted_until]
        if self._kill_at is not None:
            moments.append(self._kill_at)
        if self._stopped_at is not None:
            moments.append(self._stopped_at + self._stop_seconds)
        return min(moments) + 0.001  # Poll counts whole milliseconds: never wake just before the moment.

    def _obey(self, command: dict[str, Any]) -> None:
        if "renew" in command:
            stamp, span = command["renew"]
            self._permitted_until = stamp + span
        elif "kill" in command:
            self._asked = True
            self._kill_at = now() + command["kill"]
            if command["kill"] > 0:
                below = lineage.descendants([self._harness]) - {self._harness}
                lineage.send([self._harness, *below], signal.SIGTERM)  # First, so that it knows why the others end.
        elif "dump" in command:
            lineage.send([self._harness], DUMP_SIGNAL)

    def _look_at_children(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._harness:
                self._note(status)

    def _note(self, status: int) -> None:
        if os.WIFSTOPPED(status):
            self._stopped_at = now()
        elif os.WIFCONTINUED(status):
            self._stopped_at = None
        else:
            self._status = status

    def _reason_to_kill(self) -> str | None:
        moment = now()
        if self._wire.is_closed:
            return "closed"
        if self._kill_at is not None and moment >= self._kill_at:
            return "killed"
        if moment >= self._permitted_until:
            return "expired"
        if self._stopped_at is not None and moment >= self._stopped_at + self._stop_seconds:
            return "stopped"
        return None

    def _finish(self, cause: str | None) -> None:
        proof, ended = lineage.kill_below(set(), [self._harness], GIVE_UP_SECONDS)
        status = self._status if self._status is not None else ended.get(self._harness)
        code = None if status is None else exit_code(status)
        if cause is None or cause == "killed":
            cause = "signalled" if code is not None and code < 0 else "exited"
        self._wire.write(end={"code": code, "cause": cause, "asked": self._asked, "proof": proof})
        self._wire.close()


def exit_code(status: int) -> int:
    """A wait status as `subprocess` writes it: negative is a signal (os.waitstatus_to_exitcode is 3.9 and later)."""
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
