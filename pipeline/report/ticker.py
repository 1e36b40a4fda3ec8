"""A thread that calls something again and again until it is stopped. Knows nothing of what it calls."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Ticker:
    """Calls `tick` every `seconds` between `start` and `stop`; both may be called twice."""

    def __init__(self, tick: Callable[[], None], seconds: float) -> None:
        self._tick = tick
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to call."""
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name="doit-fleet console", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Call no more. Returns when no call is under way."""
        thread, self._thread = self._thread, None
        self._ended.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._tick()
