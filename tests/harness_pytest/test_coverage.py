"""pytest-cov over several harnesses measures exactly what it measures in a plain run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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
