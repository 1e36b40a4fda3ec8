"""Commands as tests on hosts: what they need is sent, their harness starts there only, and hosts are reached at once."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import children_of_all, until
from tests.ssh.house import SshProject, ssh_project

pytestmark = pytest.mark.timeout(150)
MEASURE = """printf 'n=1\\nseen=%s\\n' "$DOIT_FLEET_HOST" > "$1/m.env"; touch "$FLEET_TRACE.$DOIT_FLEET_HOST"
until [ -e "$FLEET_TRACE.lab1" ] && [ -e "$FLEET_TRACE.lab2" ]; do sleep 0.05; done; test $0 != d"""
"""Ends when tests have begun on both hosts."""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


def test_frozen_and_generated_tests_are_sent(project: SshProject) -> None:
    """What is no source is there all the same; what tests keep comes home."""
    making = "mkdir -p build/plans && for n in 1 2 3 4; do echo plan $n > build/plans/$n.plan; done"
    project.suite = {
        "framework": "command",
        "files": ["build/plans/*.plan"],
        "command": ["sh", "-c", 'cat "$0" > "$1/kept.txt"', "{file}", "{folder}"],
        "keep": ["kept.txt"],
        "generate": {"command": making, "outputs": ["build/plans"]},
    }
    running = project.start()

    assert running.end() == 0, running.output
    assert sorted(project.verdicts().values()) == ["passed"] * 4
    home = project.root / "build" / "outputs"
    assert sorted(path.read_text() for path in home.rglob("kept.txt")) == [f"plan {n}\n" for n in range(1, 5)]
    assert {str(event["place"]) for event in project.events("WorkerStarted")} <= {"lab1", "lab2"}


def test_reports_say_on_which_host_a_number_was_measured(project: SshProject) -> None:
    """As the test itself saw it, in each report and with each failure."""
    project.suite = {
        "framework": "command",
        "rows": [{"name": name} for name in "abcd"],
        "command": ["sh", "-c", MEASURE, "{name}", "{folder}"],
        "metrics": ["m.env"],
    }
    running = project.start()

    assert running.end() == 1, running.output
    reports = project.root / "build/reports"
    with (reports / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["host"] for row in rows] == [row["seen"] for row in rows]
    assert {row["host"] for row in rows} == {"lab1", "lab2"}
    hosts = {row["test"].partition("::")[2]: row["host"] for row in rows}
    for case in ElementTree.parse(reports / "junit.xml").iter("testcase"):
        told = {one.get("name"): one.get("value") for one in case.iter("property")}
        assert told["host"] == hosts[str(case.get("name"))]
    tests = json.loads((reports / "ctrf.json").read_text())["results"]["tests"]
    assert {one["name"]: one["extra"]["host"] for one in tests} == hosts
    (where,) = re.findall(r"^FAILED \S+::d \(.*, on (\w+), w\d+-1\)$", running.output, re.MULTILINE)
    assert where == hosts["d"]


def test_no_harness_starts_here_to_hear_what_is_known(project: SshProject) -> None:
    """The agent has ssh's clients below it, but no parent of harnesses; hosts are reached before it says what it has collected."""
    tests = project.commands(40, 0.1)
    running = project.start()
    seen: list[bytes] = []

    def look() -> bool:
        for pid in children_of_all().get(running.process.pid, []):
            with suppress(OSError):
                seen.append(Path(f"/proc/{pid}/cmdline").read_bytes())
        return len(project.traces()) > tests // 2

    until(look, "tests run")

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    assert any(command.startswith(b"ssh\0") for command in seen)
    assert not [command for command in seen if b"_doit_fleet_harness" in command]
    assert "with 0 harnesses" not in running.output


def test_planning_reaches_no_host(project: SshProject) -> None:
    """What would run is told without a login; commands of `before` would else run for nothing."""
    project.commands(3, 0.01)
    running = project.start("plan")

    assert running.end() == 0, running.output
    assert "3" in running.output
    assert all("Accepted" not in host.last_words(10_000) for host in project.lab.hosts.values())
