"""What the tests of one worker need outside its pod, where its pool runs several suites that need different things. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.logic.pod_requests import Amounts


def demand(suites: Sequence[Amounts], *, is_average: bool) -> Amounts:
    """Of each resource what the suite needs that needs most, or the mean over all suites, rounded up."""
    names = {name: None for suite in suites for name in suite}
    if is_average:
        return {name: -(-sum(suite.get(name, 0) for suite in suites) // len(suites)) for name in names}
    return {name: max(suite.get(name, 0) for suite in suites) for name in names}
