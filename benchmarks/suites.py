"""Real suites on 2 workers, from source distributions, against the better mode of `pytest -n 2`.

`--prepare` fetches and installs them below a cache folder, each with an environment of its own, from a package index.
Ours runs with the history it has learned, because that is how it is used.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.output import Row, show
from benchmarks.racing import Contender, fleet, parser, race, row, xdist

WORKERS = 2
AIM_MEDIAN, AIM_WORST = 0.8, 0.95
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "doit-fleet" / "benchmarks"


@frozen
class Source:
    """A distribution, where its tests are, and what they need."""

    requirement: str
    paths: Sequence[str] = ("tests",)
    needs: Sequence[str] = ()


SOURCES: Mapping[str, Source] = {
    "attrs": Source("attrs==26.1.0", needs=("hypothesis", "cloudpickle")),
    "jinja2": Source("Jinja2==3.1.6", needs=("trio",)),
    "more-itertools": Source("more-itertools==11.2.1"),
    "werkzeug": Source(
        "Werkzeug==3.1.9", needs=("ephemeral-port-reserve", "cryptography", "watchdog", "pytest-timeout")
    ),
    "click": Source("click==8.5.1"),
    "networkx": Source("networkx==3.6.1", paths=("networkx/algorithms/tests", "networkx/classes", "networkx/utils")),
}


def prepare(name: str, source: Source, cache: Path) -> None:
    """Fetch, unpack and install one suite, once."""
    folder = cache / name
    if folder.exists():
        return
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as made:
        python = str(Path(made, "venv", "bin", "python"))
        pip = [python, "-m", "pip", "-q", "--disable-pip-version-check"]
        download = ["download", "--no-deps", "--no-binary", ":all:", "-d", made, source.requirement]
        for command in ([sys.executable, "-m", "venv", str(Path(made, "venv"))], [*pip, *download]):
            subprocess.run(command, check=True)
        with tarfile.open(next(Path(made).glob("*.tar.gz"))) as archive:
            archive.extractall(made, filter="data")
        shutil.move(next(Path(made).glob("*/pyproject.toml")).parent, folder)
    venv = folder / ".venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    install = ["-m", "pip", "-q", "install", "pytest", "pytest-xdist", *source.needs, "-e", "."]
    subprocess.run([str(venv / "bin" / "python"), *install], cwd=folder, check=True)


def contenders(source: Source, folder: Path) -> list[Contender]:
    """Ours and both modes of xdist on the same files; suites with failures of their own count too."""
    python = str(folder / ".venv" / "bin" / "python")
    (folder / "fleet.toml").write_text(f"[suites.tests]\npaths = {json.dumps(list(source.paths))}\n", encoding="utf-8")
    commands = {
        "fleet": fleet(f"workers.count={WORKERS}"),
        **{mode: xdist(python, WORKERS, mode, *source.paths) for mode in ("load", "worksteal")},
    }
    return [
        Contender(name=name, command=command, cwd=folder, python=python, exits=(0, 1))
        for name, command in commands.items()
    ]


def measure(name: str, cache: Path, rounds: int) -> Row:
    """One suite's row, after one run that nobody times."""
    sides = contenders(SOURCES[name], cache / name)
    race(sides, 1)
    walls = race(sides, rounds)
    best = min(("load", "worksteal"), key=lambda mode: statistics.median(walls[mode]))
    return row(name, walls["fleet"], f"pytest -n 2 --dist {best}", walls[best], AIM_WORST)


def median_row(rows: Sequence[Row]) -> Row:
    """The median of all ratios beside its own aim."""
    ratio = statistics.median(float(one["ratio"]) for one in rows)
    return {"what": "median", "ours_s": 0.0, "against": "", "theirs_s": 0.0, "ratio": ratio, "aim": AIM_MEDIAN}


def main(arguments: Sequence[str]) -> int:
    """Prepare, or measure what was prepared and print a table."""
    options = parser("suites", __doc__, 3)
    options.add_argument("names", nargs="*", metavar="SUITE", help=f"of {', '.join(SOURCES)} (default: all prepared)")
    options.add_argument("--prepare", action="store_true", help="fetch and install instead of measuring")
    options.add_argument("--cache", type=Path, default=CACHE, help="where they are kept (default: %(default)s)")
    chosen = options.parse_args(arguments)
    names = chosen.names or list(SOURCES)
    if unknown := [name for name in names if name not in SOURCES]:
        options.error(f"no such suite: {', '.join(unknown)} (known: {', '.join(SOURCES)})")
    if chosen.prepare:
        for name in names:
            prepare(name, SOURCES[name], chosen.cache)
        return 0
    ready = [name for name in names if (chosen.cache / name / ".venv").exists()]
    if not ready:
        options.error(f"nothing is prepared in {chosen.cache}: run it with --prepare first")
    rows = [measure(name, chosen.cache, chosen.rounds) for name in ready]
    show("suites", [*rows, median_row(rows)], as_json=chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
