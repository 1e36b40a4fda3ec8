"""2,000 empty commands on 2 slots against GNU parallel: what it costs to run a command as a test, with verdict and report.

`spawn` is the floor: the same commands started one after the other by one process for each slot, which does nothing else.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import Contender, fleet, parser, race, row

SLOTS = 2
AIM = 0.5
SUITE = """
[project]
name = "commands"
version = "1"
[tool.doit-fleet.suites.empty]
framework = "command"
lines = ["lines.txt"]
command = ["true"]
"""
SPAWN = "import subprocess, sys; [subprocess.run(['true'], start_new_session=True) for _ in range(int(sys.argv[1]))]"


def write_project(folder: Path, tests: int) -> Path:
    """A project whose tests are the lines of a file."""
    (folder / "pyproject.toml").write_text(SUITE, encoding="utf-8")
    (folder / "lines.txt").write_text("".join(f"{number}\n" for number in range(tests)), encoding="utf-8")
    return folder


def measure(project: Path, tests: int, rounds: int) -> list[Row]:
    """All in turn; one round that nobody times comes first."""
    spawn = " & ".join([f'{sys.executable} -c "{SPAWN}" {tests // SLOTS}'] * SLOTS)
    commands = {"fleet": fleet(f"workers.count={SLOTS}"), "spawn": ["/bin/sh", "-c", f"{spawn} & wait"]}
    if parallel := shutil.which("parallel"):
        commands["GNU parallel"] = [parallel, f"-j{SLOTS}", "true", "::::", "lines.txt"]
    contenders = [Contender(name=name, command=command, cwd=project) for name, command in commands.items()]
    race(contenders[:1], 1)
    walls = race(contenders, rounds)
    return [row(f"{tests} commands", walls["fleet"], name, walls[name], AIM) for name in commands if name != "fleet"]


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("commands", __doc__, 3)
    options.add_argument("--tests", type=int, default=2_000)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder), chosen.tests)
        show("commands", measure(project, chosen.tests, chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
