"""The table in the documentation tells what is tested, no less and no more."""

from __future__ import annotations

from tests.compatibility import table


def test_the_table_is_current() -> None:
    """docs/compatibility.md is what `python -m tests.compatibility.table` writes now."""
    assert table.DOCUMENT.read_text("utf-8") == table.render()


def test_every_plugin_of_the_promise_has_a_row() -> None:
    """Nothing that is promised has lost its test."""
    promised = {
        "pytest-asyncio",
        "anyio",
        "pytest-timeout",
        "pytest-cov",
        "pytest-randomly",
        "hypothesis",
        "pytest-django",
        "pytest-mock",
        "pytest-rerunfailures",
        "subtests",
        "pytest-xdist",
    }
    assert promised <= {subject for subject, *_ in table.rows()}
