"""Who was lost, and who was taken away: two budgets. A cluster that takes its machines back is no broken one.

Lost is who ended as a worker should not. Taken away (a *disruption*) is whose place its engine has ended for reasons of
its own, and who was given up although it lived. Both are counted in one agent's term. It must not know engines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from attrs import define, field

from pipeline.logic.objects import DISRUPTIONS, TAKEN, Tomb
from pipeline.ports.places import PlaceEnd
from pipeline.protocol.limits import Limits
from pipeline.protocol.view import HARMLESS, RunView

OWN_DOING: Final = frozenset({"over-limit", "deadline", "out-of-memory"})
"""Causes of a place's end that are its worker's own doing, even when it ended in order."""


@define(eq=False)
class Budgets:
    """Counts for one leader."""

    view: RunView
    ends: dict[str, PlaceEnd] = field(factory=dict)
    """How places of workers elsewhere ended, by worker; not those that this leader has ended itself."""
    unborn: int = 0
    """Workers elsewhere that ended before they were born, and not because they were taken away."""
    before: Mapping[str, str] = field(factory=dict)
    """Who was taken away before this leader came, and why, where no tombstone says so."""

    def taken(self, worker: str) -> str:
        """Why that worker was taken away, or nothing."""
        end, tomb = self.ends.get(worker), self.view.tombs.get(worker)
        if end is not None and is_disruption(end.disruption):
            return end.disruption
        return tomb.cause if tomb is not None and is_disruption(tomb.cause) else ""

    def disruptions(self, term: int) -> Counter[str]:
        """Workers of that term that were taken away, by cause."""
        names = [*self.ends, *(tomb.worker for tomb in self.view.tombs_of(term))]
        return Counter(filter(None, map(self.taken, dict.fromkeys(names))))

    def losses(self, term: int) -> Counter[str]:
        """Workers of that term that ended as they should not, by cause, taken away none of them."""
        found = Counter(self._cause(tomb) for tomb in self.view.tombs_of(term) if not self.taken(tomb.worker))
        found["never born"] += self.unborn
        return +Counter({cause: count for cause, count in found.items() if cause not in HARMLESS})

    def preemptions(self) -> int:
        """Workers of the whole run that machines were taken from."""
        told = {name: self.taken(name) for name in (*self.view.tombs, *self.ends)}
        return sum(cause in TAKEN for cause in {**self.before, **{n: c for n, c in told.items() if c}}.values())

    def spent(self, term: int, limits: Limits) -> str:
        """Which budget is spent, and by what; empty: none."""
        losses, disruptions = self.losses(term), self.disruptions(term)
        if is_budget_spent(losses.total(), limits):
            return f"{_listed(losses, 'lost')}, max_losses is {limits.max_losses}"
        if is_patience_spent(disruptions.total(), limits):
            return f"{_listed(disruptions, 'taken away')}, max_disruptions is {limits.max_disruptions}"
        return ""

    def _cause(self, tomb: Tomb) -> str:
        """Who used more than it may, or lived longer, was stopped, but is to blame."""
        end = self.ends.get(tomb.worker)
        return end.cause if end is not None and tomb.cause == "stopped" and end.cause in OWN_DOING else tomb.cause


def is_disruption(cause: str) -> bool:
    """Whether that cause spends the budget of disruptions, never that of losses."""
    return cause in DISRUPTIONS


def is_budget_spent(losses: int, limits: Limits) -> bool:
    """Whether so many workers have been lost in this term that the run is left open."""
    return losses > limits.max_losses


def is_patience_spent(disruptions: int, limits: Limits) -> bool:
    """Whether so many workers have been taken away in this term that the run does not get on."""
    return disruptions > limits.max_disruptions


def _listed(causes: Counter[str], what: str) -> str:
    total = causes.total()
    listed = ", ".join(f"{count} {cause}" for cause, count in causes.most_common())
    return f"{total} {'worker was' if total == 1 else 'workers were'} {what} ({listed})"


def names(found: Iterable[str], most: int = 5) -> str:
    """Workers for people: the first few, and how many there are."""
    known = list(found)
    return ", ".join(known[:most]) + (f" and {len(known) - most} more" if len(known) > most else "")
