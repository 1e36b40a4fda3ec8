"""Tests are told which run they belong to, so that what they make elsewhere can be labelled and swept."""

from __future__ import annotations

from pathlib import Path

from pipeline.model.labels import LONGEST, label_value, told_to_tests
from tests.faults.project import Project

ASKS = """\
import os
def test_knows():
    run = os.environ["DOIT_FLEET_RUN_ID"]
    assert os.environ["DOIT_FLEET_LABEL"] == "doit-fleet.io/run=" + run
    with open(os.environ["FLEET_TRACE"], "a") as file:
        file.write(run + "\\n")
"""


def test_local_workers_tell_their_tests(tmp_path: Path) -> None:
    """By two variables; the run is the one that the report names."""
    project = Project(root=tmp_path / "project")
    project.write("test_knows.py", ASKS)
    running = project.start("workers.count=1")
    assert running.end() == 0, running.output
    (started,) = project.events("RunStarted")
    assert project.traces() == [started["run"]]


def test_a_run_of_any_name_has_a_label() -> None:
    """One that may be a label's value is its own; others are told apart."""
    assert told_to_tests("0123456789abcdef-7")["DOIT_FLEET_LABEL"] == "doit-fleet.io/run=0123456789abcdef-7"
    long = [label_value("x" * 80 + end) for end in ("a", "b", "_")]
    assert len(set(long)) == 3
    assert all(len(value) <= LONGEST and value[-1].isalnum() for value in long)
