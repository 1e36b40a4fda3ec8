"""`doit resume=<run>` and `doit report <run>`: what they refuse and with which alternatives, what they write."""

from __future__ import annotations

import json
import signal
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.faults.project import Project, Running, until

ANY = ("name", "time", "timestamp", "hostname")
"""Attributes that differ from run to run."""
PLACE = frozenset({"worker", "attempt", "run", "plan", "place", "started"})
"""Properties that say where and how often."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose store is a folder that others may share."""
    return clone(tmp_path, "here")


def clone(tmp_path: Path, name: str, *, store: str = "store") -> Project:
    """A checkout of its own with the same tests, and one that fails."""
    root = tmp_path / name / "project"
    root.mkdir(parents=True)
    made = Project(
        root=root, arguments=("workers.count=2", f"store.url={tmp_path / store}", "workers.lease_seconds=2s")
    )
    made.sleepers(files=3, count=6, seconds=0.15)
    made.write("test_bad.py", "def test_fails():\n    assert 1 == 2\n")
    return made


def killed(project: Project) -> str:
    """Kill an agent in the middle; the run it leaves."""
    running = project.start()
    running.until_begun(4)
    running.signal(signal.SIGKILL)
    running.end()
    project.until_left()
    (run,) = runs(project)
    return run


def runs(project: Project) -> dict[str, bool]:
    """Runs in the store: whether each is closed."""
    told = project.start("report", "--json")
    assert told.end() == 0, told.output
    return {one["run"]: one["closed"] for one in json.loads(told.output)}


def refused(running: Running, *texts: str) -> None:
    """See that it ended with 3 and said so, before any test began."""
    assert running.end() == 3, running.output
    for text in texts:
        assert text in running.output
    assert "collected" not in running.output


def cases(file: Path) -> list[tuple[str, str, str, list[tuple[str, str]]]]:
    """Cases of a JUnit report in order, without where and when they ran."""
    found = []
    for case in ElementTree.parse(file).iter("testcase"):
        properties = [(one.get("name", ""), one.get("value", "")) for one in case.iter("property")]
        verdict = next((f"{one.tag}: {one.get('message')}\n{one.text}" for one in case if one.tag != "properties"), "")
        kept = [pair for pair in properties if pair[0].rpartition(".")[2] not in PLACE]
        found.append((str(case.get("classname")), str(case.get("name")), verdict, kept))
    return found


def test_a_run_goes_on_by_its_name_in_another_clone(project: Project, tmp_path: Path) -> None:
    """What was done stays done, and the report is that of a run that nobody has disturbed."""
    run = killed(project)
    before = project.traces()
    other, alone = clone(tmp_path, "there"), clone(tmp_path, "alone", store="another")
    going_on = other.start(f"resume={run}")
    assert going_on.end() == 1, going_on.output
    undisturbed = alone.start()
    assert undisturbed.end() == 1, undisturbed.output

    assert runs(project) == {run: True}
    assert len(before) + len(other.traces()) <= len(alone.traces()) + 4
    reports = [each.root / "build" / "reports" / "junit.xml" for each in (other, alone)]
    assert cases(reports[0]) == cases(reports[1])
    assert len(cases(reports[0])) == 19


def test_a_run_that_is_closed_or_unknown_is_refused_with_the_alternatives(project: Project) -> None:
    """Nothing is begun; the same command without a name does what is right."""
    refused(project.start("resume=r-9"), "there is no run 'r-9'", "none of these inputs is unfinished")
    run = killed(project)
    refused(project.start("resume=r-9"), f"unfinished of these inputs: {run}")
    assert project.start().end() == 1
    refused(project.start(f"resume={run}"), "is closed, with exit code 1", f"doit-fleet report {run}")


def test_a_run_of_other_inputs_is_refused_with_what_differs(project: Project) -> None:
    """Its results would be mixed with others'."""
    run = killed(project)
    project.write("test_bad.py", "def test_fails():\n    assert 2 == 3\n")
    refused(project.start(f"resume={run}"), "is of other inputs", "test_bad.py differs", f"of other inputs: {run}")


def test_a_resumed_run_that_is_green_is_up_to_date(project: Project) -> None:
    """By whatever name it was called."""
    project.write("test_bad.py", "def test_passes():\n    pass\n")
    run = killed(project)
    assert project.start(f"resume={run}").end() == 0
    begun = len(project.traces())
    again = project.start()

    assert again.end() == 0
    assert "up to date" in again.output
    assert len(project.traces()) == begun


def test_reports_are_kept_by_run_and_written_again_from_the_store(project: Project, tmp_path: Path) -> None:
    """The newest are in `build/reports`; another machine writes those of any run that the store holds."""
    assert project.start().end() == 1
    project.write("test_new.py", "def test_passes():\n    pass\n")
    assert project.start().end() == 1
    first, second = runs(project)
    copies = {path.parent.name: path for path in (project.root / ".fleet" / "reports").rglob("junit.xml")}
    assert set(copies) == {first, second}
    other = clone(tmp_path, "there")
    told = other.start("report", first, second)
    assert told.end() == 0, told.output

    for run in (first, second):
        assert str(other.root / ".fleet" / "reports" / run / "junit.xml") in told.output
        assert cases(other.root / ".fleet" / "reports" / run / "junit.xml") == cases(copies[run])
    assert {len(cases(path)) for path in copies.values()} == {19, 20}
    refused(other.start("report", "r-9"), "there is no run 'r-9'", first)


def test_old_copies_of_reports_go(project: Project) -> None:
    """Beyond the number that settings keep; they can be had from the store again."""
    project.write("test_bad.py", "")
    for number in range(3):
        project.write("test_new.py", f"def test_passes():\n    assert {number} == {number}\n")
        running = project.start("reports.keep_runs=2", "reports.keep_days=0")
        assert running.end() == 0, running.output

    until(lambda: len(list((project.root / ".fleet" / "reports").iterdir())) == 2, "the oldest copy is gone", 5)
    assert len(runs(project)) == 3
