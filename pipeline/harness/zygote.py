"""The zygote: one warm, single-threaded interpreter that forks guards, and each guard its harness, on request.

It also adopts what a killed guard leaves behind and ends it. The folder's only process that starts others.

| agent to zygote | meaning |
|---|---|
| {"begin": {"framework", "options", "warm"}} | first: import what `warm` of the framework imports |
| {"fork": id, "terms": {…}, "job": {…}} and two descriptors: control, channel | make a guard and a harness |
| {"end": guard pid} | kill that guard (its harness dies with it) |

| zygote to agent | meaning |
|---|---|
| {"ready": pid} or {"failed": text} | answer to begin |
| {"forked": id, "guard": pid} or {"refused": id, "text"} | answer to fork |
| {"gone": guard pid, "code", "proof", "orphans": {pid: code}} | a guard ended; what was left was killed and reaped |
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
import warnings
from typing import Any, NamedTuple

from . import invocation, lineage, queue_place
from .guard import DUMP_SIGNAL, GIVE_UP_SECONDS, Guard, exit_code
from .wire import Watch, Wire

MOST_ORPHANS = 1000
LINGER_SECONDS = 15.0
"""How long guards may take to end their harnesses after the agent is gone."""


class Job(NamedTuple):
    """What a fresh harness needs to begin."""

    channel: int
    order: dict[str, Any]
    framework: Any
    locks: tuple[int, ...]
    """Files of its queue, shared with its guard; none: it has none."""


class Zygote:
    """The loop of the zygote process. In a forked harness `run` returns that harness's job."""

    def __init__(self, descriptor: int) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(DUMP_SIGNAL, signal.SIG_IGN)
        lineage.adopt_orphans()
        self._wire = Wire(descriptor)
        self._watch = Watch(self._wire)
        self._guards: dict[int, str] = {}
        self._dead: dict[int, int] = {}
        self._orphans: dict[int, int] = {}
        self._framework: Any = None

    def run(self) -> Job | None:
        """Serve until the agent is gone; None then, or the job when this process has become a harness."""
        while not self._wire.is_closed:
            self._watch.wait(3600.0)
            for request in self._wire.read():
                job = self._obey(request)
                if job is not None:
                    return job
            self._look_at_children()
        self._linger()
        return None

    def _obey(self, request: dict[str, Any]) -> Job | None:
        if "begin" in request:
            self._begin(request["begin"])
        elif "fork" in request:
            return self._fork(request)
        elif request.get("end") in self._guards:
            lineage.send([request["end"]], signal.SIGKILL)
        return None

    def _begin(self, order: dict[str, Any]) -> None:
        try:
            options = order["options"]
            if "invocation" in options:
                invocation.imitate(options["invocation"], options.get("args", []))
            self._framework = invocation.load_framework(order["framework"])
            if order["warm"]:
                self._framework.warm(options)
        except BaseException:  # Whatever the project does at import is the agent's to tell.
            self._wire.write(failed=traceback.format_exc())
            return
        gc.collect()
        gc.freeze()
        self._wire.write(ready=os.getpid())

    def _fork(self, request: dict[str, Any]) -> Job | None:
        control, channel = self._wire.descriptors[:2]
        del self._wire.descriptors[:2]
        try:
            pid = fork()
        except OSError as error:
            self._wire.write(refused=request["fork"], text=str(error))
            pid = -1
        if pid == 0:
            return self._become_guard(request, control, channel)
        os.close(control)
        os.close(channel)
        if pid > 0:
            self._guards[pid] = request["fork"]
            self._wire.write(forked=request["fork"], guard=pid)
        return None

    def _become_guard(self, request: dict[str, Any], control: int, channel: int) -> Job:
        os.setsid()
        self._watch.close()
        self._wire.close()
        for other in self._wire.descriptors:
            os.close(other)
        lineage.adopt_orphans()
        guard = os.getpid()
        locks = queue_place.open_locks(request["job"]["options"].get("place"))
        wire = Wire(control)
        watch = Watch(wire)
        pid = fork()
        if pid == 0:
            lineage.die_with_parent(guard)
            os.setsid()
            watch.close()
            wire.close()
            return Job(channel, request["job"], self._framework, locks)
        os.close(channel)
        try:
            Guard(wire, watch, pid, request["terms"]).run()
        except BaseException:  # Whatever the project raises, this process must end well.
            traceback.print_exc()
            os._exit(70)
        os._exit(0)

    def _look_at_children(self) -> None:
        self._sort(lineage.reap()[0])
        while self._dead:
            self._bury(*self._dead.popitem())

    def _sort(self, ended: dict[int, int]) -> None:
        for pid, status in ended.items():
            if self._guards.pop(pid, None) is not None:
                self._dead[pid] = exit_code(status)
            elif len(self._orphans) < MOST_ORPHANS:
                self._orphans[pid] = exit_code(status)

    def _bury(self, guard: int, code: int) -> None:
        proof = True
        if code != 0:
            proof, ended = lineage.kill_below(set(self._guards), [], GIVE_UP_SECONDS)
            self._sort(ended)
        self._wire.write(gone=guard, code=code, proof=proof, orphans=self._orphans)
        self._orphans = {}

    def _linger(self) -> None:
        until = time.monotonic() + LINGER_SECONDS
        while time.monotonic() < until and lineage.reap()[1]:
            time.sleep(0.02)
        lineage.kill_below(set(), [], GIVE_UP_SECONDS)


def fork() -> int:
    """Fork without the warning about threads that a plug-in may have started."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()
