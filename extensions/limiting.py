"""Spans and budgets of the protocol, from the settings of suites, pools and the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.model.suites import Suite
    from pipeline.protocol.limits import Limits

FINISH_SECONDS, STOP_SECONDS = 30.0, 3.0
"""For tearing down, in order and after a signal, where no suite says how long that may take."""


def limits_of(fleet: Fleet, suites: Sequence[Suite], most: Callable[[str], float], max_disruptions: int) -> Limits:
    """`most` is the largest that a pool in use says of a setting."""
    from pipeline.protocol.limits import Limits

    flush = float(fleet.store.flush_seconds.get())
    tearing = max((suite.command.stop_seconds for suite in suites if suite.command), default=0.0)
    slow = [suite.slow_after_seconds for suite in suites if suite.slow_after_seconds]
    return Limits(
        lease_seconds=most("lease_seconds"),
        max_losses=int(most("max_losses")),
        max_disruptions=max_disruptions,
        max_losses_per_test=int(most("max_losses_per_test")),
        test_timeout_seconds={
            suite.name: suite.timeout_seconds
            for suite in suites
            if suite.timeout_seconds and suite.command is None  # Harnesses of commands end these themselves.
        },
        retries={suite.name: suite.retries for suite in suites},
        slow_after_seconds=min(slow, default=float("inf")),
        run_timeout_seconds=fleet.run.timeout_seconds.get(),
        flush_seconds=flush,
        idle_seconds=2 * flush,
        hear_seconds=max(0.4, 1.5 * flush),
        finish_seconds=max(FINISH_SECONDS, tearing),
        stop_seconds=max(STOP_SECONDS, tearing + STOP_SECONDS if tearing else 0.0),
    )
