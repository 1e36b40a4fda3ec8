"""A new user at a shell: a project, an empty home, a short environment."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from attrs import define, field

from tests.first_use.installing import Venv

LONGEST_SECONDS = 230
"""Of one command: the first one of a wrapper downloads and installs everything, beside other tests."""


@define
class Said:
    """How a command ended, and all it printed."""

    code: int
    text: str


@define
class Site:
    """A user's project and what is on their PATH."""

    root: Path
    home: Path
    tool: Venv
    path: str = "/usr/bin:/bin"
    more: Mapping[str, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.root.mkdir(parents=True)
        self.home.mkdir(parents=True)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def fleet(self, *arguments: str, inside: str = ".", **environment: str) -> Said:
        """Type `doit-fleet …` in a folder of the project."""
        return self.run(str(self.tool.script("doit-fleet")), *arguments, inside=inside, **environment)

    def doit(self, *arguments: str, inside: str = ".") -> Said:
        """Type `doit …`."""
        return self.run(str(self.tool.python), "-m", "doit", *arguments, inside=inside)

    def run(self, *command: str, inside: str = ".", **environment: str) -> Said:
        """Type a command."""
        done = subprocess.run(
            command,
            cwd=self.root / inside,
            env={"HOME": str(self.home), "PATH": self.path, "TERM": "dumb", **self.more, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        return Said(done.returncode, done.stdout)

    def outcomes(self) -> dict[str, str]:
        """Outcome by test, from the JUnit report of the project."""
        found = {}
        for case in ElementTree.parse(self.root / "build" / "reports" / "junit.xml").iter("testcase"):
            bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
            found[f"{case.get('classname')}::{case.get('name')}"] = bad[0] if bad else "passed"
        return found
