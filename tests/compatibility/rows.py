"""What a test of this folder claims in the table of docs/compatibility.md: its subject; the claim is its docstring."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Any])


def row(subject: str) -> Callable[[Test], Test]:
    """Give the test's row its subject; a distribution of requirements.txt gets its version there."""

    def named(test: Test) -> Test:
        test.__dict__["subject"] = subject
        return test

    return named
