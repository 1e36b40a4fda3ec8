"""20,000 trivial tests in 40 files on 2 workers, with byte-code and without, against `pytest -n 2`.

What is measured is the cost of running a test at all: start, collection, hand-out, journal, reports.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import Contender, fleet, parser, race, row, write_project, xdist

FILES = 40
WORKERS = 2
AIMS = {"warm": 0.35, "cold": 0.5}


def made_up_files(tests: int) -> dict[str, str]:
    """Test files of equal size."""
    text = "\n\n".join(f"def test_{at}():\n    assert {at} + 1 == {at + 1}\n" for at in range(tests // FILES))
    return {f"test_{at:02}.py": text for at in range(FILES)}


def forget_bytecode(project: Path) -> None:
    """Remove what was compiled."""
    for folder in project.rglob("__pycache__"):
        shutil.rmtree(folder)


def contenders(project: Path, state: str) -> list[Contender]:
    """Both sides; when cold, each run compiles for itself."""
    commands = {
        f"fleet {state}": fleet(f"workers.count={WORKERS}"),
        f"xdist {state}": xdist(sys.executable, WORKERS, "load"),
    }
    return [
        Contender(
            name=name,
            command=command,
            cwd=project,
            before=(lambda: forget_bytecode(project)) if state == "cold" else (lambda: None),
        )
        for name, command in commands.items()
    ]


def measure(project: Path, rounds: int) -> list[Row]:
    """Warm after one run that nobody times, then cold."""
    race(contenders(project, "warm"), 1)
    rows = []
    for state, aim in AIMS.items():
        walls = race(contenders(project, state), rounds)
        rows.append(row(state, walls[f"fleet {state}"], "pytest -n 2", walls[f"xdist {state}"], aim))
    return rows


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("trivial", __doc__, 3)
    options.add_argument("--tests", type=int, default=20_000)
    chosen = options.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder), made_up_files(chosen.tests))
        show("trivial", measure(project, chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
