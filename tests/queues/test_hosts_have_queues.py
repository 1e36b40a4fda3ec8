"""Queues of real SSH servers: tests run where they may, ranges of hosts are disjoint, folders of queues stay on their hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.any_command.bench import Bench
from tests.ssh.house import Lab, lab

pytestmark = pytest.mark.timeout(120)
SSH = ("workers.count=auto", "workers.launcher=ssh")


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Lab]:
    """Two hosts."""
    with lab(tmp_path / "lab", ("lab1", "lab2")) as made:
        yield made


def settings(hosts: Lab, bench: Bench, *, lab2_from: int = 10) -> str:
    """Two queues on the first host, one on the second; addresses for each."""
    return f"""
rows = [
  {{ name = "boot.amd" }}, {{ name = "boot.intel" }}, {{ name = "stress", values = {{ host = "lab2" }} }},
  {{ name = "wide", values = {{ cpus = "6" }} }}, {{ name = "any" }},
]
command = "echo $DOIT_FLEET_TEST $DOIT_FLEET_HOST/$DOIT_FLEET_QUEUE $MAC | tee -a $DOIT_FLEET_QUEUE_FOLDER/log >> {bench.root.parent}/trace"
requires.keys = {{ host = "host", cpus = "cpus" }}
[tool.doit-fleet.ssh]
config = "{hosts.config}"
folder = "{hosts.remote}"
[tool.doit-fleet.hosts.lab1]
cpus = 4
no = "any"
[tool.doit-fleet.hosts.lab1.queues.amd]
only = "boot..amd"
claims = true
[tool.doit-fleet.hosts.lab1.queues.intel]
only = "boot..intel"
claims = true
[tool.doit-fleet.hosts.lab1.ranges.mac]
kind = "mac"
of = ["52:54:00:00:00:00+2"]
[tool.doit-fleet.hosts.lab2]
cpus = 8
[tool.doit-fleet.hosts.lab2.queues.only]
[tool.doit-fleet.hosts.lab2.ranges.mac]
kind = "mac"
of = ["52:54:00:00:00:{lab2_from:02}"]
"""


def test_tests_run_in_queues_of_hosts(bench: Bench, hosts: Lab) -> None:
    """By filters, rows and budgets; twice, with the same folders."""
    bench.suite(settings(hosts, bench))

    for _ in range(2):
        done = bench.fleet("-a", *SSH)
        assert done.code == 0, done.output

    expected = [
        "any lab2/only 52:54:00:00:00:10",
        "boot.amd lab1/amd 52:54:00:00:00:00",
        "boot.intel lab1/intel 52:54:00:00:00:01",
        "stress lab2/only 52:54:00:00:00:10",
        "wide lab2/only 52:54:00:00:00:10",
    ]
    assert sorted(bench.ran) == sorted(expected * 2)
    (log,) = hosts.remote.glob("queues/*/lab1/amd/log")
    assert log.read_text().splitlines() == expected[1:2] * 2


def test_hosts_may_not_share_addresses(bench: Bench, hosts: Lab) -> None:
    """The address, both ranges and both hosts are named; ports of two hosts are two ports."""
    bench.suite(settings(hosts, bench, lab2_from=1))
    done = bench.fleet("plan", *SSH)

    assert done.code == 3, done.output
    assert "mac '52:54:00:00:00:01' is in range 'mac' of host 'lab1' and in range 'mac' of host 'lab2'" in done.output

    bench.suite(
        settings(hosts, bench)
        .replace('"mac"', '"port"')
        .replace("52:54:00:00:00:00+2", "80-81")
        .replace("52:54:00:00:00:10", "80")
    )
    done = bench.fleet("plan", *SSH)

    assert done.code == 0, done.output


def test_a_test_that_exceeds_all_hosts_is_named(bench: Bench, hosts: Lab) -> None:
    """With what each host has; nothing has run."""
    bench.suite(settings(hosts, bench).replace('cpus = "6"', 'cpus = "9"'))
    done = bench.fleet(*SSH)

    assert done.code == 3, done.output
    assert "bench::wide: no place" in done.output
    assert "lab2/only: 9 cpus wanted, 8 there" in done.output
    assert bench.ran == []


def test_a_host_runs_its_own_share_in_its_own_queues(bench: Bench, hosts: Lab) -> None:
    """`host=X` on X itself, without ssh: both hosts join one run, and each has its own queues and addresses."""
    bench.suite(settings(hosts, bench))
    common = (*SSH, "join.name=nightly-1", "join.jobs=2", f"store.url={bench.root.parent}/store")
    line = " ".join(common)
    both = bench.by_hand(
        "for h in lab1 lab2; do mkdir ../$h && cp -r . ../$h/project; done; "
        f"for h in lab1 lab2; do (cd ../$h/project && exec {bench.python} -m pipeline {line} host=$h > ../../$h.out 2>&1) & "
        'p="$p $!"; done; for one in $p; do wait $one || exit; done'
    )
    told = "".join((bench.root.parent / f"{name}.out").read_text() for name in ("lab1", "lab2"))

    assert both.returncode == 0, told
    assert sorted(bench.ran) == [
        "any lab2/only 52:54:00:00:00:10",
        "boot.amd lab1/amd 52:54:00:00:00:00",
        "boot.intel lab1/intel 52:54:00:00:00:01",
        "stress lab2/only 52:54:00:00:00:10",
        "wide lab2/only 52:54:00:00:00:10",
    ]


def test_tests_whose_only_host_is_gone_are_not_waited_for_for_ever(bench: Bench, hosts: Lab) -> None:
    """All others run; then the run stays open with exit code 2, and the host is named. The same command goes on."""
    bench.suite(settings(hosts, bench))
    hosts.hosts["lab2"].lose_power()

    done = bench.fleet(*SSH)

    assert done.code == 2, done.output
    assert "host 'lab2' is set aside" in done.output
    assert sorted(line.split()[0] for line in bench.ran) == ["boot.amd", "boot.intel"]

    hosts.hosts["lab2"].restart()
    done = bench.fleet(*SSH)

    assert done.code == 0, done.output
    assert len(bench.ran) == 5
