"""What may happen to one operation of the in-memory store: the vocabulary in which a simulation makes trouble.

It knows nothing of stores' contents; `memory_store` carries a fate out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen


@frozen(kw_only=True)
class Operation:
    """One call of a store or journal, before anything happens."""

    party: str
    """Who calls; `MemoryStore.view(party)` sets it."""
    kind: str
    """create, replace, read, list, delete, journal-flush, journal-seal, journal-read."""
    key: str
    """The key or prefix."""


@frozen(kw_only=True)
class Fate:
    """What happens to one operation. The default: it takes effect at once and is answered at once."""

    before_seconds: float = 0.0
    """Span from the call to its effect."""
    after_seconds: float = 0.0
    """Span from the effect to the answer."""
    refused: bool = False
    """No effect at all; `StoreUnavailable`."""
    answer_lost: bool = False
    """It took effect, yet the caller gets `StoreUnavailable`."""
    late_seconds: float | None = None
    """The caller gets `StoreUnavailable` now; the effect comes that much later."""
    torn: int | None = None
    """A flush writes only that many of its records, then `StoreUnavailable`."""


Decide = Callable[[Operation], Fate]
"""Chooses the fate of an operation; called once per operation, in order, so one seed decides all."""

Wait = Callable[[float], Awaitable[None]]
"""Lets (virtual) time pass."""

Later = Callable[[float, Callable[[], object]], object]
"""Runs a function after that span of (virtual) time, whatever its caller does: `loop.call_later` fits."""


def no_trouble(operation: Operation) -> Fate:
    """The fate of every operation in a store without faults."""
    return Fate()
