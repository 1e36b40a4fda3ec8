"""Makes from settings what outlives a run: the store, and the history of durations in it or beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from extensions import plugins

if TYPE_CHECKING:
    from extensions.agent import LocalAgent
    from extensions.fleet import Fleet
    from pipeline.ports import History, Store


def open_store(fleet: Fleet, share: Callable[[Store], None], state: Path) -> Store:
    """The store; one of files is given to `share`, one on a server is tried out before its first write."""
    url = str(fleet.store.url.get())
    scheme = url.partition("://")[0] if "://" in url else "file"
    store: Store = plugins.load("stores", scheme)(url)
    if scheme == "file":
        share(store)
        return store
    from pipeline.adapters.proven_store import ProvenStore

    return ProvenStore(store, url, state / "proven-stores")


def history_of(agent: LocalAgent, tell: Callable[[str], None]) -> History:
    """Durations, where the settings say; what this machine has learned before is used in any case."""
    from pipeline.adapters.history import SqliteHistory

    settings = agent.fleet.history
    local = SqliteHistory(agent.state / "history.db", keep_runs=settings.keep_runs.get())
    if settings.place.get() == "local":
        return local
    from pipeline.protocol.remembering import StoreHistory

    return StoreHistory(
        agent.store(),
        agent.clock(),
        wait=agent.wait,
        tell=tell,
        level=agent.fleet.cache.trust.get(),
        keep_runs=settings.keep_runs.get(),
        older=local,
    )
