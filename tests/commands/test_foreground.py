"""`workers.count=0` runs plain pytest on the terminal, so that debuggers and prints work."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, project: Project, *arguments: str) -> None:
        self.shown = ""
        self._end, inner = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "workers.count=0", *arguments],
            cwd=project.root,
            env={**os.environ, "VIRTUAL_ENV": sys.prefix, "TERM": "dumb"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)

    def until(self, text: str, seconds: float = 40) -> None:
        """Read until that text is shown; an empty one: until the end."""
        deadline = time.monotonic() + seconds
        while not text or text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            try:
                piece = os.read(self._end, 4096)
            except OSError:
                piece = b""
            if not piece:
                assert not text, self.shown
                return
            self.shown += piece.decode("utf-8", "replace")

    def type(self, text: str) -> None:
        """Send a line."""
        os.write(self._end, f"{text}\n".encode())

    def end(self) -> int:
        """Read to the end; the exit code."""
        self.until("")
        os.close(self._end)
        return self.process.wait(20)


def test_the_debugger_works(project: Project) -> None:
    """`--pdb` stops in the failed test, answers, and ends with exit code 1."""
    project.write(test_a__py="def test_a():\n    secret = 6 * 7\n    assert secret == 43\n")
    terminal = Terminal(project, "pytest.args=--pdb")

    terminal.until("(Pdb)")
    terminal.type("print('answer', secret)")
    terminal.until("answer 42")
    terminal.type("quit")

    assert terminal.end() != 0, terminal.shown


def test_prints_and_selection_work(project: Project) -> None:
    """`-s` shows what a test prints on a real terminal; the selection is the same as with workers; good is exit 0."""
    project.write(
        test_a__py="import sys\ndef test_seen(): print('seen', sys.stdout.isatty())\ndef test_bad(): assert 0\n"
    )
    terminal = Terminal(project, "pytest.args=-s", "select.keyword=seen")

    assert terminal.end() == 0, terminal.shown
    assert "seen True" in terminal.shown
