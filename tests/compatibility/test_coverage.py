"""pytest-cov measures over all workers exactly what it measures in one process."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.compatibility.project import TEST_SECONDS, Project
from tests.compatibility.rows import row

pytestmark = pytest.mark.timeout(TEST_SECONDS)

CODE = """
    def a(x):
        if x:
            return 1
        return 2
    def b(x):
        while x > 0:
            x -= 1
        return x
    def never():
        return 1
"""
CHILD = """
    import sys
    if len(sys.argv) > 5:
        print("never")
    print("child")
"""
TEST_A = "import code_under\ndef test_a(): assert code_under.a(1) == 1\n"
TEST_B = """
    import subprocess, sys
    import code_under
    def test_b(): assert code_under.b(2) == 0
    def test_child(): subprocess.run([sys.executable, "child.py"], check=True)
"""


def write(project: Project, *addopts: str, rc: str = "") -> None:
    """A project of two modules and two files of tests."""
    project.write(code_under__py=CODE, child__py=CHILD, test_a__py=TEST_A, test_b__py=TEST_B)
    (project.root / ".coveragerc").write_text(rc)
    project.settings("-p no:randomly", "--cov=.", *addopts, more="pythonpath = .\n")


def lines(root: Path) -> dict[str, list[tuple[str, str]]]:
    """Hits and branches of each line by file, as in coverage.xml; counts do not tell more than yes or no."""
    found = {}
    for each in ElementTree.parse(root / "coverage.xml").iter("class"):
        told = [
            (str(line.get("number")), f"{line.get('hits')} {line.get('condition-coverage')}")
            for line in each.iter("line")
        ]
        found[str(each.get("filename"))] = told
    return {name: told for name, told in found.items() if not name.startswith("build")}


@row("pytest-cov")
@pytest.mark.parametrize("rc", ["", "[run]\nbranch = true\nparallel = true\n"], ids=["lines", "branch-parallel"])
def test_the_same_lines(project: Project, rc: str) -> None:
    """The same lines and branches are covered as in a plain run; terminal, XML and HTML reports are written."""
    write(project, "--cov-report=term-missing", "--cov-report=xml", "--cov-report=html", rc=rc)
    done = project.fleet()
    assert done.code == 0, done.output
    assert (project.root / "htmlcov" / "index.html").exists()
    measured, table = lines(project.root), totals(done.output)

    plain = project.plain()

    assert measured == lines(project.root)
    assert table == totals(plain.output)
    assert list(project.root.glob(".coverage*")) != []


@row("pytest-cov")
def test_subprocesses(project: Project) -> None:
    """What subprocesses measure (`patch = subprocess`) counts as in a plain run."""
    write(project, "--cov-report=xml", rc="[run]\npatch = subprocess\n")
    done = project.fleet()
    measured = lines(project.root)

    project.plain()

    assert measured == lines(project.root), done.output
    assert any(hits.startswith("1") for _, hits in measured["child.py"])


@row("pytest-cov")
def test_limit(project: Project) -> None:
    """`--cov-fail-under` and `fail_under` make the run red with exit code 1 although each test passed."""
    write(project, rc="[report]\nfail_under = 99\n")

    done = project.fleet()

    assert done.code == project.plain().code == 1
    assert set(done.verdicts.values()) == {"passed"}
    assert "required test coverage of 99" in done.output


@row("pytest-cov")
def test_earlier_data(project: Project) -> None:
    """Data of earlier runs does not count, unless `--cov-append` asks for it."""
    write(project)
    assert project.fleet("select.keyword=test_a").code == 0
    fresh = project.fleet("select.keyword=test_b")
    assert project.plain("-k", "test_a").code == 0

    appended = project.fleet("select.keyword=test_b", "suites.pytest.args=--cov-append")

    assert totals(appended.output) != totals(fresh.output)
    assert totals(fresh.output) == totals(project.plain("-k", "test_b").output)


@row("pytest-cov")
def test_lost_workers(project: Project) -> None:
    """Where a worker was lost, what it had measured is missing, and a warning says so."""
    write(project)
    project.write(test_c__py="import os\ndef test_c(): os._exit(1)\n")

    done = project.fleet()

    assert done.code == 1, done.output
    assert done.verdicts["test_c::test_c"] == "error", done.output
    assert "warning: lost workers took along what they had measured" in done.output


def totals(output: str) -> list[str]:
    """The rows of the terminal report."""
    rows = [line.split() for line in output.splitlines() if line.startswith(("code_under.py", "child.py"))]
    assert rows, output
    return [" ".join(each) for each in rows]
