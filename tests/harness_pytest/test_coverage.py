"""pytest-cov over several harnesses measures exactly what it measures in a plain run."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pipeline.adapters.archive_extractor import extract
from pipeline.adapters.commands import run_command
from pipeline.adapters.output_archive import pack
from pipeline.frameworks import pytest as frameworks_pytest
from pipeline.model.suites import Interpreter, Suite
from tests.harness_pytest import project, solo
from tests.harness_pytest.driving import HARNESS, Harness, clean_environment

CODE = """
def early(): return 1
def a(x):
    if x: return 1
    return 2
def b(x):
    if x:
        return 3
    return 4
def never(): return 5
"""
FILES = {
    "code.cfg": "[run]\nbranch = true\n",
    "measured.py": CODE,
    "pytest.ini": "[pytest]\naddopts = --cov=measured --cov-config=code.cfg --cov-report=json --cov-fail-under=95\n",
    "conftest.py": "import measured\nmeasured.early()\n",
    "test_a.py": "import measured\ndef test_a(): assert measured.a(1) == 1\ndef test_b(): assert measured.b(1) == 3\n",
    "test_b.py": "import measured\ndef test_a(): assert measured.a(0) == 2\n",
}


def conclude(facts: dict[str, Any]) -> str:
    """Run the agent's part in the project's interpreter; its objection."""
    command = [sys.executable, str(HARNESS / "pytest_coverage_report.py"), json.dumps(facts)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    assert done.returncode == 0, done.stderr
    objection: str = json.loads(done.stdout.splitlines()[-1])["objection"]
    return objection


def measured(folder: Path) -> Any:
    """Executed lines and branches, and the totals."""
    told = json.loads((folder / "coverage.json").read_text())
    return told["files"]["measured.py"]["executed_lines"], told["totals"]


def test_combined_totals_equal_a_plain_run(tmp_path: Path) -> None:
    """Two harnesses, and a minimum that is not reached."""
    plain = project.write(tmp_path / "plain", FILES)
    subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=plain, env=clean_environment(), check=False, capture_output=True
    )
    fleet = project.write(tmp_path / "fleet", FILES)

    with Harness(fleet, slot=0, slots=2) as one, Harness(fleet, slot=1, slots=2) as two:
        facts = next(harness.until("hello")[-1]["facts"]["cov"] for harness in (one, two))
        for harness, file in ((one, "test_a.py"), (two, "test_b.py")):
            harness.send("collect", file=file)
            tests = harness.until("collected")[-1]["tests"]
            solo.send_run(harness, "0", tests)
            harness.send("finish")
        for harness in (one, two):
            harness.until("bye")
    objection = conclude(facts)

    assert measured(fleet) == measured(plain)
    assert objection.startswith("required test coverage of 95")


def test_what_containers_measured_counts_for_the_files_here(tmp_path: Path) -> None:
    """Two workers elsewhere measured a copy of the project at another path; at home the totals equal a plain run's."""
    plain, fleet = (project.write(tmp_path / name, FILES) for name in ("plain", "fleet"))
    subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=plain, env=clean_environment(), check=False, capture_output=True
    )
    with Harness(fleet, slot=0, slots=1) as here:  # Collects, as the agent does.
        facts = here.until("hello")[-1]["facts"]["cov"]
    for stale in fleet.glob(".coverage*"):
        stale.unlink()
    suite = Suite(name="s", framework="pytest", root=str(fleet), interpreter=interpreter())
    homes = []
    for worker, file in (("w0-1", "test_a.py"), ("w1-1", "test_b.py")):
        there = project.write(tmp_path / "project", FILES)
        with Harness(there, slot=0, slots=2) as harness:
            harness.until("hello")
            harness.send("collect", file=file)
            solo.send_run(harness, "0", harness.until("collected")[-1]["tests"])
            harness.send("finish")
            harness.until("bye")
        archive = io.BytesIO()
        pack(there, frameworks_pytest.carries(suite), archive)
        packed = tmp_path / f"{worker}.tar.gz"
        packed.write_bytes(archive.getvalue())
        extract(packed, tmp_path / worker)
        homes.append(str(tmp_path / worker))
        shutil.rmtree(there)
    told = {"cov": facts, "homes": {"folders": homes, "here": str(fleet), "there": [str(tmp_path / "project")]}}

    concluded = frameworks_pytest.conclude(suite, told, lambda arguments, cwd: run_command(arguments, cwd=cwd))

    assert measured(fleet) == measured(plain)
    assert concluded.objections[0].startswith("required test coverage of 95")


def interpreter() -> Interpreter:
    """The one these tests run in."""
    return Interpreter(path=sys.executable, version=sys.version_info[:3], prefix=sys.prefix)


def test_the_data_file_is_found_where_coverage_keeps_it(tmp_path: Path) -> None:
    """By each of its configuration files; a place outside the project is not carried."""
    assert frameworks_pytest.data_file(tmp_path) == ".coverage"
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.run]\ndata_file = 'out/cov'\n")
    assert frameworks_pytest.data_file(tmp_path) == "out/cov"
    (tmp_path / "setup.cfg").write_text("[coverage:run]\ndata_file = /tmp/elsewhere\n")
    assert frameworks_pytest.data_file(tmp_path) == ".coverage"
    (tmp_path / ".coveragerc").write_text("[run]\ndata_file = here\n")
    assert frameworks_pytest.data_file(tmp_path) == "here"
