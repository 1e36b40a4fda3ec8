"""A project on disk that runs real doit processes with the sample composition."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PYPROJECT = """
[tool.doit]
loader = "sample"
[tool.doit.plugins.loader]
sample = "tests.graph.sample:SampleLoader"
[tool.doit.plugins.command]
run = "pipeline.graph.run:Run"
"""
DOIT = (str(Path(sys.executable).with_name("doit")),)
SCRIPT = (sys.executable, "-m", "tests.graph.sample")


class Project:
    """A folder with a pyproject.toml, and what happened when doit ran in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._log = folder.parent / "log"
        self.write("pyproject.toml", PYPROJECT)
        self.write("sources", "1")

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *args: str, tool: tuple[str, ...] = DOIT, within: str = ".") -> subprocess.Popen[str]:
        """Start doit; what was logged before is dropped."""
        self._log.write_text("", encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "SAMPLE_LOG": str(self._log)}
        return subprocess.Popen(
            [*tool, *args],
            cwd=self.folder / within,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def doit(
        self, *args: str, code: int = 0, tool: tuple[str, ...] = DOIT, within: str = "."
    ) -> subprocess.CompletedProcess[str]:
        """Run doit to its end, which must have that exit code."""
        process = self.start(*args, tool=tool, within=within)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code, (out, err)
        assert "Traceback" not in err or code != 3, err
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def logged(self, kind: str) -> list[str]:
        """What the latest run logged of that kind, in order."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines if line.partition(" ")[0] == kind]

    def realised(self) -> set[str]:
        """The tasks whose factories the latest run called; each at most once."""
        names = self.logged("realised")
        assert max(Counter(names).values(), default=1) == 1, names
        return set(names)

    def ran(self) -> list[str]:
        """The tasks whose actions the latest run called."""
        return self.logged("ran")

    def wait_for(self, kind: str, process: subprocess.Popen[str]) -> None:
        """Wait until a running doit has logged something of that kind."""
        end = time.monotonic() + 20
        while not self.logged(kind):
            assert process.poll() is None and time.monotonic() < end, process.communicate()
            time.sleep(0.01)

    def end(self, process: subprocess.Popen[str], *signals: signal.Signals) -> tuple[int, str]:
        """Send signals and wait; the exit code and what was said on stderr."""
        for number in signals:
            process.send_signal(number)
        err = process.communicate(timeout=20)[1]
        return process.returncode, err


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder)
