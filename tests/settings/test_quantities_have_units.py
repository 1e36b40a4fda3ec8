"""Durations and sizes are read as people write them, and nothing is guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.quantities import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("given_value", "seconds"),
    [(90, 90), (1.5, 1.5), ("90", 90), ("5m", 300), ("1h30m", 5400), ("1h 30m", 5400), ("250ms", 0.25), ("1.5h", 5400)],
)
def test_a_duration_is_read_with_its_units(given_value: object, seconds: float) -> None:
    """Units may be combined; a bare number is seconds."""
    assert parse_duration(given_value) == seconds


@pytest.mark.parametrize(
    "wrong", ["", "m5", "5 minutes", "-5m", "5m5m", "1e3", "5M", True, None, -1, float("nan"), [5]]
)
def test_what_is_no_duration_is_refused(wrong: object) -> None:
    """A wrong unit, a repeated one, a negative or a non-number is an error."""
    with pytest.raises(ValueError, match=r"."):
        parse_duration(wrong)


@pytest.mark.parametrize(
    ("given_value", "size_bytes"),
    [(7, 7), ("7", 7), ("2Gi", 2 << 30), ("2GiB", 2 << 30), ("500MB", 500_000_000), ("1.5Ki", 1536), ("3k", 3000)],
)
def test_a_size_is_read_with_its_units(given_value: object, size_bytes: int) -> None:
    """Binary units count by 1024, others by 1000."""
    assert parse_size(given_value) == size_bytes


@pytest.mark.parametrize("wrong", ["", "Gi", "2gi", "2 Gigs", "-1Mi", -1, 1.5, True, None])
def test_what_is_no_size_is_refused(wrong: object) -> None:
    """An unknown unit is an error, never a guess between 1000 and 1024."""
    with pytest.raises(ValueError, match="no size"):
        parse_size(wrong)


@given(st.integers(min_value=0, max_value=10**10) | st.integers(min_value=0, max_value=10**9).map(lambda n: n / 1000))
def test_a_duration_written_is_read_back(seconds: float) -> None:
    """What is shown could be typed in again."""
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=1e-9)


@given(st.integers(min_value=0, max_value=1 << 60))
def test_a_size_written_is_read_back(size_bytes: int) -> None:
    """What is shown could be typed in again."""
    assert parse_size(format_size(size_bytes)) == size_bytes
