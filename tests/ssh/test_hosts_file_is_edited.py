"""The hosts file is edited while tests run: added hosts join, removed ones drain, nonsense is kept out with a warning."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.openssh import Address
from pipeline.launchers.local import LocalLauncher
from pipeline.launchers.ssh.editing import HostsFile, edited
from pipeline.launchers.ssh.launcher import SshLauncher
from pipeline.launchers.ssh.terms import HostTerms
from tests.faults.checks import assert_sound
from tests.faults.project import until
from tests.ssh.house import SshProject, lab

pytestmark = pytest.mark.timeout(150)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts that only a hosts file names, each with a home of its own; nothing is left on them."""
    root = tmp_path / "project"
    root.mkdir()
    with lab(tmp_path / "lab", ("lab1", "lab2")) as made:
        project = SshProject(root, launcher="ssh", lab=made, listed=root.parent / "hosts")
        project.arguments = ("workers.lease_seconds=4",)
        try:
            yield project
            until(lambda: not project.left(), project.left, 15)
        finally:
            project.clear()


def sleepers(project: SshProject) -> int:
    """Tests for some ten seconds on two slots."""
    tests = project.sleepers(files=8, count=25, seconds=0.1)
    project.arguments = ("workers.lease_seconds=4",)
    return tests


def places(project: SshProject) -> set[str]:
    """Hosts on which workers have started."""
    return {str(event["place"]) for event in project.events("WorkerStarted")}


def works(project: SshProject, host: str) -> bool:
    """Whether a harness runs there."""
    return len({*project.lab.hosts[host].sessions()} & {*project.processes()}) > 2


def test_an_added_host_joins(project: SshProject) -> None:
    """Its slots run tests of the run that goes on."""
    tests = sleepers(project)
    project.listed.write_text("2/lab1\n")
    running = project.start()
    running.until_begun(10)
    project.listed.write_text("2/lab1\n2/lab2  # has just been installed\n")
    until(partial(works, project, "lab2"), lambda: running.output)

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    assert places(project) == {"lab1", "lab2"}
    assert "host 'lab2' joins with 2 slots" in running.output


def test_a_removed_host_drains(project: SshProject, tmp_path: Path) -> None:
    """What runs there ends, not one test is repeated, nothing more begins; what was to run afterwards runs at once."""
    tests = sleepers(project)
    note = tmp_path / "note"
    project.everywhere = {"after": [f"date >> {note}"]}
    project.listed.write_text("2/lab1\n2/lab2\n")
    running = project.start()
    running.until_begun(10)
    until(partial(works, project, "lab2"), lambda: running.output)
    project.listed.write_text("2/lab1\n")
    until(lambda: not project.lab.hosts["lab2"].sessions(), lambda: running.output, 20)
    assert len(project.traces()) < tests, "it was left while tests ran"
    assert len(note.read_text().splitlines()) == 1

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    assert "host 'lab2' has been left" in running.output
    assert not project.events("WorkerLost")


def test_a_host_that_was_removed_may_come_back(project: SshProject) -> None:
    """With other slots of its own."""
    tests = sleepers(project)
    project.listed.write_text("1/lab1\n1/lab2\n")
    running = project.start()
    until(partial(works, project, "lab2"), lambda: running.output)
    project.listed.write_text("1/lab1\n")
    until(lambda: not project.lab.hosts["lab2"].sessions(), lambda: running.output, 20)
    project.listed.write_text("1/lab1\n1/lab2\n")
    until(partial(works, project, "lab2"), lambda: running.output, 20)

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)


def test_nonsense_is_kept_out(project: SshProject) -> None:
    """Hosts stay as they were, with a warning that names file and line; what makes sense later counts again."""
    tests = sleepers(project)
    project.listed.write_text("2/lab1\n")
    running = project.start()
    running.until_begun(5)
    project.listed.write_text("2/lab1\n!!/lab2 what?\n")
    until(lambda: "hosts stay as they were" in running.output, lambda: running.output, 20)
    assert f"{project.listed}:2: " in running.output
    assert works(project, "lab1")
    project.listed.write_text("2/lab1\n1/lab2\n")
    until(partial(works, project, "lab2"), lambda: running.output, 20)

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)


def terms(name: str, slots: int) -> HostTerms:
    """A host."""
    return HostTerms(name=name, address=Address(host=name), slots=slots)


