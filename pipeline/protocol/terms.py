"""Who leads: terms taken by create, the newest leads. Only avoids double launches; correctness never rests on it."""

from __future__ import annotations

from pipeline.logic.objects import Term, to_bytes
from pipeline.model.plans import Plan
from pipeline.ports import Clock
from pipeline.protocol import keys
from pipeline.protocol.certain import CertainStore


async def take_term(store: CertainStore, run: str, plan: Plan, *, nonce: str, clock: Clock) -> int:
    """Take the next term; its number."""
    wall = clock.wall()
    term = await newest_term(store, run) + 1
    while True:
        value = Term(term=term, nonce=nonce, plan=plan.digest, wall=wall)
        if await store.create(keys.agent(run, term), to_bytes(value)):
            return term
        term += 1


async def newest_term(store: CertainStore, run: str) -> int:
    """The highest term taken, or 0."""
    return max((int(keys.last(entry.key)) for entry in await store.list(keys.agents(run))), default=0)
