"""A `doit` that has nothing to do, and `doit list`, against bare `doit` with an empty dodo.py in the same environment.

Also a project of 10,000 files under git, where looking for changes costs something; bare doit looks for none.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.output import Row, show
from benchmarks.racing import SCRIPTS, Contender, environment, parser, race, row, write_project

AIM = 1.3
LOADER = '[tool.doit]\nloader = "fleet"\n\n[tool.doit-fleet]\nworkers.count = 2\n'


def made_project(folder: Path, files: int) -> Path:
    """A project under git with one test and some data files, its last run green."""
    project = write_project(folder, {"test_one.py": "def test_one():\n    assert True\n"})
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(LOADER)
    (project / ".gitignore").write_text("__pycache__/\nbuild/\n.fleet/\n", encoding="utf-8")
    for at in range(files):
        target = project / "data" / str(at // 100) / f"{at}.txt"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{at}\n", encoding="utf-8")
    for command in (["git", "init", "-q"], ["git", "add", "-A"], [str(SCRIPTS / "doit")]):
        subprocess.run(command, cwd=project, env=environment(sys.executable), check=True, capture_output=True)
    return project


def bare_project(folder: Path) -> Path:
    """An empty dodo.py."""
    folder.mkdir()
    (folder / "dodo.py").touch()
    return folder


def measure(projects: dict[str, Path], bare: Path, rounds: int) -> list[Row]:
    """Each command in each project beside the same in the bare one."""
    doit = str(SCRIPTS / "doit")
    commands = {"no-op doit": [doit], "doit list": [doit, "list"]}
    rows = []
    for name, command in commands.items():
        sides = {"bare": bare, **projects}
        walls = race([Contender(name=side, command=command, cwd=cwd) for side, cwd in sides.items()], rounds)
        rows += [row(f"{name}, {side}", walls[side], "bare doit", walls["bare"], AIM) for side in projects]
    return rows


def main(arguments: Sequence[str]) -> int:
    """Measure and print a table."""
    chosen = parser("start", __doc__, 20).parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        projects = {
            "1 file": made_project(Path(folder, "small"), 0),
            "10,000 files": made_project(Path(folder, "large"), 10_000),
        }
        show("start", measure(projects, bare_project(Path(folder, "bare")), chosen.rounds), as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
