"""Real things that some tests need, and what to do where they are not there."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
REQUIRED = "DOIT_FLEET_ENGINES"
"""Set to `required` where everything must be there: then nothing is skipped."""


def require(found: T | None, missing: str) -> T:
    """What was found; else skip with the reason, or fail where engines are required."""
    if found is not None:
        return found
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(missing)
    pytest.skip(missing)
