"""Commands on hosts by ssh against GNU parallel with the same hosts, all private SSH servers of this machine.

`sleeps`: 1,000 of 0.5 to 1.5 s on 5 hosts with 5 slots each. `empty`: 2,000 commands on 2 slots of one host. `slow`: one of the 5
hosts takes 10 times as long, against the best that any order could do. `cold`: from the start to the first test, and to the last
slot's first test, where the hosts have never been used by us.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from attrs import evolve, frozen

from benchmarks.output import Row, show
from benchmarks.racing import Contender, fleet, parser, race, row
from tests.engines.toml import inline
from tests.ssh.house import Lab, lab

HOSTS, SLOTS = 5, 5
SLOWER = 10
AIMS = {"sleeps": 1.0, "empty": 0.5, "slow": 1.2, "cold": 1.0}


@frozen(kw_only=True)
class Job:
    """What is run for each line, as a list for us and the same for GNU parallel."""

    lines: Sequence[str]
    command: Sequence[str]
    """`{}` is the line."""
    hosts: Mapping[str, int]
    """Slots by name."""
    slow: str = ""
    """The host whose commands see a more `TURNS`."""

    def write(self, folder: Path, made: Lab) -> Path:
        """A project whose tests are the lines."""
        project = folder / "project"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        words = [word.replace("{}", "{line}") for word in self.command]
        text = f'[project]\nname = "hosts"\nversion = "1"\n[tool.doit-fleet]\nworkers.launcher = "ssh"\nssh.config = "{made.config}"\n'
        text += (
            f'[tool.doit-fleet.suites.jobs]\nframework = "command"\nlines = ["lines.txt"]\ncommand = {inline(words)}\n'
        )
        for name, slots in self.hosts.items():
            env = {"TURNS": " ".join(["again"] * (SLOWER if name == self.slow else 1))}
            told = {"slots": slots, "folder": str(made.folder / "there" / name), "env": env}
            text += f"[tool.doit-fleet.hosts.{name}]\n" + "".join(
                f"{key} = {inline(one)}\n" for key, one in told.items()
            )
        (project / "pyproject.toml").write_text(text, encoding="utf-8")
        (project / "lines.txt").write_text("".join(f"{line}\n" for line in self.lines), encoding="utf-8")
        return project

    def parallel(self, made: Lab, program: str) -> list[str]:
        """GNU parallel's command for the same."""
        hosts = [f"{slots}/{name}" for name, slots in self.hosts.items()]
        words = [program, "--will-cite", "--ssh", f"ssh -F {made.config}", "-S", ",".join(hosts), "-q"]
        return [*words, *self.command, "::::", "lines.txt"]


@frozen(kw_only=True)
class Race:
    """Both, in a project of their own."""

    made: Lab
    folder: Path
    rounds: int

    def contenders(self, job: Job, *, cold: bool = False) -> list[Contender]:
        """Ours first; `cold`: what hosts keep of ours is removed before each round."""
        project = job.write(self.folder, self.made)
        found = [Contender(name="fleet", command=fleet(), cwd=project, before=self.forget if cold else _nothing)]
        if program := shutil.which("parallel"):
            found.append(Contender(name="GNU parallel", command=job.parallel(self.made, program), cwd=project))
        return found

    def forget(self) -> None:
        """Hosts have never seen us."""
        shutil.rmtree(self.made.folder / "there", ignore_errors=True)

    def walls(self, what: str, job: Job) -> list[Row]:
        """Whole runs, one round that nobody times before."""
        both = self.contenders(job)
        race(both[:1], 1)
        found = race(both, self.rounds)
        return [row(what, found["fleet"], one.name, found[one.name], AIMS[what]) for one in both[1:]]


def _nothing() -> None:
    """Leave hosts as they are."""


def sleeps(at: Race, tests: int) -> list[Row]:
    """Whole runs."""
    draw = random.Random(1)
    lines = [f"{draw.uniform(0.5, 1.5):.4f}" for _ in range(tests)]
    return at.walls("sleeps", Job(lines=lines, command=["sleep", "{}"], hosts=_hosts(at.made)))


def empty(at: Race, tests: int) -> list[Row]:
    """Whole runs."""
    hosts = dict.fromkeys(list(at.made.hosts)[:1], 2)
    return at.walls("empty", Job(lines=[str(number) for number in range(tests)], command=["true", "{}"], hosts=hosts))


def slow(at: Race, tests: int) -> list[Row]:
    """Against the time in which all slots would be busy to the end."""
    draw = random.Random(2)
    seconds = [draw.uniform(0.5, 1.5) for _ in range(tests)]
    command = ["sh", "-c", "for n in $TURNS; do sleep $0; done", "{}"]
    hosts = _hosts(at.made)
    name = list(hosts)[-1]
    job = Job(lines=[f"{one:.4f}" for one in seconds], command=command, hosts=hosts, slow=name)
    speeds = [1 / SLOWER if host == name else 1.0 for host, slots in hosts.items() for _ in range(slots)]
    ideal = sum(seconds) / sum(speeds)
    ours = at.contenders(job)[:1]
    return [row("slow", race(ours, at.rounds)["fleet"], "ideal", [ideal], AIMS["slow"])]


def cold(at: Race, tests: int) -> list[Row]:
    """Each test says when it began, and lasts long enough that each slot has one."""
    stamps = at.folder / "stamps"
    command = ["sh", "-c", f"date +%s.%N > {stamps}/$0; sleep 1", "{}"]
    job = Job(lines=[str(number) for number in range(tests)], command=command, hosts=_hosts(at.made))
    found: dict[str, list[tuple[float, float]]] = {}
    began = [0.0]

    def begin(before: Callable[[], None]) -> None:
        before()
        shutil.rmtree(stamps, ignore_errors=True)
        stamps.mkdir()
        began[0] = time.time()

    both = at.contenders(job, cold=True)
    for _ in range(at.rounds):
        for one in both:
            race([evolve(one, before=partial(begin, one.before))], 1)
            seen = sorted(float(path.read_text()) - began[0] for path in stamps.iterdir())
            found.setdefault(one.name, []).append((seen[0], seen[-1]))
    rows = []
    for number, what in enumerate(("cold, first test", "cold, all slots' first")):
        walls = {name: [each[number] for each in seen] for name, seen in found.items()}
        rows += [row(what, walls["fleet"], one.name, walls[one.name], AIMS["cold"]) for one in both[1:]]
    return rows


def _hosts(made: Lab) -> dict[str, int]:
    return dict.fromkeys(made.hosts, SLOTS)


PARTS: Mapping[str, tuple[Callable[[Race, int], list[Row]], int]] = {
    "cold": (cold, HOSTS * SLOTS),
    "empty": (empty, 2_000),
    "sleeps": (sleeps, 1_000),
    "slow": (slow, 1_000),
}


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("hosts", __doc__, 3)
    options.add_argument("--only", choices=PARTS, action="append", help="measure only this; may come again")
    options.add_argument("--tests", type=int, default=0, help="another number of tests than each part's own")
    chosen = options.parse_args(arguments)
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = stack.enter_context(lab(folder / "lab", [f"host{number}" for number in range(HOSTS)]))
        at = Race(made=made, folder=folder, rounds=chosen.rounds)
        for name in chosen.only or PARTS:
            measure, tests = PARTS[name]
            rows += measure(at, chosen.tests or tests)
    show("hosts", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
