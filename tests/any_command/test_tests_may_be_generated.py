"""A command of the project's may make the files that tests are; it runs when what decides them has changed, and then only."""

from __future__ import annotations

import pytest

from tests.any_command.bench import Bench
from tests.compatibility.project import TEST_SECONDS

pytestmark = pytest.mark.timeout(TEST_SECONDS)

SUITE = """
files = ["plans/*.txt"]
command = ["grep", "-q", "plan", "{file}"]
[tool.doit-fleet.suites.bench.generate]
command = "echo made >> ../trace; mkdir -p plans; for n in $(cat seeds); do echo plan $n > plans/$n.txt; done"
inputs = ["seeds"]
outputs = ["plans"]
"""


def test_it_runs_when_its_inputs_change(bench: Bench) -> None:
    """What was made before comes back from the cache; what it makes no more is no test any longer."""
    bench.environment["XDG_CACHE_HOME"] = str(bench.root.parent / "cache")
    bench.suite(SUITE)
    bench.write(seeds="1 2")

    assert bench.fleet().code == 0
    assert set(bench.outcomes()) == {"plans/1.txt", "plans/2.txt"}
    assert bench.fleet("-a").code == 0
    assert bench.ran == ["made"]
    bench.write(seeds="2 3")
    assert bench.fleet().code == 0
    assert set(bench.outcomes()) == {"plans/2.txt", "plans/3.txt"}
    assert bench.ran == ["made", "made"]


def test_its_failure_ends_the_run(bench: Bench) -> None:
    """With what it said; no test of an earlier time runs."""
    bench.environment["XDG_CACHE_HOME"] = str(bench.root.parent / "cache")
    bench.suite(SUITE.replace("echo made", "echo no seeds today; exit 4; echo made"))
    bench.write(seeds="1", plans_in_old__txt="plan")

    done = bench.fleet()

    assert done.code == 2, done.output
    assert "no seeds today" in done.output
    assert not (bench.root / "build/reports/junit.xml").exists()
