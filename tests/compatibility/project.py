"""A small project, run by plain pytest and by doit-fleet with the same interpreter, and what both said of each test."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

from attrs import field, frozen

Verdicts = dict[str, str]
"""`passed`, `failure`, `error` or `skipped` by `classname::name`."""
PLAIN_REPORT = "plain.xml"
RUN_SECONDS = 90.0
TEST_SECONDS = 4 * RUN_SECONDS
"""Some seconds each where nothing else runs; a busy machine may take long."""


@frozen
class Done:
    """A command that has ended."""

    code: int
    output: str
    verdicts: Verdicts
    properties: dict[str, dict[str, str]]


@frozen
class Project:
    """A folder with tests and the interpreter for them."""

    root: Path
    python: Path
    environment: dict[str, str] = field(factory=dict)

    def write(self, **files: str) -> None:
        """Write files; `__` in a name stands for a dot (`conftest__py`), `_in_` for a folder before it."""
        for name, text in files.items():
            path = self.root / name.replace("_in_", "/").replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def settings(self, *addopts: str, more: str = "") -> None:
        """Write pytest.ini; pytest-randomly is left out where a test does not ask for it."""
        self.write(pytest__ini=f"[pytest]\naddopts = {' '.join(addopts or ('-p no:randomly',))}\n{dedent(more)}")

    def fleet(self, *arguments: str, seconds: float = RUN_SECONDS) -> Done:
        """Run it with two workers."""
        command = [sys.executable, "-m", "pipeline", "workers.count=2", *arguments]
        return self._run(command, self.root / "build" / "reports" / "junit.xml", seconds)

    def plain(self, *arguments: str, seconds: float = RUN_SECONDS) -> Done:
        """Run it with plain pytest."""
        report = self.root.parent / PLAIN_REPORT
        command = [str(self.python), "-m", "pytest", *arguments, f"--junitxml={report}"]
        return self._run(command, report, seconds)

    def _run(self, command: list[str], report: Path, seconds: float) -> Done:
        report.unlink(missing_ok=True)
        try:
            done = subprocess.run(
                command,
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            printed = late.stdout.decode("utf-8", "replace") if isinstance(late.stdout, bytes) else late.stdout or ""
            told = f"{command} has not ended in {seconds:.0f} s:\n{printed}\n{self._logs()}"
            raise AssertionError(told) from None
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
        return Done(done.returncode, done.stdout, _verdicts(cases), _properties(cases))

    def _logs(self) -> str:
        """What zygotes and workers have written."""
        found = sorted((self.root / ".fleet" / "local").rglob("*.log"))
        return "\n".join(f"--- {path.relative_to(self.root)}\n{path.read_text('utf-8', 'replace')}" for path in found)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST_", "DOIT_FLEET_", "COV_", "COVERAGE_"))
        }
        return {**kept, "VIRTUAL_ENV": str(self.python.parent.parent), "TERM": "dumb", **self.environment}


def same(project: Project, *arguments: str) -> Done:
    """Run both ways; the same verdict for each test and the same exit code. Returns the fleet's run."""
    fleet, plain = project.fleet(*arguments), project.plain()
    assert fleet.verdicts == plain.verdicts, fleet.output
    assert fleet.verdicts, fleet.output
    assert fleet.code == plain.code, fleet.output
    return fleet


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _verdicts(cases: list[ElementTree.Element]) -> Verdicts:
    found = {}
    for case in cases:
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        found[_name(case)] = bad[0] if bad else "passed"
    return found


def _properties(cases: list[ElementTree.Element]) -> dict[str, dict[str, str]]:
    return {
        _name(case): {str(each.get("name")): str(each.get("value")) for each in case.iter("property")} for case in cases
    }
