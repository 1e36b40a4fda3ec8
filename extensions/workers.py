"""The workers: where they live, how many, and how many losses are borne.

Settings of single launchers are elsewhere.
"""

from __future__ import annotations

from typing import Any

from extensions.store import by_distance
from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.cores import cores
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider


def lease_for_store(workers: Extension) -> Provider[Any]:
    """20 with a store in a folder, 60 with one on a server, whose answers may take long"""
    return by_distance(workers.scope.fleet.store.url, near=20.0, far=60.0)


class Workers(Extension):
    """Defaults of every pool of workers."""

    launcher = setting(Choice("local", open_set="launchers"), "local")
    """Where workers live. The pools of one run must agree."""

    count = setting(kinds.count, "auto")
    """How many workers, and no more than there is work for. "auto": on this machine and in containers of its Docker daemon as
    many as it has cores, or queues; pools whose workers have containers of their own divide them. Where a suite requires
    something of its place, or `local` has a budget, as many as fit now (docs/placement.md). In a cluster as many pods as fit now
    beside what runs there, and more when room appears while tests run; docs/kubernetes.md says what is counted. On this
    machine pools share its workers: there are as many as the largest count, and no more than its own count of them run a
    pool's tests at once. 0, for all pools: no workers; tests run in the foreground, so that `--pdb` and `-s` work."""

    max_losses = setting(kinds.whole, 20)
    """How many workers may be lost in one agent's run before it stops as not trustworthy. A loss is never a test
    failure, but a machine that loses this many is broken. Of pools that differ, the largest counts, for all."""

    max_disruptions = setting(kinds.count, "auto")
    """How many workers may be taken away in one agent's run by what they live on (preempted, evicted, deleted, drained, lost
    with their node), or be given up although they live, before it stops: then it does not get on. They never count as
    lost. "auto": ten for each worker, at least 100. Of pools that differ, the largest counts, for all."""

    max_losses_per_test = setting(kinds.whole, 3)
    """How many workers may be lost for unknown reasons while running the same test; then its verdict is lost."""

    lease_seconds = setting(kinds.duration, lease_for_store)
    """Duration of silence after which a worker counts as dead. Longer bears worse stalls, shorter finds deaths sooner;
    a death with proof is found at once in any case. Of pools that differ, the longest counts, for all."""

    nice = setting(kinds.whole, 0)
    """How much processor priority the tests give up (0 to 19), to keep the machine usable."""

    cpus = setting(kinds.Optional(cores), "off")
    """How many processors' worth of time a worker may use, like 2 or 0.5, where it has a container of its own."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """How much memory a worker and its tests may use, like "2Gi", where it has a container of its own. Who needs more is
    killed; there is no swap."""
