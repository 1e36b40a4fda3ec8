"""Pools: workers of one kind, each overriding what differs from `workers`."""

from __future__ import annotations

from collections.abc import Mapping

from extensions.pods import PoolPods
from extensions.workers import Workers
from pipeline.errors import UsageError
from pipeline.settings.container import Container
from pipeline.settings.declaration import nested
from pipeline.settings.extension import Extension


class Pool(Workers):
    """Workers of one kind. Whatever a pool says, in any layer, stands above what `workers` says in any layer."""

    kubernetes = nested(PoolPods)

    def parent(self) -> Extension:
        """Return the defaults of all pools."""
        workers: Extension = self.scope.fleet.workers
        return workers


class Pools(Container[Pool]):
    """The pools by name. `default` is always there; a pool that no suite uses is an error."""

    element = Pool

    def implied(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Return `default` and the named ones."""
        return tuple(dict.fromkeys(("default", *named)))


def check_counts(counts: Mapping[str, int | str]) -> None:
    """Raise `UsageError` when some pools, but not all, are said to have no workers."""
    empty = [name for name, count in counts.items() if not count]
    if empty and len(empty) < len(counts):
        raise UsageError(
            f"pool {empty[0]!r} has no workers, but others have", hint="0 is for all pools at once: workers.count=0"
        )
