"""The agent's side of a zygote: start it, have it fork guards, learn how they ended, end it.

The protocol is `pipeline.harness.zygote`'s. One object is one process; who needs a new one makes a new object.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

from attrs import field, frozen

import pipeline.harness
from pipeline.adapters.control import Control
from pipeline.adapters.waiting import Bell
from pipeline.errors import EngineError
from pipeline.model.suites import HarnessSpec

BOOTSTRAP = """\
import sys
if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)): del sys.path[0]
import importlib.util
spec = importlib.util.spec_from_file_location("_doit_fleet_harness", sys.argv[1] + "/__init__.py",
                                              submodule_search_locations=[sys.argv[1]])
sys.modules[spec.name] = importlib.util.module_from_spec(spec)
from _doit_fleet_harness.start import main
main(int(sys.argv[2]))
"""
"""Loads the harness folder under its private name, before anything of the project's can be imported by accident."""

WARM_SECONDS = 120.0
FORK_SECONDS = 20.0


@frozen(kw_only=True)
class Gone:
    """What the zygote says of a guard that ended."""

    code: int
    proof: bool
    orphans: dict[int, int] = field(factory=dict)
    """Exit codes of processes that the guard left, all dead now."""


class Zygote:
    """One zygote process."""

    def __init__(self, spec: HarnessSpec, *, log: Path, mark: dict[str, str], is_warm: bool) -> None:
        self._spec = spec
        self._log = log
        self._mark = mark
        self._is_warm = is_warm
        self._numbers = itertools.count()
        self._answers: dict[str, dict[str, Any]] = {}
        self._gone: dict[int, Gone] = {}
        self._orphans: dict[int, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._control: Control | None = None
        self._place = repr(spec.python)
        self._bell = Bell()

    @property
    def pid(self) -> int:
        """Its process id; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def is_alive(self) -> bool:
        """Whether it was started and still answers, as far as known."""
        return self._control is not None and not self._control.is_closed

    def attach(self) -> None:
        """Listen in the running loop."""
        if self._control:
            self._control.attach()

    async def ready(self) -> None:
        """Start the process if that was not done, and wait until it is warm. Raises `EngineError`."""
        if self._control is None:
            self._begin()
        self.attach()
        answer = await self._answer("begin", WARM_SECONDS)
        self._answers["begin"] = answer
        if "failed" in answer:
            raise EngineError(f"the harness could not begin in {self._place}:\n{answer['failed'].rstrip()}")

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = self._spawn(theirs.fileno())
            except BaseException:
                ours.close()
                raise
        self._control = Control(ours, self._note, self._bell)
        spec = self._spec
        begin = {"framework": spec.module, "options": spec.options, "warm": self._is_warm}
        self._control.send({"begin": begin})

    def _spawn(self, descriptor: int) -> subprocess.Popen[bytes]:
        spec = self._spec
        folder = str(Path(pipeline.harness.__file__).parent)
        command = [spec.python, "-c", BOOTSTRAP, folder, str(descriptor)]
        try:
            with self._log.open("ab") as log:
                return subprocess.Popen(
                    command,
                    cwd=spec.cwd,
                    env={**os.environ, **spec.env, **self._mark},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[descriptor],
                    start_new_session=True,
                )
        except OSError as error:
            raise EngineError(f"cannot start {spec.python!r} in {spec.cwd!r}: {error}") from error

    async def fork(self, job: dict[str, Any], terms: dict[str, Any], control: int, channel: int) -> int:
        """Have a guard and its harness forked with these two descriptors; the guard's process id.

        Raises `EngineError` when the zygote is gone or refuses; the descriptors may have been used even then.
        """
        number = self._next_fork()
        assert self._control is not None
        self._control.attach()
        self._control.send({"fork": number, "job": job, "terms": terms}, [control, channel])
        return await self._forked(number)

    def _next_fork(self) -> str:
        return f"fork {next(self._numbers)}"

    async def _forked(self, number: str) -> int:
        answer = await self._answer(number, FORK_SECONDS)
        if "refused" in answer:
            raise EngineError(f"no process can be made for a harness: {answer['text']}")
        return int(answer["guard"])

    async def gone(self, guard: int, seconds: float) -> Gone | None:
        """How that guard ended; None when it is not known within `seconds`."""
        assert self._control is not None
        until = asyncio.get_running_loop().time() + seconds
        while guard not in self._gone:
            left = until - asyncio.get_running_loop().time()
            if self._control.is_closed or left <= 0:
                return None
            self._control.attach()
            await self._bell.wait(left)
        return self._gone[guard]

    def end_guard(self, guard: int) -> None:
        """Kill a guard, and with it its harness."""
        if self._control:
            self._control.send({"end": guard})

    def kill(self) -> None:
        """Kill the zygote; its guards live on."""
        if self._process and self._process.poll() is None:
            self._process.kill()

    async def close(self, seconds: float = 3.0) -> None:
        """Let it end, kill it after `seconds`, and reap it."""
        if self._control:
            self._control.close()
        if self._process is None:
            return
        until = asyncio.get_running_loop().time() + seconds
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > until:
                self._process.kill()
            await asyncio.sleep(0.005)

    async def _answer(self, key: str, seconds: float) -> dict[str, Any]:
        assert self._control is not None
        until = asyncio.get_running_loop().time() + seconds
        while key not in self._answers:
            left = until - asyncio.get_running_loop().time()
            if self._control.is_closed or left <= 0:
                self.kill()
                self._control.close()
                what = "does not answer" if left <= 0 else f"ended: {_last_line(self._log)}"
                raise EngineError(
                    f"the parent process of harnesses ({self._place}) {what}",
                    hint=f"its output is in {self._log}",
                )
            await self._bell.wait(left)
        return self._answers.pop(key)

    def _note(self, line: dict[str, Any]) -> None:
        if "gone" in line:
            # Of two guards that die together the first may be told with what both have left.
            self._orphans.update({int(pid): code for pid, code in line["orphans"].items()})
            self._gone[line["gone"]] = Gone(code=line["code"], proof=line["proof"], orphans=self._orphans)
        elif "ready" in line or "failed" in line:
            self._answers["begin"] = line
        else:
            self._answers[line.get("forked") or line["refused"]] = line


def _last_line(log: Path) -> str:
    try:
        return log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
    except OSError:
        return ""
