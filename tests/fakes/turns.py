"""Threads that go on only when told, one at a time, so that a test chooses every interleaving of their steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_here = threading.local()


class Crash(BaseException):
    """Raised in a party at a step: its process is gone."""


class Turn:
    """One party: a thread that stops at every step until it is let on."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.outcome: Any = None
        self.ended = False
        self._work = work
        self._crashes = False
        self._go, self._arrived = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._arrived.acquire()

    def on(self, *, crash: bool = False) -> None:
        """Let the party do its next step, or crash instead; returns when it stands at the one after."""
        if not self.ended:
            self._crashes = crash
            self._go.release()
            self._arrived.acquire()

    def finish(self) -> None:
        """Let it go on to its end."""
        while not self.ended:
            self.on()
        self._thread.join()

    def stop(self) -> None:
        """Stand still at a step; called in the party's own thread."""
        self._arrived.release()
        self._go.acquire()
        if self._crashes:
            raise Crash

    def _run(self) -> None:
        _here.turn = self
        try:
            self.stop()
            self.outcome = self._work()
        except Crash:
            pass
        finally:
            self.ended = True
            self._arrived.release()


def step() -> None:
    """Stand still here, if the caller is a party."""
    turn = getattr(_here, "turn", None)
    if turn is not None and not turn.ended:
        turn.stop()


def stepping(call: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, with a step before each call."""

    def stepped(*args: Any, **kwargs: Any) -> Any:
        step()
        return call(*args, **kwargs)

    return stepped
