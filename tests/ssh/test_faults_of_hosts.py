"""One host of two has something wrong with it, or with its server: every test gets its one verdict, nothing is left anywhere.

Others of the list are elsewhere: hosts that are lost and come back in `test_hosts_come_and_go`, agents that are stopped, killed
and resumed in `tests/faults` (with `ssh` in its launchers), a list of hosts with nonsense in `test_hosts_file_is_edited`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.engines import only_outside, require
from tests.engines.sshd import make_key
from tests.faults.checks import assert_sound
from tests.faults.mounts import tmpfs
from tests.faults.project import until
from tests.ssh.house import NO_PYTHON, SshProject, lab
from tests.ssh.test_logins import connection

pytestmark = pytest.mark.timeout(150)
ORIGINAL = 'exec {} -c "$SSH_ORIGINAL_COMMAND"'
CLOCKS = {"ahead": "+12d", "behind": "-12d"}


@contextmanager
def two_hosts(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[SshProject]:
    """A project for `lab1` and `lab2`, whose server has these settings; nothing may be left at the end."""
    root = folder / "project"
    root.mkdir()
    with lab(folder / "lab", ("lab1", "lab2"), {"lab2": dict(settings or {})}) as made:
        project = SshProject(root, launcher="ssh", lab=made)
        project.busy()
        try:
            yield project
            until(lambda: not project.left(), project.left, 20)
        finally:
            project.clear()


def places(project: SshProject) -> set[str]:
    """Hosts on which workers have started."""
    return {str(event["place"]) for event in project.events("WorkerStarted")}


def works(project: SshProject, host: str) -> bool:
    """Whether there is a zygote, a guard and a harness."""
    return len({*project.lab.hosts[host].sessions()} & {*project.processes()}) > 2


def lock_out(project: SshProject, folder: Path) -> None:
    """Another key than ours may log in."""
    project.lab.hosts["lab2"].allow(make_key(folder / "other"))


def change_host_key(project: SshProject, folder: Path) -> None:
    """It was known under another key."""
    known = project.lab.config.with_name("ssh_config-known_hosts")
    other = make_key(folder / "other").with_suffix(".pub").read_text().split()[1]
    lines = known.read_text().splitlines()
    place, kind, _ = lines[1].split()
    known.write_text(f"{lines[0]}\n{place} {kind} {other}\n")
    lines_of_config = project.lab.config.read_text()
    assert str(known) in lines_of_config


def nothing(project: SshProject, folder: Path) -> None:
    """The server's settings are what is wrong."""


HOPELESS: dict[str, tuple[Mapping[str, str], Callable[[SshProject, Path], None], str]] = {
    "wrong key": ({}, lock_out, "it lets us not in"),
    "host key changed": ({}, change_host_key, "its host key is another one than known_hosts has"),
    "no Python": ({"ForceCommand": NO_PYTHON}, nothing, "there is no Python 3.8 or later"),
    "prints for ever": ({"ForceCommand": "exec yes"}, nothing, "its login prints without end"),
}


@pytest.mark.parametrize("fault", HOPELESS)
def test_a_host_that_cannot_be_used_is_named_and_the_others_do_the_work(tmp_path: Path, fault: str) -> None:
    """Exit 0 after one run of each test, and the host is set aside with the reason."""
    settings, hurt, told = HOPELESS[fault]
    if fault == "no Python":
        only_outside("only root has name spaces of its own")
    with two_hosts(tmp_path, settings) as project:
        tests = project.busy()
        hurt(project, tmp_path)
        running = project.start()

        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=0)
        assert places(project) == {"lab1"}
        assert f"host 'lab2' is set aside: {told}" in running.output


USABLE = {
    "garbage": "head -c 300000 /dev/urandom; echo no line end; " + ORIGINAL.format("sh"),
    "csh": ORIGINAL.format("tcsh"),
    "fish": ORIGINAL.format("fish"),
    **{f"clock {name}": f'exec faketime -f {span} sh -c "$SSH_ORIGINAL_COMMAND"' for name, span in CLOCKS.items()},
}


