"""How many tests a machine has room for at once: what is free there, less a reserve, by what tests say that they need. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import frozen

from pipeline.logic.placement.grounds import NOTHING, UNLIMITED, Amount
from pipeline.logic.placement.planning import largest
from pipeline.model.quantities import format_size

USUAL_CPUS = 1.0
"""Of a test that does not say how many processors it needs."""


@frozen(kw_only=True)
class Vacancy:
    """What a machine says of itself."""

    cores: float
    load: float
    """Processes that want to run, the mean of a minute."""
    memory_bytes: int | None
    """What programs could have now without swapping; None: not known."""


@frozen(kw_only=True)
class Terms:
    """How slots are counted."""

    demands: Sequence[Amount] = ()
    """Of every test that may run."""
    is_average: bool = False
    reserve: Amount = NOTHING
    budget: Amount = UNLIMITED


@frozen
class Fit:
    """The answer, and why for people."""

    count: int
    why: str


def slots_that_fit(seen: Vacancy, terms: Terms) -> Fit:
    """At least one: whether a test is too large for the machine is for the proof to say."""
    need = demand_of_a_slot(terms.demands, is_average=terms.is_average)
    cpus = _least(seen.cores - seen.load - (terms.reserve.cpus or 0.0), terms.budget.cpus)
    assert need.cpus is not None
    count = math.floor(max(0.0, cpus) / need.cpus + 1e-9)
    why = f"{max(0.0, cpus):.1f} of {seen.cores:g} processors free at {need.cpus:g} each"
    if need.memory_bytes and seen.memory_bytes is not None:
        free = int(_least(seen.memory_bytes - (terms.reserve.memory_bytes or 0), terms.budget.memory_bytes))
        count = min(count, max(0, free) // need.memory_bytes)
        why += f", {format_size(max(0, free))} of memory free at {format_size(need.memory_bytes)} each"
    return Fit(max(1, count), why)


def demand_of_a_slot(demands: Sequence[Amount], *, is_average: bool) -> Amount:
    """What one test needs, of each resource by itself: the most, or the mean."""
    said = [Amount(each.cpus or USUAL_CPUS, each.memory_bytes or 0) for each in demands] or [Amount(USUAL_CPUS, 0)]
    if not is_average:
        return largest(said)
    memory = sum(each.memory_bytes or 0 for each in said)
    return Amount(sum(each.cpus or 0.0 for each in said) / len(said), -(-memory // len(said)))


def _least(free: float, budget: float | None) -> float:
    return free if budget is None else min(free, budget)
