"""Hosts of a run are killed, cut off and brought back: one verdict for each test, nothing left, the host named."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.engines import only_outside
from tests.faults.checks import assert_sound
from tests.faults.project import Running, until
from tests.ssh.firewall import cut
from tests.ssh.house import SshProject, lab, ssh_project

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


def harnesses_of(project: SshProject, host: str) -> list[int]:
    """Processes of that host's sessions that carry the tests' marker."""
    return sorted({*project.lab.hosts[host].sessions()} & {*project.processes()})


def until_both_work(project: SshProject, running: Running) -> None:
    """Wait until tests run on both hosts."""
    running.until_begun(10)
    for host in project.lab.hosts:
        until(partial(works, project, host), lambda: f"all hosts work: {running.output}")


def works(project: SshProject, host: str) -> bool:
    """Whether there is a zygote, a guard and a harness."""
    return len(harnesses_of(project, host)) > 2


def test_a_host_whose_processes_are_all_killed_is_no_failure(project: SshProject) -> None:
    """It loses power, its server too: the other host does the work, and what is left there goes with the next run."""
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    until_both_work(project, running)
    project.lab.hosts["lab2"].lose_power()

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=4)
    assert "host 'lab2' was lost" in running.output
    until(lambda: not project.processes(), "nothing lives", 10)
    left = project.lab.left()
    assert len(left) == 1, left
    assert "lab2" in left[0]

    project.lab.hosts["lab2"].restart()
    project.sweep()

    assert project.lab.left() == []


def test_a_host_that_comes_back_works_again(project: SshProject) -> None:
    """All its sessions are killed: it is tried again, what was left is removed, and its slots run tests."""
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    until_both_work(project, running)
    before = harnesses_of(project, "lab2")
    project.lab.hosts["lab2"].kill_sessions()
    until(
        lambda: {*harnesses_of(project, "lab2")} - {*before},
        lambda: f"lab2 works again: {running.output}",
    )

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=4)


def test_connections_that_end_leave_no_process_to_itself(project: SshProject) -> None:
    """Only the servers' own processes of the connections die: relays end what they have started, and go."""
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    until_both_work(project, running)
    before = harnesses_of(project, "lab2")
    project.lab.hosts["lab2"].cut_sessions()
    until(lambda: not {*before} & {*project.processes()}, "harnesses end with their connection", 5)

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=6)


def test_a_host_that_is_cut_off_stops_its_tests_before_half_a_lease(project: SshProject) -> None:
    """A firewall drops all packets: the guards stop their tests in time, which the process list proves; then it comes back."""
    project.lease = "6s"
    project.busy()
    tests = project.sleepers(files=8, count=40, seconds=0.1)
    running = project.start()
    until_both_work(project, running)
    before = harnesses_of(project, "lab2")
    with cut(project.lab.hosts["lab2"].facts["port"]):
        began = time.monotonic()
        until(lambda: not {*before} & {*project.processes()}, "guards stop what runs on the host that is cut off", 10)
        stopped = time.monotonic() - began
        until(lambda: "host 'lab2' was lost" in running.output, lambda: f"it is missed: {running.output}", 20)

    assert running.end() == 0, running.output
    assert stopped <= 3.0 + 0.75, "half a lease, and what a busy machine may be late"
    assert_sound(project, tests, repeats=6)
    until(lambda: not project.left(), project.left, 20)


def test_a_run_whose_hosts_are_all_lost_for_good_says_so(project: SshProject) -> None:
    """Their keys are not accepted any more: exit 2, each host named, and the same command goes on."""
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    until_both_work(project, running)
    keys = {name: host.folder / "authorized_keys" for name, host in project.lab.hosts.items()}
    for host, keys_file in zip(project.lab.hosts.values(), keys.values(), strict=True):
        os.rename(keys_file, f"{keys_file}.away")
        host.kill_sessions()

    assert running.end() == 2, running.output
    for name in project.lab.hosts:
        assert f"host '{name}' is set aside: it lets us not in" in running.output

    for keys_file in keys.values():
        os.rename(f"{keys_file}.away", keys_file)
    second = project.start()

    assert second.end() == 0, second.output
    assert_sound(project, tests, repeats=8)


def test_no_clock_of_a_host_is_compared(tmp_path: Path) -> None:
    """The one host has been up for days longer than the other, says its clock: permissions hold on it, and end on it."""
    only_outside("only root has name spaces of its own")
    command = 'exec unshare --time --boottime 1000000 --monotonic 1000000 --fork sh -c "$SSH_ORIGINAL_COMMAND"'
    root = tmp_path / "project"
    root.mkdir()
    with lab(tmp_path / "lab", ("lab1", "lab2"), {"lab2": {"ForceCommand": command}}) as made:
        project = SshProject(root, launcher="ssh", lab=made)
        try:
            project.busy()
            tests = project.sleepers(files=8, count=30, seconds=0.1)
            running = project.start()
            until_both_work(project, running)
            harnesses = harnesses_of(project, "lab2")
            running.signal(signal.SIGSTOP)
            until(lambda: not {*harnesses} & {*project.processes()}, "guards end their harnesses", 10)
            running.signal(signal.SIGCONT)

            assert running.end() == 0, running.output
            assert_sound(project, tests, repeats=8)
        finally:
            project.clear()
