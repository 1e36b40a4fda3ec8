"""Sources that change while tests run are named, and the result is never taken as up to date."""

from __future__ import annotations

import pytest

from tests.compatibility.project import TEST_SECONDS, Project

pytestmark = pytest.mark.timeout(TEST_SECONDS)


def test_the_changed_file_is_named_and_the_next_run_runs(project: Project) -> None:
    """A test writes into the project: the run is green, but the same command runs everything again."""
    project.write(test_a__py="def test_a(): open('made-by-a-test.txt', 'a').write('x')\n")

    first, second = project.fleet(), project.fleet()

    assert (first.code, second.code) == (0, 0)
    assert "changed while tests ran: made-by-a-test.txt" in first.output
    assert "up to date" not in second.output.replace("taken as up to date", "").replace("nothing is up to date", "")


def test_the_hosts_file_is_no_source(project: Project) -> None:
    """It may be edited while tests run, and between runs: nothing is mixed by it, and runs are named as before."""
    (project.root / "lab[1].txt").write_text("2/:\n")
    project.write(test_a__py="def test_a(): open('lab[1].txt', 'a').write('# one more\\n')\n")
    asked = ("workers.launcher=ssh", "ssh.hosts_file=lab[1].txt")

    def identities() -> set[str]:
        return {folder.name.rpartition("-")[0] for folder in (project.root / ".fleet/reports").iterdir()}

    first = project.fleet(*asked)
    (project.root / "lab[1].txt").write_text("1/:\n")
    second = project.fleet(*asked)

    assert (first.code, second.code) == (0, 0), first.output + second.output
    assert "changed while tests ran" not in first.output, first.output
    assert len(identities()) == 1
    project.write(test_a__py="def test_a(): pass\n")
    project.fleet(*asked)
    assert len(identities()) == 2
