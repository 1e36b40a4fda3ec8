"""The small file that says which inputs were green, what failed last, and which runs are old."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from attrs import evolve

from pipeline.adapters.remembered import Remark, Remembered
from pipeline.model.runs import MergedRun, Outcome
from pipeline.model.verdicts import Result, Verdict


def remark(identity: str, *, run: str = "", days_ago: float = 0.0) -> Remark:
    """The result of a green run."""
    ended = time.time() - days_ago * 86_400
    return Remark(identity=identity, run=run or f"{identity}-1", exit_code=0, counts={}, ended=ended, seconds=1.0)


def outcome(test: str, verdict: Verdict) -> Outcome:
    """A test's outcome."""
    return Outcome(result=Result(test=test, verdict=verdict), worker="w0-1")


EMPTY = MergedRun(run="r", plan="p")


def test_the_latest_result_of_equal_inputs_is_found(tmp_path: Path) -> None:
    """A later run of the same inputs replaces the earlier one; other inputs keep theirs."""
    remembered = Remembered(tmp_path)
    for each in (remark("a", run="a-1"), remark("b"), remark("a", run="a-2")):
        remembered.learn(each, EMPTY)

    found = remembered.result("a")

    assert found is not None
    assert found.run == "a-2"
    assert remembered.result("b") is not None
    assert remembered.result("c") is None


def test_a_test_counts_as_failed_until_it_is_good_again(tmp_path: Path) -> None:
    """Tests that a run did not touch keep what is known of them."""
    remembered = Remembered(tmp_path)
    first = (outcome("s::a.py::x", Verdict.FAILED), outcome("s::a.py::y", Verdict.TIMED_OUT))
    remembered.learn(remark("a"), evolve(EMPTY, outcomes=first))
    assert remembered.failed() == {"s": ["a.py::x", "a.py::y"]}

    remembered.learn(remark("a"), evolve(EMPTY, outcomes=(outcome("s::a.py::x", Verdict.PASSED),)))

    assert remembered.failed() == {"s": ["a.py::y"]}


def test_runs_are_old_beyond_the_number_kept_and_after_the_days_kept(tmp_path: Path) -> None:
    """Both must hold, and a run never heard of counts as old."""
    remembered = Remembered(tmp_path)
    for name, days in (("new", 1.0), ("older", 20.0), ("oldest", 30.0)):
        remembered.learn(remark(name, run=name, days_ago=days), EMPTY)
    runs = ["new", "older", "oldest", "unheard"]

    assert remembered.too_old(runs, keep=1, days=14) == ["older", "oldest", "unheard"]
    assert remembered.too_old(runs, keep=3, days=14) == ["unheard"]
    assert remembered.too_old(runs, keep=0, days=25) == ["oldest", "unheard"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"results": 1, "failed": {}}', "\0"])
def test_a_damaged_file_is_nothing_known(tmp_path: Path, content: str) -> None:
    """Losing it costs a run, never a verdict."""
    (tmp_path / "results.json").write_text(content)
    remembered = Remembered(tmp_path)

    assert remembered.result("a") is None
    assert remembered.failed() == {}
    remembered.learn(remark("a"), EMPTY)
    assert remembered.result("a") is not None
