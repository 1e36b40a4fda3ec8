"""The first thing a zygote runs, and what each harness becomes: streams, signals, environment, then the framework.

Started by `python -c BOOTSTRAP <this folder> <descriptor>`; see the agent's zygote adapter.
"""

from __future__ import annotations

import atexit
import faulthandler
import os
import signal
import sys
import threading
import traceback
from typing import Any

from . import queue_place
from .channel import Channel, lift_descriptor
from .guard import DUMP_SIGNAL
from .outbox import Outbox
from .zygote import Job, Zygote

_FAILED = 70


def main(descriptor: int) -> None:
    """Be the zygote; in its grandchildren, be a harness. Ends the process."""
    job = Zygote(descriptor).run()
    if job is None:
        os._exit(0)
    _leave(_serve(job))


def _serve(job: Job) -> int:
    order: dict[str, Any] = job.order
    log = _own_streams(order["log"])
    _own_signals(log)
    channel = Channel(job.channel, Outbox(order["outbox"]))
    try:
        os.nice(int(order["options"].get("nice", 0)))
        if order["options"].get("host"):
            os.environ["DOIT_FLEET_HOST"] = order["options"]["host"]
        if order["options"].get("place"):
            queue_place.enter(order["options"]["place"], job.locks)
        return int(job.framework.serve(channel, order["options"]) or 0)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # Whatever the project raises, this process must end well.
        traceback.print_exc()
        return _FAILED
    finally:
        channel.flush()


def _own_streams(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        log = os.open(path, flags, 0o644)
    except OSError:
        log = os.open(os.devnull, flags)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)
    return lift_descriptor(log)


def _own_signals(log: int) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    faulthandler.enable(file=log)
    faulthandler.register(DUMP_SIGNAL, file=log, all_threads=True, chain=False)


def _leave(code: int) -> None:
    """Run what an orderly exit runs, but let the system take back the memory."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:  # Whatever the project raises, this process must end well.
        traceback.print_exc()
    os._exit(code & 0xFF)