@pytest.mark.parametrize("oddity", USABLE)
def test_an_odd_host_works_as_any_other(tmp_path: Path, oddity: str) -> None:
    """Whatever its login prints, its shell is, or its clock says: it runs its part, and files that tests leave come home."""
    with two_hosts(tmp_path, {"ForceCommand": USABLE[oddity]}) as project:
        for program in ("tcsh", "fish", "faketime"):
            if program in USABLE[oddity]:
                require(shutil.which(program), f"there is no {program}: apt-get install {program}")
        tests = project.sleepers(files=8, count=40, seconds=0.1)
        project.suite = {"outputs": ["out/**"]}
        project.write("out/sent", "by us")
        project.write(
            "test_out.py",
            "import os, pathlib, pytest, time\nfrom trace_support import trace\n@pytest.mark.parametrize('n', range(12))\n"
            "def test_out(n):\n    trace(f'out{n}')\n    pathlib.Path('out').mkdir(exist_ok=True)\n"
            "    pathlib.Path(f'out/{n}').touch()\n    time.sleep(0.3)\n",
        )
        running = project.start()

        until(partial(works, project, "lab2"), lambda: running.output)

        assert running.end() == 0, running.output
        assert_sound(project, tests + 12, repeats=0)
        assert "lab2" in places(project)
        home = {path.name for path in (project.root / "build" / "outputs").rglob("*") if path.is_file()}
        assert home == {str(n) for n in range(12)}


def test_a_full_disk_of_a_host_is_named(tmp_path: Path) -> None:
    """At the login: the other host does the work, and nothing is left on the full one."""
    with tmpfs(tmp_path / "small", 1) as small, two_hosts(tmp_path) as project:
        tests = project.busy()
        project.own = {"lab2": {"folder": str(small / "remote")}}
        running = project.start()

        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=0)
        assert places(project) == {"lab1"}
        assert "host 'lab2' is set aside: its disk is full at" in running.output
        assert [
            path
            for path in small.rglob("*")
            if path.is_file() and "objects" not in str(path) and "harness" not in str(path)
        ] == []


def test_a_disk_that_fills_up_while_tests_run_is_no_failure(tmp_path: Path) -> None:
    """Results do not depend on it; workers may be lost with it, and then their tests run elsewhere."""
    with tmpfs(tmp_path / "small", 80) as small, two_hosts(tmp_path) as project:
        tests = project.sleepers(files=8, count=30, seconds=0.1)
        project.own = {"lab2": {"folder": str(small / "remote")}}
        running = project.start()
        running.until_begun(10)
        until(partial(works, project, "lab2"), lambda: running.output)
        with (small / "eaten").open("wb") as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(bytes(1 << 16))
                file.flush()

        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=8)
        (small / "eaten").unlink()
        project.sweep()
        assert not list((small / "remote" / "runs").iterdir())


def test_a_server_that_is_killed_keeps_its_sessions(tmp_path: Path) -> None:
    """Who is logged in works on; nobody can come again, and nobody has to."""
    with two_hosts(tmp_path) as project:
        tests = project.sleepers(files=8, count=20, seconds=0.1)
        running = project.start()
        running.until_begun(10)
        until(partial(works, project, "lab2"), lambda: running.output)
        relays = project.lab.relays()
        project.lab.hosts["lab2"].kill()
        until(lambda: all(Path(f"/proc/{pid}").exists() for pid in relays), "relays live", 5)

        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=0)
        assert "was lost" not in running.output


def test_too_many_logins_are_tried_again_until_there_is_room(tmp_path: Path) -> None:
    """Others hold all that MaxStartups allows when the run begins; later the host joins in."""
    with two_hosts(tmp_path, {"MaxStartups": "4", "MaxSessions": "1"}) as project:
        tests = project.sleepers(files=8, count=30, seconds=0.1)
        with ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(connection(project.lab.hosts["lab2"]))
            running = project.start()
            until(lambda: "closed the connection before the login" in running.output, lambda: running.output)
            assert places(project) <= {"lab1"}
        until(partial(works, project, "lab2"), lambda: running.output)

        assert running.end() == 0, running.output
        assert_sound(project, tests, repeats=0)
        assert places(project) == {"lab1", "lab2"}
