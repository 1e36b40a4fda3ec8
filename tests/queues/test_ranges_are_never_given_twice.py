"""No address is ever held by two living tests, whatever is killed, frozen or cut off: the tests themselves write down what they hold."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import pytest

from tests.faults.project import Project, Running, children_of_all, kill_all, until
from tests.ssh.firewall import cut
from tests.ssh.house import SshProject, lab

pytestmark = pytest.mark.timeout(180)

TESTS = """\
import os, pathlib, time, uuid
import pytest
from trace_support import trace

PLACE = pathlib.Path(os.environ["FLEET_TRACE"]).parent / "held"

@pytest.mark.parametrize("n", range({count}))
def test_holds(n):
    trace("{name}[%d]" % n)
    me = uuid.uuid4().hex
    ticks = 0
    while ticks < 10 or PLACE.with_name("hold").exists():
        ticks += 1
        fd = os.open(PLACE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        os.write(fd, ("%s %s %d %s\\n" % (os.environ["MAC"], me, os.getpid(), os.environ["DOIT_FLEET_QUEUE"])).encode())
        os.close(fd)
        time.sleep({seconds} / 10)
"""
QUEUES = "[tool.doit-fleet.{machine}.queues.q1]\n[tool.doit-fleet.{machine}.queues.q2]\n"
RANGE = '[tool.doit-fleet.{machine}.ranges.mac]\nkind = "mac"\nof = ["52:54:00:00:0{at}:00+2"]\n'


def holders(project: Project, files: int = 6, count: int = 10, seconds: float = 0.2) -> int:
    """Write tests that say again and again what they hold; how many that makes."""
    made = project.sleepers(files, count, seconds)
    for number in range(files):
        name = f"test_f{number}"
        project.write(f"{name}.py", TESTS.format(count=count, name=name, seconds=seconds))
    return made


def held(project: Project) -> list[list[str]]:
    """(address, run of a test, its pid, queue), in order."""
    path = project.shared / "held"
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def assert_never_two(project: Project, addresses: int) -> None:
    """Of each address: no run of a test says that it holds it after another has begun to."""
    by_address: dict[str, list[str]] = {}
    for told, run, *_ in held(project):
        for address in {told.partition("-")[0], told.rpartition("-")[2]}:
            by_address.setdefault(address, []).append(run)
    assert len(by_address) == addresses
    for address, runs in by_address.items():
        order = [run for run, _ in groupby(runs)]
        assert len(order) == len(set(order)), f"{address} was given to two living tests"


def assert_green(project: Project, running: Running, tests: int) -> None:
    """One good verdict for each test."""
    assert running.end() == 0, running.output
    assert Counter(project.verdicts().values()) == {"passed": tests}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Two queues of this machine, each with an address."""
    root = tmp_path / "project"
    root.mkdir()
    made = Project(root)
    made.write("pyproject.toml", (QUEUES + RANGE).format(machine="local", at=1))
    made.write(".gitignore", "build\n.fleet\n__pycache__\n")
    made.arguments = ("workers.lease_seconds=2s", "workers.max_losses=100")
    yield made
    try:
        until(lambda: not made.left(), made.left, 15)
    finally:
        made.clear()


def victims(running: Running, role: str) -> list[int]:
    """Processes of the worker that has said last what it holds, or of all."""
    harness = int(held(running.project)[-1][2])
    family = running.family()
    children = children_of_all()
    guard = next(pid for pid in family["guard"] if harness in children.get(pid, []))
    zygote = next(pid for pid in family["zygote"] if guard in children.get(pid, []))
    return {
        "harness": [harness],
        "guard": [guard],
        "guard and harness": [guard, harness],
        "zygote": [zygote],
        "zygote and guard": [zygote, guard],
        "all of them": [zygote, guard, harness],
    }[role]


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
@pytest.mark.parametrize("role", ["harness", "guard", "zygote and guard", "all of them"])
def test_processes_of_a_worker_are_hurt(project: Project, role: str, fault: int) -> None:
    """Frozen ones are thawed when their lease is long over, while others work."""
    tests = holders(project, files=4, count=25)
    running = project.start("local.zygote=false")
    running.until_begun(4)
    chosen = victims(running, role)
    before = len(held(project))
    kill_all(chosen, fault)
    if fault == signal.SIGSTOP:
        until(lambda: len(held(project)) > before + 250 or running.process.poll() is not None, "others go on", 30)
        kill_all(chosen, signal.SIGCONT)

    assert_green(project, running, tests)
    assert_never_two(project, 2)


@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_the_agent_is_hurt(project: Project, fault: int) -> None:
    """The same command goes on beside a frozen agent, or after a dead one."""
    tests = holders(project)
    first = project.start()
    first.until_begun(6)
    first.signal(fault)
    second = project.start("reports.formats=junit", "project.build_dir=build/second")
    code = second.end()
    if fault == signal.SIGSTOP:
        first.signal(signal.SIGCONT)
    first.end()

    assert code == 0, second.output
    assert len(set(project.traces())) == tests
    assert_never_two(project, 2)


@pytest.mark.parametrize("counts", [(2, 2), (2, 1), (1, 2)])
def test_commands_at_once_take_turns(project: Project, counts: tuple[int, int]) -> None:
    """They are two runs that know nothing of each other: the queues' locks keep them apart, also when the second divides the range
    otherwise, over more or fewer slots."""
    project.write("pyproject.toml", RANGE.format(machine="local", at=1))
    tests = holders(project, files=2, count=4)
    project.settle()
    hold = project.shared / "hold"
    hold.touch()
    first = project.start("suites.pytest.select.paths=test_f0.py", f"workers.count={counts[0]}")
    first.until_begun(counts[0])
    second = project.start(
        "suites.pytest.select.paths=test_f1.py", f"workers.count={counts[1]}", "project.build_dir=build/second"
    )
    until(lambda: "live log of each worker" in second.output, lambda: f"the second run begins: {second.output}", 40)
    before = len(held(project))
    until(lambda: len(held(project)) > before + 100, "the first goes on for a while", 40)
    hold.unlink()

    assert second.end() == 0, second.output
    assert first.end() == 0, first.output
    assert len(project.traces()) == tests
    assert_never_two(project, 2)


class Site(SshProject):
    """Two hosts, each with two queues and two addresses."""

    def settle(self) -> None:
        """Add them to the settings."""
        super().settle()
        settings = (self.root / "pyproject.toml").read_text()
        more = "".join(
            (QUEUES + RANGE).format(machine=f"hosts.{name}", at=at) for at, name in enumerate(self.lab.hosts)
        )
        self.write("pyproject.toml", settings + more)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Nothing is left on its hosts."""
    root = tmp_path / "project"
    root.mkdir()
    with lab(tmp_path / "lab", ("lab1", "lab2")) as hosts:
        made = Site(root, launcher="ssh", lab=hosts)
        made.arguments = ("workers.lease_seconds=4s", "workers.max_losses=100")
        try:
            yield made
            until(lambda: not made.left(), made.left, 15)
        finally:
            made.clear()


def until_both_hold(site: Site) -> None:
    """Wait until tests of all four queues have said what they hold."""
    until(lambda: len({address for address, *_ in held(site)}) == 4, lambda: f"all queues work: {held(site)[-5:]}")


def kill_sessions(site: Site) -> None:
    """All that runs on one host dies."""
    site.lab.hosts["lab2"].kill_sessions()


def cut_sessions(site: Site) -> None:
    """Only the servers' ends of the connections die."""
    site.lab.hosts["lab2"].cut_sessions()


def freeze_guards_and_harnesses(site: Site) -> None:
    """Everything below the relays of one host stops, and goes on when others have worked long since."""
    host = site.lab.hosts["lab2"]
    chosen = sorted({*host.sessions()} & {*site.processes()})
    before = len(held(site))
    kill_all(chosen, signal.SIGSTOP)
    until(lambda: len(held(site)) > before + 80, "the other host goes on", 40)
    kill_all(chosen, signal.SIGCONT)


@pytest.mark.parametrize("hurt", [kill_sessions, cut_sessions, freeze_guards_and_harnesses])
def test_sessions_of_a_host_are_hurt(site: Site, hurt: Callable[[Site], None]) -> None:
    """Its queues are staffed again only when nothing of the last workers can live."""
    tests = holders(site, files=8, count=20)
    running = site.start()
    until_both_hold(site)
    hurt(site)

    assert_green(site, running, tests)
    assert_never_two(site, 4)


def test_a_harness_that_nobody_can_stop_keeps_its_queue(site: Site) -> None:
    """Relays, zygotes and guards of a host are frozen, its harnesses go on: the host is lost and comes back, but while they live
    nobody else works in their queues, although a lease has passed."""
    tests = holders(site, files=2, count=4, seconds=15)
    running = site.start()
    until_both_hold(site)
    sessions = {*site.lab.hosts["lab2"].sessions()}
    family = running.family()
    frozen = sorted(sessions & {*site.lab.relays(), *family["zygote"], *family["guard"]})
    harnesses = {str(pid) for pid in sessions & {*family["harness"]}}
    kill_all(frozen, signal.SIGSTOP)
    try:
        until(lambda: "host 'lab2' was lost" in running.output, lambda: f"it is missed: {running.output}", 20)
        begun = max(at for at, one in enumerate(held(site)) if one[2] in harnesses)
        until(lambda: "in use" in logs_of(site) or len(held(site)) > begun + 40, lambda: f"{held(site)[-9:]}", 30)
    finally:
        kill_all(frozen, signal.SIGCONT)

    assert_green(site, running, tests)
    assert_never_two(site, 4)


def logs_of(site: Site) -> str:
    """What harnesses have printed."""
    return "".join(path.read_text("utf-8", "replace") for path in (site.root / ".fleet").glob("local/*/slot-*/*/*.log"))


def test_a_host_is_cut_off_and_comes_back(site: Site) -> None:
    """A firewall drops everything, for as long as it takes to be missed; then the host works again, with the same addresses."""
    tests = holders(site, files=10, count=25)
    running = site.start()
    until_both_hold(site)
    with cut(site.lab.hosts["lab2"].facts["port"]):
        until(lambda: "host 'lab2' was lost" in running.output, lambda: f"it is missed: {running.output}", 20)
    others: Sequence[list[str]] = held(site)
    until(
        lambda: any(one[0].startswith("52:54:00:00:01") for one in held(site)[len(others) :]), running_of(running), 40
    )

    assert_green(site, running, tests)
    assert_never_two(site, 4)


def running_of(running: Running) -> Callable[[], str]:
    """What to say when a host does not come back."""
    return lambda: f"lab2 works again: {running.output}"
