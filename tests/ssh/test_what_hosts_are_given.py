"""What is sent to hosts, what runs there before and after, what comes home, and how many sessions that takes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import venv
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

from pipeline.adapters.openssh import Address
from pipeline.adapters.relay_link import RelayLink
from pipeline.adapters.remote_project import Laid, lay, read_manifest
from tests.faults.checks import assert_sound
from tests.faults.project import MARKER, kill_all, until
from tests.ssh.house import Lab, SshProject, lab, ssh_project

pytestmark = pytest.mark.timeout(150)
T = TypeVar("T")


MEETING = """\
import os, pathlib, time, measured
HERE = pathlib.Path(os.environ["FLEET_TRACE"]).parent
def test_it():
    assert measured.a({x}) == {result}
    (HERE / "{x}").touch()
    deadline = time.monotonic() + 60
    while not (HERE / "{other}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""
"""Two such tests need two workers."""


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A host for tests that do not change it."""
    with lab(tmp_path_factory.mktemp("lab"), ("lab1",)) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path) -> Iterator[SshProject]:
    """Two hosts with two slots each; nothing is left on them."""
    yield from ssh_project(tmp_path / "project")


def linked(hosts: Lab, folder: Path, do: Callable[[RelayLink], Awaitable[T]]) -> T:
    """Do something over one session."""

    async def scenario() -> T:
        link = RelayLink(hosts.client, Address(host="lab1"), name="lab1")
        about = {"label": "tests", "after": []}
        order = {"name": "tests-1", "folder": str(folder), "about": about, "env": {}, "least_bytes": 0}
        try:
            await link.open(order, python="", silence_seconds=10.0, ping_seconds=1.0)
            return await do(link)
        finally:
            await link.close(10.0)

    return asyncio.run(scenario())


def sent(hosts: Lab, folder: Path, root: Path, names: list[str]) -> tuple[Laid, dict[str, str]]:
    """How the project was laid out, and what lay there then."""

    async def do(link: RelayLink) -> tuple[Laid, dict[str, str]]:
        laid = await lay(link, read_manifest(root, names))
        there = {path.relative_to(laid.root).as_posix(): path for path in Path(laid.root).rglob("*") if path.is_file()}
        return laid, {name: path.read_text() for name, path in there.items()}

    return linked(hosts, folder, do)


def test_only_what_is_missing_is_sent(hosts: Lab, tmp_path: Path) -> None:
    """The first time all, then nothing, then what has changed; what is damaged there is sent again."""
    root, remote = tmp_path / "root", tmp_path / "remote"
    (root / "deep").mkdir(parents=True)
    texts = {"one.py": "1\n" * 1000, "deep/two.py": "2\n", "three.sh": "3\n"}
    for name, text in texts.items():
        (root / name).write_text(text)
    (root / "three.sh").chmod(0o755)
    names = [*texts, "gone.py"]

    first, there = sent(hosts, remote, root, names)
    assert (first.sent_files, there) == (3, texts)
    again, there = sent(hosts, remote, root, names)
    assert (again.sent_files, there) == (0, texts)
    (root / "one.py").write_text("another\n")
    changed, there = sent(hosts, remote, root, names)
    assert (changed.sent_files, there["one.py"]) == (1, "another\n")
    for kept in (remote / "objects").rglob("*"):
        if kept.is_file() and kept.read_text() == "2\n":
            kept.write_text("damaged\n")
    repaired, there = sent(hosts, remote, root, names)

    assert (repaired.sent_files, there["deep/two.py"]) == (1, "2\n")
    assert not list((remote / "runs").iterdir())


def test_a_damaged_harness_is_sent_again(hosts: Lab, tmp_path: Path) -> None:
    """It is read back against its digest at each login."""

    async def nothing(link: RelayLink) -> None:
        assert link.is_open

    linked(hosts, tmp_path / "remote", nothing)
    (guard,) = (tmp_path / "remote" / "harness").glob("*/guard.py")
    whole = guard.read_text()
    guard.write_text("raise SystemExit(1)\n")
    linked(hosts, tmp_path / "remote", nothing)

    assert guard.read_text() == whole


def test_commands_before_and_after_run_once_on_each_host(project: SshProject, tmp_path: Path) -> None:
    """Before any test, in the project's folder; afterwards with the settings' environment. What they leave running ends."""
    notes = tmp_path / "notes"
    project.host_settings = {
        "before": [f"test -f conftest.py && echo before >> {notes}", "touch made_before; sleep 1000 &"],
        "after": [f"echo after $WHICH >> {notes}"],
        "env": {"WHICH": "then", MARKER: project.marker},
    }
    project.busy()
    project.sleepers(files=4, count=2, seconds=0.01)
    project.write(
        "test_before.py",
        "import os\ndef test_it():\n    assert os.path.exists('made_before') and os.environ['WHICH'] == 'then'\n",
    )
    for path in project.root.glob("test_f[4-9].py"):
        path.unlink()
    running = project.start()

    assert running.end() == 0, running.output
    lines = notes.read_text().splitlines()
    assert sorted(lines) == ["after then"] * 2 + ["before"] * 2
    assert lines.index("after then") >= 1
    until(lambda: not project.processes(), project.processes, 5)


@pytest.mark.parametrize(
    "signals", [[signal.SIGKILL], [signal.SIGTERM], [signal.SIGINT] * 2], ids=["killed", "stopped", "twice"]
)
def test_commands_after_run_however_the_agent_ends(
    project: SshProject, tmp_path: Path, signals: list[signal.Signals]
) -> None:
    """The relays see to it themselves."""
    notes = tmp_path / "notes"
    project.host_settings = {"after": [f"echo after >> {notes}"]}
    tests = project.busy()
    first = project.start()
    first.until_begun(tests // 4)
    for number in signals:
        with suppress(ProcessLookupError):
            first.signal(number)
    first.end()
    until(lambda: notes.exists() and notes.read_text() == "after\n" * 2, "commands run afterwards on both hosts", 20)
    until(lambda: not project.lab.left(), project.lab.left, 10)


def test_commands_run_as_a_pair_for_each_time_that_a_host_comes(project: SshProject, tmp_path: Path) -> None:
    """A link that is lost ends what it was for: `after` runs then, `before` when the host has come again."""
    notes = tmp_path / "notes"
    project.host_settings = {"before": [f"echo before >> {notes}"], "after": [f"echo after >> {notes}"]}
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    running.until_begun(10)
    project.lab.hosts["lab2"].cut_sessions()
    until(lambda: notes.read_text().count("before") == 3, lambda: running.output)

    assert running.end() == 0, running.output
    assert sorted(notes.read_text().split()) == ["after"] * 3 + ["before"] * 3
    assert_sound(project, tests, repeats=6)


def test_commands_after_run_at_last_when_a_relay_was_killed(project: SshProject, tmp_path: Path) -> None:
    """Whoever logs in next tidies up, and that is part of it."""
    notes = tmp_path / "notes"
    project.host_settings = {"after": [f"echo after >> {notes}"]}
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    running = project.start()
    running.until_begun(10)
    kill_all(project.lab.relays()[:1])

    assert running.end() == 0, running.output
    assert notes.read_text() == "after\n" * 3
    assert_sound(project, tests, repeats=6)


def test_a_command_before_that_fails_sets_the_host_aside(project: SshProject) -> None:
    """With the command and what it said last; no test runs there."""
    project.host_settings = {"before": ["echo no such thing; exit 7"]}
    project.busy()
    running = project.start()

    assert running.end() == 2, running.output
    assert "command 'echo no such thing; exit 7' of `before` ended with status 7: no such thing" in running.output
    assert project.traces() == []


def test_an_interpreter_may_be_made_before(project: SshProject) -> None:
    """In the project's folder there, which a relative path starts in, whatever folder the suite has."""
    project.host_settings = {"before": [f"ln -s {sys.prefix} made"], "python": ["made/bin/python"]}
    project.suite = {"root": "sub"}
    project.busy()
    project.write("sub/test_it.py", "import sys\ndef test_it():\n    assert 'made/bin' in sys.executable\n")
    running = project.start()

    assert running.end() == 0, running.output
    assert set(project.verdicts().values()) == {"passed"}


def test_a_host_without_the_framework_is_set_aside(project: SshProject, tmp_path: Path) -> None:
    """Its interpreter is there, but not what the tests need: told with both ways out."""
    bare = tmp_path / "bare"
    venv.create(bare, symlinks=True)
    project.host_settings = {"python": [str(bare / "bin" / "python")]}
    project.busy()
    running = project.start()

    assert running.end() == 2, running.output
    assert "its Python has no 'pytest'" in running.output
    assert "hosts.<name>.before" in running.output
    assert project.traces() == []


def test_what_tests_leave_comes_home(project: SshProject) -> None:
    """Files that the suite names, from each host; and logs as they grow."""
    project.suite = {"outputs": ["out/**"]}
    project.busy()
    project.write("out/sent.txt", "no test has written this")
    project.write(
        "test_leaves.py",
        "import pathlib, pytest, time\n"
        "@pytest.mark.parametrize('n', range(8))\n"
        "def test_leaves(n):\n"
        "    print('words of', n)\n"
        "    pathlib.Path('out').mkdir(exist_ok=True)\n"
        "    pathlib.Path(f'out/{n}.txt').write_text(str(n))\n"
        "    time.sleep(0.2)\n",
    )
    running = project.start()

    assert running.end() == 0, running.output
    home = project.root / "build" / "outputs"
    assert {path.name: path.read_text() for path in home.rglob("*.txt")} == {f"{n}.txt": str(n) for n in range(8)}
    assert all("unit" in str(path) for path in home.rglob("*.txt"))
    assert os.listdir(project.root / "out") == ["sent.txt"]


def test_coverage_of_all_hosts_is_one(project: SshProject) -> None:
    """Each host runs one of two branches; the report names the project's own file, and has both."""
    project.busy()
    for path in project.root.glob("test_f*.py"):
        path.unlink()
    project.write("measured.py", "def a(x):\n    if x:\n        return 1\n    return 2\n")
    project.write("pytest.ini", "[pytest]\naddopts = --cov=measured --cov-report=term-missing --cov-fail-under=100\n")
    for x in (0, 1):
        project.write(f"test_{x}.py", MEETING.format(x=x, other=1 - x, result=2 - x))
    running = project.start("workers.count=2")

    assert running.end() == 0, running.output
    assert "measured.py" in running.output
    assert "100%" in running.output
    assert len({event["place"] for event in project.events("WorkerStarted")}) == 2


def test_one_session_carries_all_slots(tmp_path: Path) -> None:
    """A server that bears one session of a connection, and few logins, has eight slots all the same."""
    settings = {"lab1": {"MaxSessions": "1", "MaxStartups": "2"}}
    root = tmp_path / "project"
    root.mkdir()
    with lab(tmp_path / "lab", ("lab1",), settings) as made:
        project = SshProject(root, launcher="ssh", lab=made, slots=8, workers=8)
        try:
            tests = project.busy()
            running = project.start()

            assert running.end() == 0, running.output
            assert_sound(project, tests, repeats=0)
            assert len({event["worker"] for event in project.events("WorkerStarted")}) == 8
            assert made.hosts["lab1"].last_words(10_000).count("Accepted publickey") == 1
        finally:
            project.clear()


def test_this_machine_may_be_a_host(project: SshProject) -> None:
    """`:` in the hosts file runs tests without ssh; the others as they are listed. What only a login carries out is told."""
    hosts_file = project.root / "hosts"
    hosts_file.write_text("# mine\n1/:\n2/lab1   # the lab\nlab2\n")
    names = tuple(project.lab.hosts)
    project.busy()
    tests = project.sleepers(files=8, count=30, seconds=0.1)
    kept = dict(project.lab.hosts)
    project.lab.hosts.clear()
    project.arguments = ("workers.lease_seconds=4", f"ssh.hosts_file={hosts_file}", "ssh.slots=1", 'ssh.after=["true"]')
    running = project.start()
    project.lab.hosts.update(kept)

    assert running.end() == 0, running.output
    assert_sound(project, tests, repeats=0)
    places = [str(event["place"]) for event in project.events("WorkerStarted")]
    assert len(places) == 4
    assert sorted(place for place in places if place in names) == ["lab1", "lab1", "lab2"]
    assert os.uname().nodename in places
    assert "host ':' is this machine, without ssh: no effect on it have after" in running.output
