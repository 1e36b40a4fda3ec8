"""What a loss costs: SIGKILL one of 4 workers, and SIGKILL the agent at half and then the same command again.

Beside the time: tests that failed although they are good, and how many ran again. Each test notes its own start in a
file, so that counting asks nobody. xdist goes through the same.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.output import Row, show
from benchmarks.racing import environment, fleet, parser, write_project, xdist

WORKERS = 4
FILES = 20
AIM = 1.1
NOTES = "started.txt"
TEST = """\
import os, time

def note(name):
    with open({notes!r}, "a") as file:
        file.write(f"{{os.getpid()}} {{name}}\\n")

"""


@frozen
class Outcome:
    """One run, or two where the agent was killed between."""

    seconds: float
    failed: int
    repeated: int


def made_up_files(tests: int, seconds: float, notes: Path) -> dict[str, str]:
    """Tests that note their start, then sleep."""
    made = {}
    for file in range(FILES):
        text = TEST.format(notes=str(notes))
        for at in range(tests // FILES):
            text += f"def test_{at}():\n    note('{file}-{at}')\n    time.sleep({seconds})\n\n"
        made[f"test_{file:02}.py"] = text
    return made


class Trial:
    """A project, and how to run it in one way."""

    def __init__(self, project: Path, notes: Path, tests: int, command: Sequence[str]) -> None:
        self._project, self._notes, self._tests, self._command = project, notes, tests, command

    def undisturbed(self) -> Outcome:
        """Nothing is killed."""
        return self._timed(lambda: self._end(self._begin()))

    def worker_killed(self) -> Outcome:
        """The worker that noted last at a third is killed."""
        return self._timed(self._kill_worker)

    def agent_killed(self) -> Outcome:
        """The process that was started is killed at half; then it is started again."""
        return self._timed(self._kill_agent)

    def _timed(self, run: Callable[[], int]) -> Outcome:
        self._notes.write_text("", encoding="utf-8")
        began = time.perf_counter()
        failed = run()
        took = time.perf_counter() - began
        starts = Counter(line.split()[1] for line in self._noted())
        return Outcome(seconds=took, failed=failed, repeated=sum(starts.values()) - len(starts))

    def _kill_worker(self) -> int:
        process = self._begin()
        os.kill(int(self._wait_for(self._tests // 3, process).split()[0]), signal.SIGKILL)
        return self._end(process)

    def _kill_agent(self) -> int:
        process = self._begin()
        self._wait_for(self._tests // 2, process)
        process.kill()
        process.communicate()
        return self._end(self._begin())

    def _begin(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            cwd=self._project,
            env=environment(sys.executable),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _end(self, process: subprocess.Popen[str]) -> int:
        """How many tests are said to have failed."""
        said, _ = process.communicate()
        if process.returncode not in (0, 1):
            raise RuntimeError(f"status {process.returncode}:\n{said[-3000:]}")
        words = said.replace(",", "").split()
        return max((int(words[at - 1]) for at in range(1, len(words)) if is_count(words, at)), default=0)

    def _wait_for(self, count: int, process: subprocess.Popen[str]) -> str:
        """The note with that number. Raises `RuntimeError` when the run ends before it."""
        while len(noted := self._noted()) < count:
            if process.poll() is not None:
                raise RuntimeError(f"ended too early:\n{process.communicate()[0][-3000:]}")
            time.sleep(0.02)
        return noted[-1]

    def _noted(self) -> list[str]:
        return [line for line in self._notes.read_text("utf-8").split("\n")[:-1] if line]


def is_count(words: Sequence[str], at: int) -> bool:
    """Whether a word of a summary follows a number of bad tests."""
    return words[at] in ("failed", "crashed", "error", "errors") and words[at - 1].isdecimal()


def measure(name: str, trial: Trial, rounds: int) -> list[Row]:
    """The median round of each disturbance, beside the undisturbed run of the same rounds."""
    ways = {"SIGKILL 1 of 4 workers": trial.worker_killed, "SIGKILL the agent, then again": trial.agent_killed}
    trial.undisturbed()
    plain: list[float] = []
    outcomes: dict[str, list[Outcome]] = {way: [] for way in ways}
    for _ in range(rounds):
        plain.append(trial.undisturbed().seconds)
        for way, run in ways.items():
            outcomes[way].append(run())
    return [row_of(f"{name}: {way}", plain, found) for way, found in outcomes.items()]


def row_of(what: str, plain: Sequence[float], found: Sequence[Outcome]) -> Row:
    """Medians; the counts are those of the worst round."""
    usual = sorted(plain)[len(plain) // 2]
    took = sorted(one.seconds for one in found)[len(found) // 2]
    return {
        "what": what,
        "with_s": took,
        "without_s": usual,
        "ratio": took / usual,
        "aim": AIM,
        "false_failures": max(one.failed for one in found),
        "repeated_tests": max(one.repeated for one in found),
    }


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("losses", __doc__, 3)
    options.add_argument("--tests", type=int, default=800)
    options.add_argument("--seconds", type=float, default=0.1, help="how long each test sleeps (default: 0.1)")
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder, NOTES)
        project = write_project(Path(folder, "project"), made_up_files(chosen.tests, chosen.seconds, notes))
        trials = {
            "fleet": Trial(project, notes, chosen.tests, fleet(f"workers.count={WORKERS}")),
            "xdist": Trial(project, notes, chosen.tests, xdist(sys.executable, WORKERS, "load")),
        }
        rows = [row for name, trial in trials.items() for row in measure(name, trial, chosen.rounds)]
    show("losses", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
