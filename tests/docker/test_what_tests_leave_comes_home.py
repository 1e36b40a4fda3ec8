"""What tests measure and write in containers is on the agent afterwards, as if they had run there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docker.house import PACKAGES, DockerProject, make_environment
from tests.outputs.test_logs_while_tests_run import SAYS, followed
from tests.outputs.test_tests_know_their_run import ASKS

pytestmark = pytest.mark.timeout(240)

SHOP = """\
def price(kind):
    if kind == "book":
        return 7
    if kind == "pen":
        return 2
    raise KeyError(kind)
"""
TESTS = """\
import pathlib
from shop import price

def test_{kind}():
    assert price("{kind}") > 0
    pathlib.Path("notes").mkdir(exist_ok=True)
    pathlib.Path("notes/{kind}.txt").write_text("{kind}")
"""


@pytest.fixture(scope="module")
def measuring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with pytest-cov."""
    return make_environment(tmp_path_factory.mktemp("measuring") / "venv", (*PACKAGES, "coverage", "pytest-cov"))


def told(report: Path) -> dict[str, Any]:
    """Totals and lines by file, without times."""
    read = json.loads(report.read_text("utf-8"))
    files = {name: (one["executed_lines"], one["missing_lines"]) for name, one in read["files"].items()}
    return {"totals": read["totals"], "files": files}


def test_coverage_and_declared_outputs_are_those_of_a_plain_run(project: DockerProject, measuring: Path) -> None:
    """Two containers run a part each: together they measured what plain pytest measures, and their files are here."""
    project.python, project.layers = measuring, None
    project.suite = {"args": ["--cov=shop", "--cov-report=json:measured.json"], "outputs": ["notes/*.txt"]}
    project.write("shop.py", SHOP)
    for kind in ("book", "pen"):
        project.write(f"test_{kind}.py", TESTS.format(kind=kind))

    running = project.start()

    assert running.end() == 0, running.output
    written = sorted(path.name for path in (project.root / "build" / "outputs").glob("*/unit/notes/*.txt"))
    assert written == ["book.txt", "pen.txt"], running.output
    plain = [str(measuring / "bin" / "python"), "-m", "pytest", "--cov=shop", "--cov-report=json:plain.json"]
    subprocess.run(plain, cwd=project.root, check=True, capture_output=True)
    assert told(project.root / "measured.json") == told(project.root / "plain.json")


def test_tests_know_their_run(project: DockerProject) -> None:
    """So that what they make elsewhere can be labelled and swept."""
    project.write("test_knows.py", ASKS)
    running = project.start("workers.count=1")
    assert running.end() == 0, running.output
    (started,) = project.events("RunStarted")
    assert project.traces() == [started["run"]]


def test_a_container_is_followed_while_it_runs(project: DockerProject) -> None:
    """By what its worker prints; afterwards that comes from the store, with the logs of its harnesses."""
    project.sleepers(files=0, count=0, seconds=0)
    project.write("test_says.py", SAYS)

    _, following, listed = followed(project, "workers.count=1")

    assert "container doit-fleet-" in listed and "lives" in listed
    assert sum("worker w0-1 begins" in line for line in following.output.splitlines()) == 1
    assert "finished: 6 tests" in following.output
    afterwards = project.start("logs", "w0-1")
    assert afterwards.end() == 0, afterwards.output
    assert "outputs/w0-1/logs/supervisor.log" in afterwards.output
