"""One command in a session and process group of its own: start it, wait for it, end it with all of its group.

The guard above kills whatever descends from this process; here only the ordinary ends are made. Knows nothing of tests.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from time import monotonic
from typing import Any, Callable, Dict, List, Optional

from . import queue_place

LONGEST_WAIT_SECONDS = 1.0
"""Between two looks, should a signal ever be missed."""


class Bell:
    """Rings when a child ends or a signal comes. One for each process, made in its main thread."""

    def __init__(self) -> None:
        self._wake, write_end = os.pipe()
        for end in (self._wake, write_end):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when something may have happened, or after that span."""
        self._poll.poll(max(0.0, min(seconds, LONGEST_WAIT_SECONDS)) * 1000)
        try:
            os.read(self._wake, 4096)
        except BlockingIOError:
            pass


class Running:
    """A command that has been started."""

    def __init__(self, process: Any, bell: Bell) -> None:
        self._process = process
        self._bell = bell
        self._is_reaped = False

    def has_ended(self) -> bool:
        """Whether the command itself has ended. Its number stays its own until `reap`, so that its group can be named."""
        if self._is_reaped:
            return True
        if hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
        return self._process.poll() is not None

    def wait(self, seconds: Optional[float], is_stopped: Callable[[], bool]) -> bool:
        """Whether it ended within that span (None: any) and before a stop."""
        until = None if seconds is None else monotonic() + seconds
        while not self.has_ended():
            left = LONGEST_WAIT_SECONDS if until is None else until - monotonic()
            if left <= 0 or is_stopped():
                return False
            self._bell.wait(left)
        return True

    def end(self, grace_seconds: float) -> None:
        """TERM to its group, KILL after the grace or when the command has gone; then reap it."""
        if not self.has_ended():
            self.signal(signal.SIGTERM)
            self.wait(grace_seconds, lambda: False)
        self.reap()

    def status(self) -> int:
        """Exit status of a command that has ended; its group stays as it is."""
        if self._is_reaped or not hasattr(os, "waitid"):
            return int(self._process.returncode)
        told = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        assert told is not None
        return told.si_status if told.si_code == os.CLD_EXITED else -told.si_status

    def reap(self) -> int:
        """Kill what is left of its group, and take its exit status."""
        if not self._is_reaped:
            self.signal(signal.SIGKILL)
            self._process.wait()
            self._is_reaped = True
        return int(self._process.returncode)

    def signal(self, number: int) -> None:
        """Send a signal to its whole group."""
        try:
            os.killpg(self._process.pid, number)
        except OSError:
            pass


def start(arguments: List[str], *, cwd: str, env: Dict[str, str], output: int, bell: Bell) -> Running:
    """Start a command whose output goes to that descriptor. Raises `OSError` or `ValueError`."""
    process = subprocess.Popen(
        arguments,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=queue_place.held,
    )
    return Running(process, bell)


def explain(error: Exception, arguments: List[str], cwd: str) -> str:
    """Why a command could not be started, for people."""
    if isinstance(error, OSError):
        if not os.path.isdir(cwd):
            return "cannot start in %r: no such folder" % cwd
        return "cannot start %r: %s" % (arguments[0] if arguments else "", error.strerror or error)
    return "cannot start %r: %s" % (arguments[0] if arguments else "", error)


def told(status: int) -> str:
    """An exit status for people."""
    if status >= 0:
        return "exit status %d" % status
    try:
        return "killed by %s" % signal.Signals(-status).name
    except ValueError:
        return "killed by signal %d" % -status
