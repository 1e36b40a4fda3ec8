"""What a failure prints to repeat it works with plain pytest and nothing of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)

TEXT = """
    import pytest
    @pytest.mark.parametrize("v", ["a b[1]", "é'日", '"nl\\nx', "::a/b", "$HOME -k"])
    def test_v(v): assert v == 1
    class TestC:
        def test_c(self): assert 0
"""


def lines(output: str) -> list[str]:
    """What is printed to repeat each failure."""
    return [line.removeprefix("reproduce: ") for line in output.splitlines() if line.startswith("reproduce: ")]


@pytest.mark.parametrize("above", [False, True], ids=["root", "root-below-rootdir"])
def test_each_line_repeats_one_failure(project: Project, above: bool) -> None:
    """Brackets, spaces, quotes and other letters survive the shell; also where pytest's rootdir lies above."""
    root = project.root
    if above:
        root = project.root / "in ner"
        (project.root / "pyproject.toml").write_text("")
        root.mkdir()
        (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    inner = Project(root, project.python)
    inner.write(tests_in_test_p__py=TEXT)

    done = inner.fleet()
    told = lines(done.output)

    assert done.code == 1, done.output
    assert len(told) == 6
    shell = " ; ".join(f"{line} -q -p no:cacheprovider | tail -1" for line in told)
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/nowhere",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    answers = subprocess.run(
        ["sh", "-c", shell], cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=50
    ).stdout.splitlines()
    assert ["1 failed" in answer for answer in answers] == [True] * 6, answers


def test_a_workers_sequence_is_replayed(project: Project) -> None:
    """`reproduce w0-1` runs what that worker ran, in its order, in one plain pytest."""
    text = "made = []\ndef test_one(): made.append(1)\ndef test_two(): assert not made\n"
    project.write(test_a__py=text)
    assert project.fleet("workers.count=1").code == 1

    done = project.fleet("workers.count=1", "reproduce", "w0-1")
    wrong = project.fleet("workers.count=1", "reproduce", "w7-1")

    assert "-m pytest" in done.output
    assert "1 failed, 1 passed" in done.output
    assert wrong.code == 3
    assert "the latest run has no worker 'w7-1' (it had w0-1)" in wrong.output


def test_a_plan_runs_nothing(project: Project) -> None:
    """`doit plan` tells numbers and bounds, and no test runs."""
    project.write(test_a__py="def test_a(): open('ran', 'w')\n", test_b__py="def test_b(): pass\n")

    done = project.fleet("plan", "--target", "5s")

    assert done.code == 0, done.output
    assert "2 tests in" in done.output
    assert "2 workers:" in done.output
    assert "for 5 s: 1 workers" in done.output
    assert not (project.root / "ran").exists()
