"""Which queue may run which batch of a plan, and what batches need of their host: what a leader staffs and workers claim by.

It is worked out anew from the settings of each command, so that an unfinished run goes on with the queues there are now. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cached_property

from attrs import define, evolve, field

from pipeline.errors import UsageError
from pipeline.logic.placement.grounds import UNLIMITED, Amount, Grounds
from pipeline.logic.placement.offers import Place
from pipeline.logic.placement.planning import largest, terms_of
from pipeline.model.plans import Plan


@define(kw_only=True, slots=False)
class Seating:
    """One leader's."""

    queues: tuple[Place, ...]
    """By slot, the first of which is `first`."""
    places: tuple[frozenset[str], ...]
    """By batch, the names of the queues that may run it."""
    amounts: tuple[Amount, ...]
    """By batch, what one of its tests needs at most."""
    budgets: Mapping[str, Amount] = field(factory=dict)
    """By host; None: no limit."""
    layout: str = ""
    """Names which queue has what of all ranges; empty: there are none."""
    first: int = 0
    _barred: dict[str, Set[int]] = field(factory=dict, init=False)

    def behind(self, first: int) -> Seating:
        """The same with slots from `first` on."""
        return evolve(self, first=first)

    def queue(self, slot: int) -> str:
        """The name of the slot's queue; empty: it has none."""
        at = slot - self.first
        return str(self.queues[at]) if 0 <= at < len(self.queues) else ""

    def host(self, slot: int) -> str:
        """The name of the slot's host."""
        at = slot - self.first
        return self.queues[at].host if 0 <= at < len(self.queues) else ""

    def may_run(self, queue: str, batch: int) -> bool:
        """Whether a worker of that queue may take the batch."""
        return queue in self.places[batch]

    def barred(self, queue: str) -> Set[int]:
        """Batches that a worker of that queue may not take."""
        if queue not in self._barred:
            self._barred[queue] = frozenset(batch for batch, names in enumerate(self.places) if queue not in names)
        return self._barred[queue]

    def hosts_of(self, batch: int) -> Set[str]:
        """Those with a queue that may run the batch."""
        return frozenset(self._host_of[name] for name in self.places[batch] if name in self._host_of)

    def host_of(self, queue: str) -> str:
        """The name of a queue's host, also of a queue that there was before."""
        return self._host_of.get(queue) or queue.partition("/")[0]

    def has_budget(self, host: str) -> bool:
        """Whether any batch may have to wait for room on that host."""
        budget = self.budgets.get(host, UNLIMITED)
        return bool(self.by_amount) and budget != UNLIMITED

    @cached_property
    def _host_of(self) -> Mapping[str, str]:
        return {str(place): place.host for place in self.queues}

    @cached_property
    def by_amount(self) -> Mapping[Amount, Set[int]]:
        """Batches by what they need, but for those that need nothing."""
        found: dict[Amount, set[int]] = {}
        for batch, amount in enumerate(self.amounts):
            if not amount.is_nothing:
                found.setdefault(amount, set()).add(batch)
        return found

    @cached_property
    def has_budgets(self) -> bool:
        """Whether any batch may have to wait for room."""
        return any(map(self.has_budget, self.budgets))


def seating_of(plan: Plan, grounds: Grounds) -> Seating:
    """Where the batches of a plan may run now. Raises `UsageError` when those that were planned together may not any more."""
    terms = terms_of(plan.tests, grounds.demands(plan.tests), grounds)
    places, amounts = [], []
    for batch in plan.batches:
        common = set.intersection(*(set(terms[at][0]) for at in batch.tests))
        if not common:
            raise UsageError(
                f"the unfinished run has planned {_first_apart(plan, batch.tests, terms)!r} into one batch, and no queue may run "
                "both now",
                hint="go on with the queues and filters it was begun with, or begin anew: doit sweep --all",
            )
        places.append(frozenset(map(str, common)))
        amounts.append(largest([terms[at][1] for at in batch.tests]))
    return Seating(
        queues=tuple(seat.place for seat in grounds.own_seats),
        places=tuple(places),
        amounts=tuple(amounts),
        layout=grounds.layout,
        budgets={host.name: Amount(host.cpus, host.memory_bytes) for host in grounds.hosts},
    )


def _first_apart(
    plan: Plan, tests: Sequence[int], terms: Sequence[tuple[tuple[Place, ...], Amount]]
) -> tuple[str, str]:
    first = tests[0]
    other = next((at for at in tests if not {*terms[at][0]} & {*terms[first][0]}), tests[-1])
    return plan.tests[first].id, plan.tests[other].id
