"""The store: where all parties of a run meet, and how long its runs are kept."""

from __future__ import annotations

from typing import Any

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.location import location
from pipeline.settings.providers import Provider


def folder_of_store(store: Extension) -> Provider[Any]:
    """`store` in the project's state_dir."""
    folder: Provider[Any] = store.scope.fleet.project.state_dir.map(lambda state: state / "store")
    return folder


def by_distance(url: Provider[Any], *, near: float, far: float) -> Provider[float]:
    """A span for a store that is a folder, and another one for a store on a server."""
    span: Provider[float] = url.map(lambda place: far if "://" in place else near)
    return span


def flush_for_store(store: Extension) -> Provider[float]:
    """0.25 in a folder, 1 on a server, where every flush is a request"""
    return by_distance(store.scope.fleet.store.url, near=0.25, far=1.0)


class Store(Extension):
    """The medium that holds plans, claims, journals and results."""

    url = setting(location, folder_of_store)
    """A folder, or an address whose scheme says which store it is."""

    credentials = setting(Choice("agent", "worker"), "agent")
    """How workers elsewhere get into a store in S3. "agent": with what AWS's chain gives the agent (variables, a profile
    with its role, SSO or process, the machine's role), handed on as the tests' secrets are; workers are replaced before
    credentials expire that the agent renews. "worker": with what is found where they live (workload identity, a
    container's or node's role); nothing secret is handed on."""

    flush_seconds = setting(kinds.duration, flush_for_store)
    """Duration of work whose results may be lost with the agent or a worker, and are then done again."""

    keep_runs = setting(kinds.whole, 20)
    """How many closed runs are kept at least."""

    keep_days = setting(kinds.whole, 14)
    """Age in days from which closed runs beyond `keep_runs` are removed."""
