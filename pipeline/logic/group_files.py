"""Test-group files: lists of test ids for people and other tools, one a line, in the order they should run.

An id is written as it is, unless that would not be one readable line: then the line is a JSON string. So a line that
begins with `"` is always JSON. Knows neither folders nor who reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipeline.errors import UsageError
from pipeline.model.plans import Plan


def group_files(plan: Plan) -> dict[str, str]:
    """Text by file name `test-group-<n>`, one for each bucket, counted from 0."""
    return {
        f"test-group-{bucket}": format_ids(plan.tests[at].id for number in numbers for at in plan.batches[number].tests)
        for bucket, numbers in enumerate(plan.buckets)
    }


def format_ids(ids: Iterable[str]) -> str:
    """One id a line, a final newline included."""
    return "".join(f"{_line(test)}\n" for test in ids)


def parse_ids(text: str) -> tuple[str, ...]:
    """Read what `format_ids` or a person wrote; empty lines are left out. Raises `UsageError` with the line's number."""
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return tuple(_id(line, number) for number, line in enumerate(lines, start=1) if line.strip())


def _line(test: str) -> str:
    is_plain = test.isprintable() and test == test.strip() and not test.startswith('"') and test != ""
    return test if is_plain else json.dumps(test)


def _id(line: str, number: int) -> str:
    if not line.startswith('"'):
        return line.strip()
    try:
        test = json.loads(line)
    except ValueError as error:
        raise UsageError(
            f"line {number} is no test id: {line!r}", hint='a line that begins with `"` must be one JSON string'
        ) from error
    assert isinstance(test, str)
    return test
