"""What the history learns, of which runs, and what it then expects of a test."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.adapters.clock import SystemClock
from pipeline.adapters.history import SqliteHistory
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Result, Verdict
from pipeline.ports import History
from pipeline.protocol.remembering import StoreHistory
from tests.fakes.memory_store import MemoryStore

TEST = "unit::test_a.py::test"


@pytest.fixture
def local(tmp_path: Path) -> SqliteHistory:
    """A history in a file, that knows nothing."""
    return SqliteHistory(tmp_path / "state" / "history.sqlite", keep_runs=5)


@pytest.fixture(params=["local", "store"])
def history(request: pytest.FixtureRequest, local: SqliteHistory) -> History:
    """A history that knows nothing, in a file or in a store."""
    if request.param == "local":
        return local
    return StoreHistory(MemoryStore(), SystemClock(), wait=asyncio.run, tell=pytest.fail, keep_runs=5)


def _run(name: str, seconds: float, verdict: Verdict = Verdict.PASSED, test: str = TEST, **changes: Any) -> MergedRun:
    outcome = Outcome(result=Result(test=test, verdict=verdict, seconds=seconds), worker="w")
    return MergedRun(**{"run": name, "plan": "p", "outcomes": (outcome,), "exit_code": 0, **changes})


def _learned(history: History, *seconds: float, branch: str = "main") -> dict[str, float]:
    for number, value in enumerate(seconds):
        history.learn(_run(f"{branch}{number}", value), branch=branch)
    return history.estimates("unit", [branch])


def test_a_history_without_a_file_knows_nothing_and_makes_none(local: SqliteHistory, tmp_path: Path) -> None:
    """Asking leaves a project as it is."""
    assert local.estimates("unit", ["main"]) == {}
    assert not (tmp_path / "state").exists()


def test_the_estimate_is_a_median(history: History) -> None:
    """One slow run among several says nothing."""
    assert _learned(history, 1.0, 1.0, 1.0, 60.0)[TEST] == 1.0


def test_a_lasting_change_soon_outvotes_the_past(history: History) -> None:
    """Recent runs weigh more: after two slower runs of five the slower duration is expected."""
    assert _learned(history, 1.0, 1.0, 1.0, 8.0, 8.0)[TEST] == 8.0


def test_only_the_newest_runs_are_kept(tmp_path: Path) -> None:
    """Where three are kept, two fast runs outvote any number of slow ones before."""
    history = SqliteHistory(tmp_path / "h.sqlite", keep_runs=3)

    assert _learned(history, *[9.0] * 10, 1.0, 1.0)[TEST] == 1.0


@pytest.mark.parametrize(
    "changes",
    [{"exit_code": 2}, {"exit_code": 130}, {"missing": ((TEST, "w"),)}, {"errors": ("x",)}, {"mixed": True}],
    ids=str,
)
def test_a_run_that_cannot_be_trusted_teaches_nothing(history: History, changes: dict[str, Any]) -> None:
    """Stopped, incomplete, broken or mixed runs are left out."""
    history.learn(_run("r", 1.0, **changes), branch="main")

    assert history.estimates("unit", ["main"]) == {}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_verdicts_with_a_sensible_duration_are_learned(history: History, verdict: Verdict) -> None:
    """A red run teaches what ended by itself; time-outs, crashes, losses, errors and tests not run teach nothing."""
    history.learn(_run("r", 3.0, verdict, exit_code=1), branch="main")
    taught = {Verdict.PASSED, Verdict.FAILED, Verdict.XFAILED, Verdict.XPASSED, Verdict.SKIPPED}

    assert (TEST in history.estimates("unit", ["main"])) == (verdict in taught)


def test_a_skip_is_expected_again_but_forgets_nothing(history: History) -> None:
    """The last run decides between skip and no skip; durations from before the skip come back with the test."""
    _learned(history, 5.0, 5.0)
    history.learn(_run("s", 0.001, Verdict.SKIPPED), branch="main")
    skipped = history.estimates("unit", ["main"])[TEST]
    history.learn(_run("t", 6.0), branch="main")

    assert skipped == pytest.approx(0.001)
    assert history.estimates("unit", ["main"])[TEST] == 5.0


def test_the_first_branch_that_knows_a_test_decides(history: History) -> None:
    """A branch's own value wins over main's; tests only main knows are taken from there."""
    other = "unit::test_a.py::other"
    history.learn(_run("m1", 1.0), branch="main")
    history.learn(_run("m2", 2.0, test=other), branch="main")
    history.learn(_run("b", 7.0), branch="feature")

    assert history.estimates("unit", ["feature", "main"]) == {TEST: 7.0, other: 2.0}
    assert history.estimates("unit", ["main"]) == {TEST: 1.0, other: 2.0}
    assert history.estimates("integration", ["feature", "main"]) == {}


def test_a_run_told_twice_counts_once(history: History) -> None:
    """A closed run that is closed again by another agent has no second vote."""
    history.learn(_run("r1", 1.0), branch="main")
    for _ in range(4):
        history.learn(_run("r2", 9.0), branch="main")
    history.learn(_run("r3", 1.0), branch="main")

    assert history.estimates("unit", ["main"])[TEST] == 1.0


def test_what_is_old_is_pruned(local: SqliteHistory) -> None:
    """After ninety days without a sight of it, a test is forgotten."""
    _learned(local, 1.0)
    local.prune(time.time() + 89 * 86_400)
    before = local.estimates("unit", ["main"])
    local.prune(time.time() + 91 * 86_400)

    assert (len(before), local.estimates("unit", ["main"])) == (1, {})


def test_a_hundred_thousand_tests_are_learned_quickly(history: History) -> None:
    """Learning is no noticeable part of a large run, and reading even less of its start."""
    outcomes = tuple(
        Outcome(
            result=Result(test=f"unit::a/test_{n // 50}.py::test[{n}]", verdict=Verdict.PASSED, seconds=1.0), worker="w"
        )
        for n in range(100_000)
    )
    begin = time.process_time()
    history.learn(_run("r", 0, outcomes=outcomes), branch="main")
    assert time.process_time() - begin < 4.0
    assert len(history.estimates("unit", ["main"])) == 100_000
