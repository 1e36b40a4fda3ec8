"""Real things that some tests need, and what to do where they are not there."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
REQUIRED = "DOIT_FLEET_ENGINES"
"""Set to `required` where everything must be there: then nothing is skipped."""
IN_CONTAINER = "DOIT_FLEET_TESTS_IN_CONTAINER"
"""Set where the tests themselves run in a container."""
ONLY_OUTSIDE = "only outside containers: "
"""How the reason of a test begins that cannot run in one; it may be skipped there and have another verdict elsewhere."""


def only_outside(reason: str) -> None:
    """Skip the test in containers, for a reason that holds in any."""
    if os.environ.get(IN_CONTAINER):
        pytest.skip(ONLY_OUTSIDE + reason)


def require(found: T | None, missing: str) -> T:
    """What was found; else skip with the reason, or fail where engines are required."""
    if found is not None:
        return found
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(missing)
    pytest.skip(missing)
