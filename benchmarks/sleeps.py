"""1,000 sleeps of 0.5 to 1.5 s on 25 workers, against the floor max(sum/25, longest), GNU parallel and xdist.

The tests cost no processor time, so the start of 25 interpreters and the end of the run are what can be lost.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import show
from benchmarks.racing import Contender, fleet, parser, race, row, write_project, xdist

WORKERS = 25
FILES = 25
AIM = 1.04


def made_up_seconds(tests: int, scale: float) -> list[float]:
    """The same sleeps each time."""
    draw = random.Random(1)
    return [round(draw.uniform(0.5, 1.5) * scale, 4) for _ in range(tests)]


def made_up_files(sleeps: Sequence[float]) -> dict[str, str]:
    """One parametrised test in each file."""
    shares = [list(sleeps[at::FILES]) for at in range(FILES)]
    return {
        f"test_{at:02}.py": "import time\n\nimport pytest\n\n\n"
        f"@pytest.mark.parametrize('seconds', {share})\ndef test_sleep(seconds):\n    time.sleep(seconds)\n"
        for at, share in enumerate(shares)
    }


def contenders(project: Path, sleeps: Sequence[float]) -> list[Contender]:
    """Ours, both modes of xdist, and GNU parallel where it is installed."""
    commands = {
        "fleet": fleet(f"workers.count={WORKERS}"),
        "xdist load": xdist(sys.executable, WORKERS, "load"),
        "xdist worksteal": xdist(sys.executable, WORKERS, "worksteal"),
    }
    if parallel := shutil.which("parallel"):
        commands["GNU parallel"] = [parallel, f"-j{WORKERS}", "sleep", ":::", *map(str, sleeps)]
    return [Contender(name=name, command=command, cwd=project) for name, command in commands.items()]


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    options = parser("sleeps", __doc__, 3)
    options.add_argument("--tests", type=int, default=1000)
    options.add_argument("--scale", type=float, default=1.0, help="multiply every sleep, for a quick look")
    chosen = options.parse_args(arguments)
    sleeps = made_up_seconds(chosen.tests, chosen.scale)
    floor = max(sum(sleeps) / WORKERS, max(sleeps))
    with tempfile.TemporaryDirectory() as folder:
        project = write_project(Path(folder), made_up_files(sleeps))
        race(contenders(project, sleeps)[:1], 1)  # Learn durations.
        walls = race(contenders(project, sleeps), chosen.rounds)
    rows = [row(name, times, "floor", [floor], AIM) for name, times in walls.items()]
    show("sleeps", rows, as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
