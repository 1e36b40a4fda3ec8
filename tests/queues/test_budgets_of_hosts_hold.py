"""Tests that run at once never need more than their host has, and nothing waits for ever."""

from __future__ import annotations

import pytest

from tests.any_command.bench import Bench

SUITE = """
command = "echo + $DOIT_FLEET_VALUE_mem >> ../trace; sleep 0.$DOIT_FLEET_VALUE_mem; echo - $DOIT_FLEET_VALUE_mem >> ../trace"
requires.keys.memory = "mem"
requires.keys.memory_unit = "1Gi"
"""


def most_at_once(lines: list[str]) -> tuple[int, int]:
    """(memory, tests) at the worst moment."""
    memory = tests = worst = most = 0
    for line in lines:
        sign, size = line.split()
        step = 1 if sign == "+" else -1
        memory, tests = memory + step * int(size), tests + step
        worst, most = max(worst, memory), max(most, tests)
    return worst, most


@pytest.mark.parametrize("retries", [0, 1])
def test_memory_of_tests_at_once_is_never_more_than_there_is(bench: Bench, retries: int) -> None:
    """Sixteen tests of 1 to 4 GiB in four slots of a machine with 5."""
    sizes = [1, 2, 3, 4] * 4
    rows = ", ".join(f'{{ name = "t{at}", values = {{ mem = "{size}" }} }}' for at, size in enumerate(sizes))
    bench.suite(f"rows = [{rows}]\n" + SUITE)

    done = bench.fleet("workers.count=4", "local.memory=5Gi", f"suites.bench.retries={retries}")

    assert done.code == 0, done.output
    assert len(bench.ran) == 2 * len(sizes)
    worst, most = most_at_once(bench.ran)
    assert worst <= 5
    assert most > 1, "there was room for two"


def test_without_a_budget_all_slots_are_used(bench: Bench) -> None:
    """The same tests need more at once than they may with one."""
    rows = ", ".join(f'{{ name = "t{at}", values = {{ mem = "4" }} }}' for at in range(8))
    bench.suite(f"rows = [{rows}]\n" + SUITE)

    done = bench.fleet("workers.count=4")

    assert done.code == 0, done.output
    assert most_at_once(bench.ran)[0] > 5


def test_processors_are_a_budget_too(bench: Bench) -> None:
    """Two processors each: two tests at once on a machine that may give four."""
    rows = ", ".join(f'{{ name = "t{at}", values = {{ mem = "2" }} }}' for at in range(8))
    bench.suite(f"rows = [{rows}]\nrequires.cpus = 2\n" + SUITE)

    done = bench.fleet("workers.count=4", "local.cpus=4")

    assert done.code == 0, done.output
    assert most_at_once(bench.ran)[1] == 2
