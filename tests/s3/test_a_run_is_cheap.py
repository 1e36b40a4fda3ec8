"""What a run in a bucket costs in requests, with workers that share nothing: a small version of `benchmarks.requests`."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.requests import MOST_DOLLARS, MOST_REQUESTS, dollars, kind_of, measure
from tests.engines.faults import Request

WORKERS, SECONDS = 4, 6.0
FIXED = 250
"""Trying the store out, planning, births, ends, the merge, learning."""


def test_few_requests_are_made(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more for each worker and second than the large run may make, beyond what any run needs."""
    rows, _ = measure(400, WORKERS, SECONDS)
    number, cost = rows[-2]["number"], rows[-2]["dollars"]

    share = WORKERS * SECONDS / (20 * 60)
    assert float(number) <= FIXED + 3 * MOST_REQUESTS * share, rows
    assert float(cost) <= 0.005 + 3 * MOST_DOLLARS * share, rows


def test_requests_are_counted_as_a_bill_does() -> None:
    """A listing costs as much as a write, and twelve times a read."""
    asked = [
        Request(method="GET", path="/b?list-type=2&prefix=runs%2Fr-1%2Fclaims%2F"),
        Request(method="GET", path="/b/runs/r-1/plan"),
        Request(method="PUT", path="/b/runs/r-1/plan"),
    ]

    assert [kind_of(one) for one in asked] == ["LIST", "GET", "PUT"]
    assert dollars({"PUT": 1000, "LIST": 1000, "GET": 10_000}) == pytest.approx(0.014)