def test_slots_follow_the_list() -> None:
    """More slots are opened, fewer drain, from the last; what drains is not counted again."""
    one, two = terms("one", 2), terms("two", 2)
    found = edited([one, two, one, two], frozenset(), [terms("one", 1), terms("two", 3)], None)
    assert (set(found.draining), [host.name for host in found.opened]) == ({2}, ["two"])
    again = edited([one, two, one, two, two], found.draining, [one, terms("two", 3)], None)
    assert (set(again.draining), [host.name for host in again.opened]) == ({2}, ["one"])


def test_a_number_of_workers_is_kept() -> None:
    """Added hosts take over what others lose, and no more, and not before that is vacated."""
    one, two = terms("one", 4), terms("two", 4)
    assert edited([one, one], frozenset(), [one, two], 2).opened == [two]
    assert edited([one, one], frozenset(), [one], 2).opened == []
    assert edited([one, one], frozenset(), [two], 2, {0, 1}).opened == []
    assert edited([one, one], {0, 1}, [two], 2, {1}).opened == [two]
    assert edited([one, one, two], {0, 1}, [two], 2, {2}).opened == [two]
    assert edited([one, one], frozenset(), [two], None, {0, 1}).opened == [two] * 4


def test_never_do_more_work_at_once_than_were_asked_for(project: SshProject, tmp_path: Path) -> None:
    """One host takes the place of another: it opens a slot when one there is vacated."""
    notes = tmp_path / "notes"
    test = (  # The first two wait for a third as long as one might come.
        'echo "$0" >> "$FLEET_TRACE"; echo + >> "$NOTES"; i=0; '
        'while [ "$(grep -c + "$NOTES")" -lt 3 ] && [ $i -lt 80 ]; do sleep 0.1; i=$((i+1)); done; echo - >> "$NOTES"'
    )
    tests = project.commands(6, 0.0, command=["sh", "-c", test, "{line}"])
    project.arguments = ("workers.lease_seconds=4", "workers.count=2")
    project.marked = {"NOTES": str(notes)}
    project.listed.write_text("2/lab1\n")
    running = project.start()
    running.until_begun(2)
    project.listed.write_text("2/lab2\n")

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    assert places(project) == {"lab1", "lab2"}
    steps = [1 if line == "+" else -1 for line in notes.read_text().splitlines()]
    assert max(accumulate(steps)) == 2


def test_who_comes_back_waits_for_its_own_end(project: SshProject, tmp_path: Path) -> None:
    """What runs when a host is left has ended before what runs first begins again, although it takes longer than a host may be
    silent."""
    note = tmp_path / "note"
    wait = f'i=0; while [ "$(grep -c before {note})" -lt 2 ] && [ $i -lt 80 ]; do sleep 0.1; i=$((i+1)); done'
    hosts = [evolve(terms(name, 1), folder=str(project.lab.remote)) for name in ("lab1", "lab2")]
    hosts[1] = evolve(
        hosts[1], before=(f"echo before >> {note}",), after=(f"echo after >> {note}; {wait}; echo end >> {note}",)
    )
    listed, told = [hosts], list[str]()
    project.listed.write_text("1")

    async def until_told(text: str) -> None:
        async with asyncio.timeout(30.0):
            while not any(text in line for line in told):
                await asyncio.sleep(0.05)

    async def scenario() -> bool:
        launcher = SshLauncher(
            LocalLauncher({}, tmp_path / "scratch", slots=2, lease_seconds=4.0),
            {},
            hosts,
            project.root,
            tuple,
            slots=2,
            label="edited",
            lease_seconds=4.0,
            client=project.lab.client,
            tell=told.append,
            edits=HostsFile(path=project.listed, read=lambda: listed[-1]),
        )
        try:
            launcher.heed(lambda: launcher.let_go(()))
            assert await launcher.ready(30.0), launcher.closed()
            listed.append(hosts[:1])
            project.listed.write_text("22")
            await until_told("has been left")
            listed.append(hosts)
            project.listed.write_text("333")
            await until_told("'lab2' joins")
            return await launcher.ready(30.0)
        finally:
            await launcher.close()

    assert asyncio.run(scenario())
    assert not any("was not there" in line for line in told)
    assert note.read_text().split()[:4] == ["before", "after", "end", "before"]
