"""A project whose one suite, `bench`, is commands; and what reports say of a run of it."""

from __future__ import annotations

import csv
import json
import subprocess
from typing import Any

from attrs import frozen

from tests.compatibility.project import Project

HEAD = '[project]\nname = "x"\nversion = "1"\n[tool.doit-fleet.suites.bench]\nframework = "command"\n'


@frozen
class Bench(Project):
    """The project."""

    def suite(self, text: str) -> None:
        """Write the suite's settings."""
        self.write(pyproject__toml=HEAD + text)

    @property
    def ran(self) -> list[str]:
        """Lines of the file `trace` beside the project, which tests write."""
        path = self.root.parent / "trace"
        return path.read_text().splitlines() if path.exists() else []

    def outcomes(self) -> dict[str, tuple[str, str]]:
        """(verdict, message) by name, from the report for machines."""
        told = json.loads((self.root / "build/reports/ctrf.json").read_text())
        tests = told["results"]["tests"]
        return {one["name"]: (one.get("rawStatus", one["status"]), one.get("message", "")) for one in tests}

    def metrics(self) -> list[dict[str, str]]:
        """The rows of metrics.csv."""
        with (self.root / "build/reports/metrics.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    def merged(self) -> dict[str, Any]:
        """The one file of merged results."""
        (path,) = (self.root / "build/reports").glob("results-*.json")
        told: dict[str, Any] = json.loads(path.read_text())
        return told

    def by_hand(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line into a shell, in the project."""
        return subprocess.run(
            ["/bin/sh", "-c", line], cwd=self.root, env=self._environment(), capture_output=True, text=True, check=False
        )
