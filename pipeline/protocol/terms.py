"""Who leads: terms taken by create, the newest leads. Only avoids double launches; correctness never rests on it.

Agents that have joined one run lead beside each other, each its own slots: a term says how many it takes.
"""

from __future__ import annotations

from pipeline.logic.objects import Term, from_bytes, to_bytes
from pipeline.model.plans import Plan
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore


async def take_term(
    store: CertainStore, run: str, plan: Plan, *, nonce: str, clock: Clock, slots: int = 0, place: str = ""
) -> int:
    """Take the next term, and as many slots for its own; its number."""
    wall = clock.wall()
    term = await newest_term(store, run) + 1
    while True:
        value = Term(term=term, nonce=nonce, plan=plan.digest, wall=wall, slots=slots, place=place)
        if await store.create(keys.agent(run, term), to_bytes(value)):
            return term
        term += 1


async def first_slot(store: CertainStore, run: str, term: int) -> int:
    """The first slot of a term with slots of its own: behind those of all lower terms, which stand when it is taken."""
    return sum(each.slots for each in await read_terms(store, run) if each.term < term)


async def read_terms(store: CertainStore, run: str) -> list[Term]:
    """All terms, in order. Raises `StoreDamaged`."""
    found = [await store.read(entry.key) for entry in await store.list(keys.agents(run))]
    return [from_bytes(Term, data) for data in found if data is not None]


async def newest_term(store: CertainStore, run: str) -> int:
    """The highest term taken, or 0."""
    return max((int(keys.last(entry.key)) for entry in await store.list(keys.agents(run))), default=0)
