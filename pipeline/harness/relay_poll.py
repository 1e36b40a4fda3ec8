"""Wait for many descriptors, and for children that end. Knows nothing of what they are for."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable

READ, WRITE = select.POLLIN, select.POLLOUT
_READY = READ | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Poller:
    """Callbacks by descriptor. `wait` also returns when a child has ended."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        wake, self._wake_end = os.pipe()
        for end in (wake, self._wake_end):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_end, warn_on_full_buffer=False)
        self.on_readable(wake, lambda: _drain(wake))

    def on_readable(self, descriptor: int, callback: Callable[[], None] | None) -> None:
        """Call back while something can be read; None: no longer."""
        _set(self._readers, descriptor, callback)
        self._register(descriptor)

    def on_writable(self, descriptor: int, callback: Callable[[], None] | None) -> None:
        """Call back while something can be written; None: no longer."""
        _set(self._writers, descriptor, callback)
        self._register(descriptor)

    def forget(self, descriptor: int) -> None:
        """Watch it no longer; before it is closed."""
        self.on_readable(descriptor, None)
        self.on_writable(descriptor, None)

    def wait(self, seconds: float) -> None:
        """Return after calling back for what has happened, or after that span."""
        for descriptor, event in self._poll.poll(max(0.0, seconds) * 1000):
            if event & _READY and descriptor in self._readers:
                self._readers[descriptor]()
            if event & (WRITE | select.POLLERR) and descriptor in self._writers:
                self._writers[descriptor]()

    def leave(self) -> None:
        """Give the signal back: for a forked child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _register(self, descriptor: int) -> None:
        mask = (READ if descriptor in self._readers else 0) | (WRITE if descriptor in self._writers else 0)
        if mask:
            self._poll.register(descriptor, mask)
        else:
            try:
                self._poll.unregister(descriptor)
            except KeyError:
                pass


def _set(callbacks: dict[int, Callable[[], None]], descriptor: int, callback: Callable[[], None] | None) -> None:
    if callback is None:
        callbacks.pop(descriptor, None)
    else:
        callbacks[descriptor] = callback


def _drain(descriptor: int) -> None:
    try:
        os.read(descriptor, 4096)
    except BlockingIOError:
        pass
