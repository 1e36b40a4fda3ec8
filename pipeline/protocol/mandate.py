"""What a leader is told when its term begins: which run, with whom, within which limits. A value; it decides nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from attrs import frozen

from pipeline.logic.placement.seating import Seating
from pipeline.model.plans import Plan
from pipeline.model.pools import Pool
from pipeline.ports import Clock, Emit, Launcher, Store
from pipeline.protocol.growing import Room
from pipeline.protocol.limits import Limits
from pipeline.protocol.orders import Stop


def new_nonce() -> str:
    """A word nobody else has."""
    return secrets.token_hex(8)


@frozen(kw_only=True)
class Joining:
    """An agent that works beside others in one run, with workers of its own."""

    place: str
    """Where it is, for people."""
    root: str
    """The project's folder there."""
    may_leave: bool
    """Whether it ends when it has nothing to do and others are heard to work."""
    parting: Callable[[str], Coroutine[Any, Any, None]]
    """Sends home what that worker of ours has left."""
    share: Sequence[int] = ()
    """Buckets of the plan that its slots work on, one each, and on nothing else; none: on whatever waits."""


@frozen(kw_only=True)
class Mandate:
    """One agent's, for one run."""

    run: str
    plan: Plan
    store: Store
    launcher: Launcher
    clock: Clock
    emit: Emit
    limits: Limits
    workers: int
    """How many there may be, in slots from 0."""
    pools: Sequence[Pool] = ()
    """They share out the slots; none: all workers run all suites."""
    spare: Sequence[Pool] = ()
    """Of pools that may grow: slots behind all others that may be used when there is room."""
    room: Room | None = None
    """Who says how much room there is; None: pools do not grow."""
    seating: Seating | None = None
    """Given where slots are queues that may not all run everything."""
    joining: Joining | None = None
    """Given where others work beside it; then slots, here from 0, are counted on behind theirs."""
    stop: Stop
    sources_unchanged: Callable[[], bool] = lambda: True
    errors: tuple[str, ...] = ()
    """They make the result untrustworthy whatever the verdicts are."""
    nonces: Callable[[], str] = new_nonce
    store_name: str = ""
    """For people."""
    expected_seconds: float = 0.0
