"""Queues and who works in them: a queue is a place of its own, as an exclusive resource is, for it has a folder and ranges.

Its next worker starts only when its last one has ended for certain: with proof, or one lease after its tombstone was first seen,
by when its guard has ended whatever it ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.logic.objects import Birth
from pipeline.logic.placement.seating import Seating
from pipeline.protocol.view import RunView, exclusive_wait_seconds

if TYPE_CHECKING:
    from pipeline.protocol.leading import Leader

MACHINE = ("machine", "boot")
"""What the identity of a worker says of the machine its agent is on."""


def occupied(view: RunView, living: Sequence[str]) -> list[Birth]:
    """Of workers in queues those that live, and those of whom something may still live."""
    wait = exclusive_wait_seconds(view.lease_seconds)
    now = view.clock.monotonic()
    haunting = (
        name
        for name, tomb in view.tombs.items()
        if may_haunt(proof=tomb.proof, seconds=now - view.seen[name], wait_seconds=wait)
    )
    births = (view.births.get(name) for name in (*living, *haunting))
    return [birth for birth in births if birth is not None and birth.queue]


def may_haunt(*, proof: bool, seconds: float, wait_seconds: float) -> bool:
    """Whether what that worker ran may still live, so long after its tombstone was first seen."""
    return not proof and seconds < wait_seconds


def are_apart(layout: str, other: str) -> bool:
    """Whether ranges are divided otherwise: their queues may not be staffed at once. Where there are none, nothing is."""
    return bool(layout and other) and layout != other


def wanted_seats(leader: Leader, seating: Seating, free: Sequence[int]) -> list[int]:
    """Of the free slots those whose queue may run something that waits, each for a batch of its own.

    None whose queue is occupied, or a queue of its host by another leader's worker, where there are budgets: nobody here knows what
    that one uses. None at all while a queue is that had other shares of ranges than now.
    """
    others = _others_here(leader, seating)
    if any(are_apart(birth.layout, seating.layout) for birth in others):
        return []
    closed = {birth.queue for birth in others}
    foreign = {seating.host_of(birth.queue) for birth in others if birth.worker not in leader.crew.names}
    full = set(filter(seating.has_budget, foreign))
    gone = leader.view.taken | frozenset(leader.share.foreign)
    waiting = [batch.number for batch in leader.plan.batches if batch.number not in gone]
    found = []
    for slot in free:
        queue = seating.queue(slot)
        if queue in closed or seating.host(slot) in full:
            continue
        batch = next((number for number in waiting if seating.may_run(queue, number)), None)
        if batch is not None:
            waiting.remove(batch)
            found.append(slot)
    return found


def _others_here(leader: Leader, seating: Seating) -> list[Birth]:
    """Of workers in queues that are not of this leader's crew those that may be in these queues: agents that have joined one run each
    have the queues of their own machine, and most of these are called alike. Ranges may be one for all machines: then names count."""
    others = occupied(leader.view, [name for name in leader.living if not leader.crew.holds(name)])
    if leader.joining is None or seating.layout:
        return others
    own = leader.launcher.identity(leader.crew.all_slots[0]) if leader.crew.all_slots else {}
    return [birth for birth in others if all(birth.identity.get(name) == own.get(name) for name in MACHINE)]


def serves_anything(leader: Leader, seating: Seating, living: Sequence[str]) -> bool:
    """Whether anything that is left may run in the queue of anybody who lives, or of a slot in which a worker can be had."""
    queues = {seating.queue(slot) for slot in leader.crew.all_slots if slot not in leader.hopeless}
    queues |= {birth.queue for name in living if (birth := leader.view.births.get(name)) is not None}
    is_done = leader.view.progress.is_done
    mine = (batch for batch in leader.plan.batches if batch.number not in leader.share.foreign)
    left = (batch.number for batch in mine if not all(is_done(at) for at in batch.tests))
    return any(not seating.places[number].isdisjoint(queues) for number in left)
