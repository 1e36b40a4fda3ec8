"""Journals merge into one outcome per planned test, whoever merges."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.merging import Book, Circumstances, merge
from pipeline.logic.objects import Birth, Tomb
from pipeline.logic.planning import freeze
from pipeline.logic.records import write_record
from pipeline.model.plans import Batch
from pipeline.model.tests import Test

TESTS = 4
PLAN = freeze(
    [Test(id=f"s::t{at}", suite="s", native=f"t{at}") for at in range(TESTS)],
    [Batch(number=at, bucket=0, tests=(at,), seconds=0.0) for at in range(TESTS)],
    [range(TESTS)],
)


def book(worker: str, *finals: tuple[int, int, str]) -> Book:
    """A dead worker's share; (test, attempt, verdict)."""
    birth = Birth(worker=worker, nonce="n", plan=PLAN.digest, term=1, slot=0, bucket=0)
    tomb = Tomb(worker=worker, plan=PLAN.digest, by=worker, nonce="n", position="9", cause="finished", proof=True)
    records = [write_record("final", test, attempt, test, {"verdict": verdict}) for test, attempt, verdict in finals]
    return Book(birth=birth, tomb=tomb, records=records)


def test_the_lowest_attempt_wins() -> None:
    """A later attempt never overrules an earlier one that reached a verdict."""
    merged = merge(PLAN, [book("w1-1", (0, 2, "failed")), book("w0-1", (0, 1, "passed"))], Circumstances(run="r"))

    assert [outcome.result.verdict.value for outcome in merged.outcomes] == ["passed"]


def test_a_test_without_a_verdict_makes_the_run_untrustworthy() -> None:
    """It is named with the last worker that had it, and the exit code is 2."""
    books = [book("w0-1", (0, 1, "passed"), (1, 1, "failed"), (2, 1, "passed"))]

    merged = merge(PLAN, books, Circumstances(run="r", owners={3: "w7-1"}))

    assert merged.missing == (("s::t3", "w7-1"),)
    assert merged.exit_code == 2


def test_fail_fast_calls_the_rest_not_run() -> None:
    """Then every test has a verdict, and the failure decides the exit code."""
    merged = merge(PLAN, [book("w0-1", (0, 1, "failed"))], Circumstances(run="r", reason="fail-fast"))

    assert merged.counts == {"failed": 1, "not-run": 3}
    assert merged.exit_code == 1


def test_a_lost_test_is_no_failure_but_no_trust_either() -> None:
    """`lost` gives exit code 2, even beside failures."""
    books = [book("w0-1", (0, 1, "lost"), (1, 1, "failed"), (2, 1, "passed"), (3, 1, "passed"))]

    assert merge(PLAN, books, Circumstances(run="r")).exit_code == 2


def test_no_tests_is_an_error() -> None:
    """Unless asked for."""
    empty = freeze([], [], [])

    assert merge(empty, [], Circumstances(run="r")).exit_code == 2
    assert merge(empty, [], Circumstances(run="r", allows_empty=True)).exit_code == 0


def test_a_damaged_result_is_an_error_of_its_test_alone() -> None:
    """Hostile records never raise."""
    damaged = write_record("final", 0, 1, 0, {"verdict": ["?"]})
    share = book("w0-1", (1, 1, "passed"), (2, 1, "passed"), (3, 1, "passed"))

    share = Book(birth=share.birth, tomb=share.tomb, records=[*share.records, damaged])
    merged = merge(PLAN, [share], Circumstances(run="r"))

    assert merged.counts == {"error": 1, "passed": 3}


finals = st.lists(
    st.tuples(st.integers(0, TESTS - 1), st.integers(1, 3), st.sampled_from(("passed", "failed", "skipped"))),
    max_size=6,
)


@given(shares=st.lists(finals, max_size=4), order=st.randoms())
def test_the_order_of_books_does_not_matter(shares: list[list[tuple[int, int, str]]], order: object) -> None:
    """Two agents that list births differently merge alike, and name every test exactly once."""
    books = [book(f"w{at}-1", *share) for at, share in enumerate(shares)]
    shuffled = list(books)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    first, second = merge(PLAN, books, Circumstances(run="r")), merge(PLAN, shuffled, Circumstances(run="r"))

    assert first == second
    named = [outcome.result.test for outcome in first.outcomes] + [test for test, _ in first.missing]
    assert sorted(named) == [test.id for test in PLAN.tests]
    assert json.dumps(first.counts)
