"""The first process of a container: starts the supervisor, hands signals on, reaps whatever ends, exits as it does.

The kernel gives process 1 the orphans of a container, and no default reaction to signals. Standard library only, and it
must not know what the supervisor does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

HANDED_ON = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)


def watch(work: Callable[[], int]) -> int:
    """Do the work in a child process, in a session of its own; its exit status, 128 plus the signal that killed it."""
    signals = {*HANDED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # None is lost between the fork and the first wait.
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os._exit(_carefully(work))
    while True:
        number = signal.sigwait(signals)
        if number != signal.SIGCHLD:
            os.kill(child, number)
        status = reap(child)
        if status is not None:
            return status


def reap(child: int) -> int | None:
    """Take all that have ended; the child's exit status once it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            found = code if code >= 0 else 128 - code


def _carefully(work: Callable[[], int]) -> int:
    """The work's status, whatever it raises."""
    try:
        code = work()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _work() -> int:
    """The supervisor; imported in the child only, so that process 1 stays small."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from pipeline.worker.main import main

    return main()


if __name__ == "__main__":
    sys.exit(watch(_work))
