"""How a signal reaches what is running: the first asks for an orderly stop, the second ends the process at once.

An action that takes `stop` is told and ends by itself; anything else in the main thread is interrupted. Knows neither
doit nor what actions do.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.errors import Stopped

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interrupted(KeyboardInterrupt):
    """Raised in the main thread where nothing running takes a `Stop`."""


class Stop:
    """The news that a signal has asked this process to stop.

    `signal_number` is None until then. Actions either look at it between steps (`check`), or register a callback.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.interruptible = True
        self.leftovers: Callable[[], str] = str
        """Says what a second signal leaves behind, and how to remove it, for people; asked at that moment."""
        self._attending = 0
        self._is_promised = False
        self._callbacks: list[Callable[[int], object]] = []
        self._lock = threading.RLock()

    @property
    def exit_code(self) -> int:
        """128 plus the signal; 0 while none has come."""
        return 128 + self.signal_number if self.signal_number else 0

    def check(self) -> None:
        """Raise `Stopped` when a signal has come."""
        if self.signal_number:
            name = signal.Signals(self.signal_number).name
            raise Stopped(f"stopped by {name}", signal_number=self.signal_number)

    @contextmanager
    def calling(self, callback: Callable[[int], object]) -> Iterator[None]:
        """Call `callback(signal number)` once when the signal comes, or at once if it has come already.

        It runs inside the signal handler, in the main thread, so it must only pass the news on, for instance by
        `lambda number: loop.call_soon_threadsafe(event.set)`; this wakes a loop in any thread.
        """
        with self._lock:
            self._callbacks.append(callback)
            late = self.signal_number
        try:
            if late:
                callback(late)
            yield
        finally:
            with self._lock:
                self._callbacks.remove(callback)

    def leaving(self, told: Callable[[], str]) -> None:
        """From now on, to the very end, a second signal leaves something behind; it says so with what `told` answers then."""
        self.leftovers = told

    @contextmanager
    def attending(self) -> Iterator[None]:
        """While inside, somebody has promised to heed the stop, so nothing is interrupted."""
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While inside, the main thread may be interrupted, unless somebody attends."""
        self.interruptible = True
        try:
            if self.signal_number and not (self._attending or self._is_promised):
                raise Interrupted
            yield
        finally:
            self.interruptible = False

    def request(self, number: int) -> None:
        """Take a signal: tell everybody, and interrupt the main thread where nobody has promised to stop."""
        if self.signal_number is not None:
            end_at_once(number, _asked(self.leftovers))
        self.signal_number = number
        self._is_promised = self._attending > 0  # Who heeds may be done before the main thread waits for the result.
        for callback in tuple(self._callbacks):
            callback(number)
        if self.interruptible and not self._is_promised:
            raise Interrupted

    def _count(self, step: int) -> None:
        with self._lock:
            self._attending += step


@contextmanager
def signals_to(stop: Stop) -> Iterator[None]:
    """Send signals to `stop`; those that were ignored when we were started stay ignored, as `nohup` and `&` expect."""

    def take(number: int, frame: FrameType | None) -> None:
        stop.request(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, take)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _asked(told: Callable[[], str]) -> str:
    """What somebody has to say; nothing may keep us here."""
    try:
        return told()
    except Exception as error:
        return f"what is left behind is not known: {error}"


def end_at_once(number: int, leftovers: str = "") -> None:
    """Leave without any tidying: what must not survive us watches our pipes, what may is told."""
    show = (
        b"\x1b[?25h\n" if sys.stderr is not None and sys.stderr.isatty() else b""
    )  # A live display may hide the cursor.
    try:
        os.write(2, show + (f"{leftovers}\n".encode() if leftovers else b""))
    except OSError:
        pass  # Nobody listens any more.
    os._exit(128 + number)
