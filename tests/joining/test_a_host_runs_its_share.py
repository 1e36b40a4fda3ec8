"""`doit host=X` on X: it runs what X would run by ssh, and nothing else; who comes last, or gathers later, tells the result."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.joining.house import NAME, Build, Job

pytestmark = pytest.mark.timeout(150)
HOSTS = "[hosts.a]\nslots = 2\n[hosts.b]\nslots = 2\n"


@pytest.fixture
def hosts(build: Build) -> Build:
    """Two hosts that nobody reaches by ssh, with two slots each."""
    build.files["fleet.toml"] = HOSTS
    build.settings = ("workers.count=4", "workers.lease_seconds=20s")
    return build


def by(build: Build, job: Job) -> set[str]:
    """Tests that this job has begun."""
    return {test for test, name in build.traces() if name == job.name}


def test_each_host_runs_its_own_share(hosts: Build) -> None:
    """The first ends when its share is done, although nobody else has come; the last one has the reports."""
    tests = hosts.sleepers(files=8, count=4, seconds=0.05)
    a, b = hosts.job(), hosts.job()
    first = a.start("host=a")

    assert first.end() == 0, first.output
    own = by(hosts, a)
    assert 0 < len(own) < tests
    assert not a.has_reports
    assert "this host's share is done" in first.output
    assert len({event["worker"] for event in a.events("WorkerStarted")}) == 2

    second = b.start("host=b")

    assert second.end() == 0, second.output
    hosts.assert_sound(tests, repeats=0)
    assert hosts.reporter() is b
    assert not by(hosts, b) & own


def test_variables_of_the_host_are_there(hosts: Build) -> None:
    """As if it had been reached by ssh; those of another host are not."""
    hosts.sleepers(files=1, count=1, seconds=0.01)
    hosts.files["test_env.py"] = (
        "import os, pytest\n@pytest.mark.parametrize('n', range(6))\n"
        "def test_it(n):\n    assert os.environ['MINE'] == 'a' and 'THEIRS' not in os.environ\n"
    )
    hosts.files["fleet.toml"] = HOSTS + "[hosts.a.env]\nMINE = 'a'\n[hosts.b.env]\nTHEIRS = 'b'\n"
    running = hosts.job().start("host=a")

    assert running.end() == 0, running.output


def test_hosts_at_once_share_one_plan(hosts: Build) -> None:
    """Whoever ends last closes, however close they are."""
    tests = hosts.sleepers(files=8, count=4, seconds=0.05)
    a, b = hosts.job(), hosts.job()
    running = [a.start("host=a"), b.start("host=b")]

    assert [each.end() for each in running] == [0, 0], "\n".join(each.output for each in running)
    hosts.assert_sound(tests, repeats=0)


def test_a_share_with_failures_says_so(hosts: Build) -> None:
    """Exit 1 on the host whose tests failed, and for who gathers."""
    hosts.sleepers(files=4, count=4, seconds=0.01)
    hosts.files["test_red.py"] = (
        "import pytest\n@pytest.mark.parametrize('n', range(8))\ndef test_it(n):\n    assert False\n"
    )
    a, b = hosts.job(), hosts.job()
    codes = [a.start("host=a").end(), b.start("host=b").end()]

    assert codes == [1, 1]
    assert hosts.reporter() is b


def test_results_are_gathered_later(hosts: Build) -> None:
    """A machine that ran nothing writes the reports of the run; where a host never came, it does that host's share first."""
    tests = hosts.sleepers(files=8, count=4, seconds=0.05)
    a, gatherer = hosts.job(), hosts.job()
    assert a.start("host=a").end() == 0
    own = by(hosts, a)
    gathering = gatherer.start()

    assert gathering.end() == 0, gathering.output
    hosts.assert_sound(tests, repeats=0)
    assert len(by(hosts, gatherer)) == tests - len(own)
    late = hosts.job().start("report", NAME)
    assert late.end() == 0, late.output
    written = [Path(line.strip()) for line in late.output.splitlines() if line.strip().endswith("junit.xml")]
    assert [path.read_text().count("<testcase ") for path in written] == [tests]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("host=c",), "there is no host 'c'"),
        (("host=a", "join.name="), "host=a needs the name of the run that all hosts share"),
        (("host=b", "workers.count=1"), "host 'b' has no slot among 1"),
        (("host=b", 'hosts.b.after=["true"]'), "host=b cannot do what is said of that host: after"),
        (("host=b", 'ssh.images=["a"]', 'hosts.b.python=["p"]'), "said of that host: before or images, python"),
    ],
)
def test_mistakes_are_told(hosts: Build, arguments: tuple[str, ...], told: str) -> None:
    """Before anything runs."""
    hosts.sleepers(files=1, count=1, seconds=0.01)
    running = hosts.job().start(*arguments)

    assert running.end() == 3, running.output
    assert told in running.output
    assert hosts.traces() == []
