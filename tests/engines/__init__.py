"""Real things that some tests need, and what to do where they are not there."""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
REQUIRED = "DOIT_FLEET_ENGINES"
"""Set to `required` where everything must be there: then nothing is skipped."""
IN_CONTAINER = "DOIT_FLEET_TESTS_IN_CONTAINER"
"""Set where the tests themselves run in a container; to `POD` where that is one of a cluster that lets nobody be root."""
POD = "pod"
ONLY_OUTSIDE = "only outside containers: "
"""How the reason of a test begins that cannot run in one; it may be skipped there and have another verdict elsewhere."""
ONLY_OUTSIDE_PODS = "only outside pods: "
"""The same of a test that runs in a container with rights, but not in a pod."""


def only_outside(reason: str) -> None:
    """Skip the test in containers, for a reason that holds in any."""
    if os.environ.get(IN_CONTAINER):
        pytest.skip(ONLY_OUTSIDE + reason)


def only_outside_pods(reason: str) -> None:
    """Skip the test in pods, for a reason that holds in any cluster whose Pod Security is `restricted`."""
    if os.environ.get(IN_CONTAINER) == POD:
        pytest.skip(ONLY_OUTSIDE_PODS + reason)


def require(found: T | None, missing: str) -> T:
    """What was found; else skip with the reason, or fail where engines are required."""
    if found is not None:
        return found
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(missing)
    pytest.skip(missing)
