"""Claims about the text at the end of a run."""

from __future__ import annotations

import pytest

from pipeline.model.runs import Loss
from pipeline.model.verdicts import Verdict
from pipeline.report.phrases import age, count, duration
from pipeline.report.summary import LISTED, Shown, summary, up_to_date
from tests.report.samples import HOSTILE, failed, merged, plain_line, result, troubled


def test_a_good_run_ends_with_its_counts_and_the_expected_time() -> None:
    """The last line is the answer."""
    text = summary(merged(result(), result("unit::b")), plain_line, Shown(expected_seconds=0.4, slowest=0))

    assert text.splitlines()[-1] == "2 passed in 500 ms (400 ms expected)"


def test_a_failure_is_listed_with_the_line_that_reproduces_it() -> None:
    """Its text was shown when it happened."""
    text = summary(merged(result("unit::b"), failed()), plain_line, Shown())

    assert "  FAILED unit::tests/test_a.py::test_x - assert 1 == 2\n    pytest tests/test_a.py::test_x\n" in text
    assert "def test_x" not in text


def test_the_reason_of_a_bad_exit_is_the_last_thing_said() -> None:
    """With the code, so that nobody has to guess what CI saw."""
    run = merged(failed(), exit_code=2, reason="budget for lost workers spent")

    last = summary(run, plain_line, Shown()).splitlines()[-1]
    assert last == "1 failed in 250 ms; exit 2: budget for lost workers spent"


def test_each_missing_test_is_named_with_its_last_worker() -> None:
    """Nothing is lost silently."""
    run = merged(result(), missing=(("unit::gone", "w7"), ("unit::never", "")), exit_code=2)
    text = summary(run, plain_line, Shown())

    assert "unit::gone (last seen on w7)" in text
    assert "unit::never (never begun)" in text
    assert "1 passed, 2 without a verdict" in text


def test_losses_are_told_with_their_cost() -> None:
    """A lost worker is no failure, but it costs time."""
    losses = tuple(Loss(worker=f"w{each}", cause="silent", repeated_seconds=2.0) for each in range(3))
    text = summary(merged(result(), losses=losses), plain_line, Shown())

    assert "w1: silent, 2.0 s repeated" in text
    assert "3 losses cost 6.0 s of repeated work" in text


def test_the_slowest_tests_come_in_order() -> None:
    """Only those worth a line."""
    run = merged(
        result("unit::fast", seconds=0.01), result("unit::slow", seconds=3.0), result("unit::mid", seconds=1.0)
    )
    text = summary(run, plain_line, Shown(slowest=5))

    assert text.index("3.0 s  unit::slow") < text.index("1.0 s  unit::mid")
    assert "unit::fast" not in text


def test_a_flaky_test_is_named() -> None:
    """A pass after a failure is never hidden."""
    text = summary(merged(result(tries=2, earlier=(failed(),))), plain_line, Shown())

    assert "flaky:\n  unit::tests/test_a.py::test_x (passed on try 2; first: assert 1 == 2)" in text


def test_reports_and_what_failed_there_are_listed() -> None:
    """A person need not search."""
    text = summary(merged(result()), plain_line, Shown(reports=("r/junit.xml",), report_errors=("ctrf: no room",)))

    assert "reports:\n  r/junit.xml\n  ctrf: no room" in text
    assert "logs:\n  logs (1 file)" in text


def test_a_thousand_failures_do_not_fill_the_screen() -> None:
    """And do not ask a thousand times how to reproduce them."""
    asked: list[str] = []

    def reproduce(test: str) -> str:
        asked.append(test)
        return "pytest x"

    text = summary(merged(*[failed(f"unit::t{each}") for each in range(1000)]), reproduce, Shown())

    assert f"and {1000 - LISTED:,} more" in text
    assert len(asked) == LISTED


def test_tests_that_were_not_run_are_counted_by_reason() -> None:
    """After a fail-fast they are thousands, and must not hide the failure."""
    waiting = [result(f"unit::n{each}", Verdict.NOT_RUN, seconds=0.0) for each in range(2000)]
    gone = result("unit::gone", Verdict.NOT_RUN, message="not found")
    text = summary(merged(*waiting, failed(), gone, exit_code=1), plain_line, Shown())

    assert "not run:\n  2,000 tests: the run ended before\n  1 test: not found\n" in text
    assert "FAILED unit::tests/test_a.py::test_x" in text
    assert "unit::n1" not in text


def test_a_troubled_run_is_told_without_control_characters() -> None:
    """Every text of it is hostile."""
    text = summary(troubled(), plain_line, Shown(report_errors=(HOSTILE,)))

    assert not [each for each in text if ord(each) < 32 and each != "\n"]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([Verdict.PASSED], "up to date: 1 test passed 3 minutes ago; `doit -a` runs regardless"),
        (
            [Verdict.PASSED, Verdict.SKIPPED],
            "up to date: 2 tests passed 3 minutes ago, 1 of them skipped or expected to fail; `doit -a` runs regardless",
        ),
    ],
)
def test_an_earlier_result_is_told_with_its_age(verdicts: list[Verdict], expected: str) -> None:
    """Nothing changed, nothing ran, and how to run regardless."""
    run = merged(*[result(f"unit::{each}", verdict) for each, verdict in enumerate(verdicts)])

    assert up_to_date(run, age_seconds=200) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1.0, "0 ms"),
        (0.0124, "12 ms"),
        (0.9999, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.7, "1 h 00 min"),
        (3_725, "1 h 02 min"),
    ],
)
def test_spans_are_told_in_the_unit_that_suits_them(seconds: float, expected: str) -> None:
    """No sixty seconds, no sixty minutes."""
    assert duration(seconds) == expected


def test_ages_and_counts_have_the_right_form() -> None:
    """Singular and plural."""
    assert [age(each) for each in (0.2, 1, 59, 60, 7200, 200_000)] == [
        "just now",
        "1 second ago",
        "59 seconds ago",
        "1 minute ago",
        "2 hours ago",
        "2 days ago",
    ]
    assert [count(1, "test"), count(1234, "test"), count(2, "batch"), count(3, "loss")] == [
        "1 test",
        "1,234 tests",
        "2 batches",
        "3 losses",
    ]


def test_logs_that_are_not_there_are_not_announced() -> None:
    """Workers on hosts and in suites of commands may have printed nothing."""
    text = summary(troubled(), plain_line, Shown(has_log=lambda log: False))

    assert "logs:" not in text
