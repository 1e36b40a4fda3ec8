"""The proof before the run: exit 3, everything at fault is named, and no test has begun."""

from __future__ import annotations

import pytest

from tests.any_command.bench import Bench

ROWS = """
rows = [{ name = "boot" }, { name = "huge", values = { mem = "64Gi", cpus = "2" } }]
requires.keys = { memory = "mem", cpus = "cpus" }
command = "touch ../trace"
[tool.doit-fleet.local.queues.q1]
[tool.doit-fleet.local.queues.q2]
"""


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (["local.memory=8Gi"], ["bench::huge: no place", "64Gi of memory wanted, 8Gi there"]),
        (["local.cpus=1"], ["bench::huge: no place", "2 cpus wanted, 1 there"]),
        (["suites.bench.requires.host=lab9"], ["bench::boot: no place", "bench::huge: no place", "not host 'lab9'"]),
        (["suites.bench.requires.queue=q3"], ["bench::boot: no place", "not queue 'q3'"]),
        (["suites.bench.requires.labels=kvm"], ["bench::boot: no place", "no label 'kvm'"]),
        (["local.no=boot"], ["bench::boot: no place", "no boot"]),
        (["local.queues.q1.only=nosuch"], ["only nosuch of local/q1: matches no test"]),
        (
            [f"local.queues.{one}.{what}" for one in ("q1", "q2") for what in ("only=boot", "claims=true")],
            ["bench::boot: claimed by two exclusive selections, local/q1 and local/q2"],
        ),
        (["local.queues.q1.only=..boot"], ["local.queues.q1.only: filter '..boot' is not well formed"]),
        (["local.queues.q1.claims=true"], ["local.queues.q1.claims without local.queues.q1.only"]),
        (["workers.count=3"], ["workers.count is 3, but this machine has 2 queues"]),
    ],
)
def test_it_is_named_before_anything_runs(bench: Bench, settings: list[str], named: list[str]) -> None:
    """Each mistake by itself."""
    bench.suite(ROWS)

    done = bench.fleet("workers.count=auto", *settings)

    assert done.code == 3, done.output
    for text in named:
        assert text in done.output
    assert not (bench.root.parent / "trace").exists()


MAC = '[tool.doit-fleet.local.ranges.mac]\nkind = "mac"\nof = ["{}"]\n'
PORTS = '[tool.doit-fleet.local.ranges.{}]\nkind = "port"\nof = ["80-90"]\n'


@pytest.mark.parametrize(
    ("ranges", "named"),
    [
        (
            MAC.format("52:54:00:00:00:10"),
            "local.ranges.mac: range 'mac' holds 1, and one for each of 2 places would need 2",
        ),
        (MAC.format("nonsense"), "local.ranges.mac: 'nonsense'"),
        (PORTS.format("a") + PORTS.format("b"), "port '80' is in range 'a' of host 'local' and in range 'b'"),
        ('[tool.doit-fleet.local.ranges.path]\nof = ["a", "b"]\n', "tests would get it as the variable 'PATH'"),
        (
            PORTS.format("a") + PORTS.format("a-first").replace("80-90", "180-190"),
            "ranges 'a' and 'a-first' of host 'local' are both",
        ),
    ],
)
def test_ranges_that_cannot_be_divided_are_refused(bench: Bench, ranges: str, named: str) -> None:
    """Too few, nonsense, in two ranges, or dangerous as a variable."""
    bench.suite(ROWS + ranges)

    done = bench.fleet("workers.count=auto", "plan")

    assert done.code == 3, done.output
    assert named in done.output


def test_doctor_tells_of_it_too(bench: Bench) -> None:
    """Ranges that overlap are found without collecting."""
    bench.suite(ROWS)
    good = bench.fleet("doctor", "workers.count=auto")
    bench.suite(ROWS + MAC.format("nonsense"))
    done = bench.fleet("doctor", "workers.count=auto")

    assert done.code == 3, done.output
    assert "BAD  placement: local.ranges.mac: 'nonsense'" in done.output
    assert "ok   placement: 2 queues (local/q1, local/q2)" in good.output


def test_launchers_without_queues_refuse_requirements(bench: Bench) -> None:
    """They would not be kept."""
    bench.suite(ROWS)

    done = bench.fleet("workers.count=2", "workers.launcher=docker", "doctor")

    assert done.code == 3, done.output
    assert "suite 'bench' requires something of its place, and launcher 'docker' knows no places" in done.output


def test_pools_and_queues_exclude_each_other(bench: Bench) -> None:
    """Both say where suites run."""
    bench.suite(ROWS + '[tool.doit-fleet.pools.big]\n[tool.doit-fleet.suites.other]\npool = "big"\n')

    done = bench.fleet("workers.count=auto", "plan")

    assert done.code == 3, done.output
    assert "suites use pools 'default' and 'big', and there are queues" in done.output
