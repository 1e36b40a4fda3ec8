"""What `workers.count = "auto"` counts with in a cluster, beside nodes and quotas: what is kept free, what tests make there."""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.cores import cores
from pipeline.settings.declaration import setting
from pipeline.settings.extension import Extension


class Reserve(Extension):
    """What is left alone on every node when `workers.count` is "auto", for pods of others that are to come."""

    cpus = setting(kinds.Optional(cores), "off")
    """Processors."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """Memory."""

    pods = setting(kinds.whole, 0)
    """Pods."""


class Objects(Extension):
    """What the tests of one worker need in the cluster outside its pod, by objects that they make there. Counted when
    `workers.count` is "auto"."""

    cpus = setting(kinds.Optional(cores), "off")
    """Processors that those objects request."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """Memory that they request."""
