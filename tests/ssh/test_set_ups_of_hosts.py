"""What all workers of a host share is set up once there, reaches every test as variables, and is torn down for certain."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checks import assert_sound
from tests.faults.project import until
from tests.ssh.house import SshProject, ssh_project

pytestmark = pytest.mark.timeout(150)
TEST = 'echo "$0" >> "$FLEET_TRACE"; echo "test $TOKEN" >> "$NOTES"; sleep 0.1'


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


def shared(project: SshProject, notes: Path, tests: int, **more: str) -> int:
    """Tests that note what they were given; a set-up for each host that exports a token of its own."""
    setup = {
        "per": "host",
        "command": "token=$$; echo up $token >> $NOTES; echo TOKEN=$token > $DOIT_FLEET_EXPORT",
        "teardown": "echo down $TOKEN >> $NOTES",
        **more,
    }
    project.commands(tests, 0.1, command=["sh", "-c", TEST, "{line}"], setups={"lab": setup})
    project.marked = {"NOTES": str(notes)}
    return tests


def noted(notes: Path) -> dict[str, list[str]]:
    """Tokens by what was noted."""
    found: dict[str, list[str]] = {"up": [], "down": [], "test": []}
    for line in notes.read_text().splitlines() if notes.exists() else ():
        what, _, token = line.partition(" ")
        found[what].append(token)
    return found


def test_each_host_is_set_up_once(project: SshProject, tmp_path: Path) -> None:
    """All workers of a host see its values; it is torn down behind the last of them."""
    tests = shared(project, tmp_path / "notes", 40)
    running = project.start()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    found = noted(tmp_path / "notes")
    assert len(found["up"]) == 2
    assert sorted(found["down"]) == sorted(found["up"])
    assert set(found["test"]) == set(found["up"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_an_agent_that_ends_leaves_nothing_standing(project: SshProject, tmp_path: Path, number: int) -> None:
    """A signal, or none that it can hear: the hosts tear down by themselves."""
    tests = shared(project, tmp_path / "notes", 200)
    running = project.start()
    running.until_begun(tests // 10)
    running.signal(number)
    running.end()
    until(lambda: len(noted(tmp_path / "notes")["down"]) == 2, lambda: noted(tmp_path / "notes"), 20)
    until(lambda: not project.lab.left(), project.lab.left, 10)

    assert sorted(noted(tmp_path / "notes")["down"]) == sorted(noted(tmp_path / "notes")["up"])


def test_a_lost_link_tears_down_and_sets_up_anew(project: SshProject, tmp_path: Path) -> None:
    """The relay sees to the one, the next login to the other."""
    tests = shared(project, tmp_path / "notes", 150)
    running = project.start()
    running.until_begun(20)
    project.lab.hosts["lab2"].cut_sessions()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=6)
    found = noted(tmp_path / "notes")
    assert Counter(found["up"]) == Counter(found["down"])
    assert len(found["up"]) >= 2


def test_a_host_that_cannot_be_set_up_is_set_aside(project: SshProject, tmp_path: Path) -> None:
    """With what the command has said; no test runs there."""
    shared(project, tmp_path / "notes", 4, command="echo no licence left; exit 5")
    running = project.start()

    assert running.end() == 2, running.output
    assert "no licence left" in running.output
    assert project.traces() == []
    assert len(noted(tmp_path / "notes")["down"]) == 2, "torn down whatever became of it"


def test_this_machine_is_a_host_too(project: SshProject, tmp_path: Path) -> None:
    """Local workers: set up once for all of them, and torn down although the agent was killed."""
    notes = tmp_path / "notes"
    tests = shared(project, notes, 100)
    project.launcher = "local"
    running = project.start()
    running.until_begun(tests // 5)
    running.signal(signal.SIGKILL)
    running.end()
    until(lambda: noted(notes)["down"] == noted(notes)["up"], lambda: noted(notes), 20)
    assert len(noted(notes)["up"]) == 1

    second = project.start()

    assert second.end() == 0, second.output
    assert noted(notes)["down"] == noted(notes)["up"]
    assert len(noted(notes)["up"]) == 2
    assert set(noted(notes)["test"]) == set(noted(notes)["up"])
