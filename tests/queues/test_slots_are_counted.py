"""Where nobody has named a number of slots: by what is free, less a reserve, and what tests say they need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.adapters.vacancy import vacancy
from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.sizing import Terms, Vacancy, demand_of_a_slot, slots_that_fit
from tests.any_command.bench import Bench
from tests.ssh.house import Lab, lab

GIB = 2**30
SEEN = Vacancy(cores=8, load=2.0, memory_bytes=12 * GIB)


@pytest.mark.parametrize(
    ("terms", "count"),
    [
        (Terms(), 6),
        (Terms(reserve=Amount(3.0, 0)), 3),
        (Terms(budget=Amount(4.0, None)), 4),
        (Terms(demands=[Amount(2.0, 0)]), 3),
        (Terms(demands=[Amount(0.5, GIB)]), 12),
        (Terms(demands=[Amount(0.0, 4 * GIB)]), 3),
        (Terms(demands=[Amount(0.0, 4 * GIB)], reserve=Amount(0.0, 5 * GIB)), 1),
        (Terms(demands=[Amount(0.0, 4 * GIB)], budget=Amount(None, 9 * GIB)), 2),
        (Terms(demands=[Amount(1.0, 2 * GIB), Amount(1.0, 6 * GIB)]), 2),
        (Terms(demands=[Amount(1.0, 2 * GIB), Amount(1.0, 6 * GIB)], is_average=True), 3),
        (Terms(demands=[Amount(0.0, 100 * GIB)]), 1),
    ],
)
def test_the_scarcest_resource_decides(terms: Terms, count: int) -> None:
    """Six of eight processors and 12 GiB are free."""
    assert slots_that_fit(SEEN, terms).count == count


def test_where_memory_is_not_known_processors_decide() -> None:
    """As on systems without /proc."""
    seen = Vacancy(cores=4, load=0.0, memory_bytes=None)
    assert slots_that_fit(seen, Terms(demands=[Amount(1.0, GIB)])).count == 4


AMOUNTS = st.builds(Amount, st.floats(0, 64), st.integers(0, 2**40))


@given(st.lists(AMOUNTS, max_size=20), AMOUNTS, st.floats(0, 100), st.floats(0, 100), st.integers(0, 2**44))
def test_slots_never_need_more_than_is_free(
    demands: list[Amount], reserve: Amount, cores: float, load: float, memory: int
) -> None:
    """Unless not even one has room."""
    fit = slots_that_fit(Vacancy(cores=cores, load=load, memory_bytes=memory), Terms(demands=demands, reserve=reserve))
    need = demand_of_a_slot(demands, is_average=False)
    assert fit.count >= 1
    if fit.count > 1:
        assert fit.count * (need.cpus or 0) <= cores - load - (reserve.cpus or 0) + 1e-6
        assert fit.count * (need.memory_bytes or 0) <= memory - (reserve.memory_bytes or 0)


def test_control_groups_bound_what_is_free(tmp_path: Path) -> None:
    """The machine has 8 GiB free, the group of the agent 1 GiB."""
    group = tmp_path / "sys/fs/cgroup/ci/job"
    group.mkdir(parents=True)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {8 * 2**20} kB\n")
    (tmp_path / "proc/self/cgroup").write_text("0::/ci/job\n")
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("5\n")
    (group.parent / "memory.max").write_text(f"{3 * GIB}\n")
    (group.parent / "memory.current").write_text(f"{2 * GIB}\n")

    assert vacancy(tmp_path).memory_bytes == GIB


ROWS = """
rows = [{ name = "a", values = { mem = "1Ti" } }, { name = "b" }]
requires.keys.memory = "mem"
command = "echo $DOIT_FLEET_TEST $DOIT_FLEET_SLOT >> ../trace"
"""


def test_this_machine_counts_by_what_rows_demand(bench: Bench) -> None:
    """One terabyte for the peak: one slot, and doctor says why."""
    bench.suite(ROWS)

    done = bench.fleet("doctor", "workers.count=auto")

    assert done.code == 0, done.output
    assert "workers: 1 on launcher 'local'" in done.output
    assert "of memory free at 1Ti each" in done.output


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Lab]:
    """Two hosts."""
    with lab(tmp_path / "lab", ("lab1", "lab2")) as made:
        yield made


def test_hosts_are_asked_how_many_fit(bench: Bench, hosts: Lab) -> None:
    """The one by what its tests need, the other has a number; who is not there gets as many as there are cores here."""
    bench.suite(
        ROWS
        + f'[tool.doit-fleet.ssh]\nconfig = "{hosts.config}"\nfolder = "{hosts.remote}"\n'
        + "[tool.doit-fleet.hosts.lab1]\n[tool.doit-fleet.hosts.lab2]\nslots = 3\n"
    )

    done = bench.fleet("doctor", "workers.count=auto", "workers.launcher=ssh")
    ran = bench.fleet("workers.count=auto", "workers.launcher=ssh")

    assert "workers: 4 on launcher 'ssh'" in done.output, done.output
    assert "lab1: 1 slots" in done.output
    assert ran.code == 0, ran.output
    assert len(bench.ran) == 2
