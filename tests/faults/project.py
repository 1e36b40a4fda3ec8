"""A project whose tests leave a trace each time they begin, and a running `doit-fleet` on it.

The trace (one line for each beginning, appended with one write) is how repeats are counted: it does not depend on anything that
doit-fleet says. A marker in the environment finds every process that a run has started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from attrs import define, field

MARKER = "FLEET_FAULT_MARKER"
DEADLINE_SECONDS = 90.0
ON_CI = ("CI", "BUILD_NUMBER")
"""By these pytest tells more of a comparison that fails; workers elsewhere do not have them."""

TRACE = """\
import os, time
def trace(name):
    fd = os.open(os.environ["FLEET_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, (name + "\\n").encode())
    os.close(fd)
"""

TEST_FILE = """\
import pytest, time
from trace_support import trace

@pytest.mark.parametrize("n", range({count}))
def test_sleeps(n):
    trace("{name}[%d]" % n)
    time.sleep({seconds})
"""


def until(condition: Callable[[], object], what: str | Callable[[], object], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for something that another process does; the deadline is an error that names it, or says what there is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain: {what if isinstance(what, str) else what()}")
        time.sleep(0.02)


@define
class Project:
    """A folder with a suite, and what is known of runs in it."""

    root: Path
    launcher: str = "local"
    marker: str = field(factory=lambda: uuid.uuid4().hex)
    arguments: tuple[str, ...] = ()
    workers: int = 4
    lease: str = "2s"
    repeats_without_agent: int = 4
    """How many tests run again when an agent dies: its workers die with it."""
    before: tuple[str, ...] = ()
    """What starts the agent's command."""

    @property
    def shared(self) -> Path:
        """A folder that tests may write wherever they run."""
        return self.root.parent / "shared"

    @property
    def temporary(self) -> Path:
        """Folder for temporary files of agents."""
        return self.root.parent / "tmp"

    @property
    def trace_file(self) -> Path:
        """Where tests leave their traces."""
        return self.shared / "trace"

    def settle(self) -> None:
        """Make the folders that runs need."""
        self.temporary.mkdir(exist_ok=True)
        self.shared.mkdir(exist_ok=True)
        self.shared.chmod(0o777)

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def sleepers(self, files: int, count: int, seconds: float) -> int:
        """Write files of tests that sleep; how many tests that makes."""
        self.write("trace_support.py", TRACE)
        self.write("conftest.py", "")
        for number in range(files):
            name = f"test_f{number}"
            self.write(f"{name}.py", TEST_FILE.format(count=count, name=name, seconds=seconds))
        return files * count

    def busy(self) -> int:
        """Write tests that take about two or three seconds with all workers; how many that makes."""
        self.arguments = (
            f"workers.count={self.workers}",
            f"workers.lease_seconds={self.lease}",
            "workers.max_losses=100",
        )
        return self.sleepers(files=8, count=10, seconds=0.1)

    def environment(self) -> dict[str, str]:
        """What `doit-fleet` is started with."""
        ours = ("PYTEST_", "DOIT_FLEET_", "COV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours) and name not in ON_CI}
        kept.update(
            {
                MARKER: self.marker,
                "FLEET_TRACE": str(self.trace_file),
                "VIRTUAL_ENV": sys.prefix,
                "TERM": "dumb",
                "TMPDIR": str(self.temporary),
            }
        )
        return kept

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Running:
        """Start `doit-fleet` in a session of its own."""
        self.settle()
        ours = [sys.executable, "-m", "pipeline", f"workers.launcher={self.launcher}"]
        command = [*self.before, *ours, *self.arguments, *arguments]
        output = self.root.parent / f"output-{uuid.uuid4().hex[:6]}"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env={**self.environment(), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Running(self, process, output)

    def reach(self, *folders: Path) -> None:
        """Let tests see these folders, under the same names."""

    def supervisors(self, agent: int) -> list[int]:
        """Pids of the processes that hold zygotes."""
        return [agent]

    def until_missed(self, harnesses: Sequence[int], tests: int) -> None:
        """Wait until a stopped or dead agent is missed: its guards end their harnesses."""
        until(lambda: not set(harnesses) & set(self.processes()), "guards end harnesses whose permission has expired")

    def until_left(self) -> None:
        """Wait until what a dead agent has left ends by itself."""
        until(lambda: not self.processes(), "guards end what the agent has left", 10)

    def freeze(self, pid: int, host: str) -> None:
        """Stop the place where a test runs, as a test sees itself: a process."""
        kill_all([pid], signal.SIGSTOP)

    def thaw(self, pid: int, host: str) -> None:
        """Let it go on, if it is still there."""
        kill_all([pid], signal.SIGCONT)

    def kill(self, pid: int, host: str) -> None:
        """Kill it."""
        kill_all([pid])

    def sweep(self) -> None:
        """`doit-fleet sweep` where a run has been given up for good; workers on this machine have died with their agent."""

    def left(self) -> list[str]:
        """What is left of all runs now, but reports, logs and the store."""
        files = [path.name for path in self.temporary.glob("*") if not path.name.startswith("pytest-of-")]
        return [*(f"process {pid} {state}" for pid, state in self.processes().items()), *files]

    def clear(self) -> None:
        """Remove what a failed test has left."""
        kill_all(list(self.processes()))

    def traces(self) -> list[str]:
        """Names of the tests that have begun, each as often as it did."""
        return self.trace_file.read_text().splitlines() if self.trace_file.exists() else []

    def verdicts(self) -> dict[str, str]:
        """Verdict by `classname::name`, from the JUnit report; two elements of one name are an error."""
        found: dict[str, str] = {}
        for case in ElementTree.parse(self.root / "build" / "reports" / "junit.xml").iter("testcase"):
            name = f"{case.get('classname')}::{case.get('name')}"
            assert name not in found, f"two verdicts for {name}"
            bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            found[name] = bad[0] if bad else "passed"
        return found

    def processes(self) -> dict[int, str]:
        """All living processes with our marker: pid and state."""
        return dict(_marked(f"{MARKER}={self.marker}".encode()))

    def events(self, kind: str) -> list[dict[str, object]]:
        """The events of one kind that the latest run has written so far."""
        path = self.root / "build" / "reports" / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [event for line in lines if line.endswith("}") and (event := json.loads(line))["event"] == kind]


@define
class Running:
    """One `doit-fleet` process."""

    project: Project
    process: subprocess.Popen[bytes]
    output_file: Path

    @property
    def output(self) -> str:
        """All it has printed."""
        return self.output_file.read_text("utf-8", "replace")

    def until_begun(self, tests: int) -> None:
        """Wait until that many tests have begun."""

        def begun() -> bool:
            assert self.process.poll() is None, f"ended too early with {self.process.returncode}:\n{self.output}"
            return len(self.project.traces()) >= tests

        until(begun, lambda: f"{tests} tests begun (have {len(self.project.traces())})\n{self.output[-2000:]}")

    def signal(self, number: int) -> None:
        """Send a signal to the agent."""
        os.kill(self.process.pid, number)

    def end(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Wait for its end; its exit code as a shell sees it."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {seconds:.0f} s:\n{self.output[-4000:]}") from None
        return 128 - code if code < 0 else code

    def family(self) -> dict[str, list[int]]:
        """Pids by role: `zygote` is a child of a supervisor, `guard` below it, `harness` below that."""
        children = children_of_all()
        supervisors = self.project.supervisors(self.process.pid)
        zygotes = [pid for supervisor in supervisors for pid in children.get(supervisor, [])]
        guards = [pid for zygote in zygotes for pid in children.get(zygote, [])]
        return {
            "zygote": zygotes,
            "guard": guards,
            "harness": [pid for guard in guards for pid in children.get(guard, [])],
        }


def _marked(marker: bytes) -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                if marker in (folder / "environ").read_bytes().split(b"\0"):
                    state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
                    if state not in "ZX":
                        yield int(folder.name), state
            except OSError:
                continue


def children_of_all() -> dict[int, list[int]]:
    """Living children of every process of the machine."""
    found: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                found.setdefault(int(fields[1]), []).append(int(folder.name))
    return {parent: sorted(pids) for parent, pids in found.items()}


def kill_all(pids: Sequence[int], number: int = signal.SIGKILL) -> None:
    """Send a signal to processes, some of which may be gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
