"""What tests demand, and what hosts and their queues offer. Values only."""

from __future__ import annotations

import re
from typing import Final

from attrs import field, frozen

from pipeline.logic.matrix.filters import Filter, Label

_LABEL: Final = re.compile(r"\(([\w-]+)=([^()]*)\)|([^.()]+)")
_WORD: Final = re.compile(r"[\w-]+")


@frozen(kw_only=True)
class Demand:
    """What one test needs of its place."""

    test: str
    """Its id."""
    name: tuple[Label, ...] = ()
    """The variants that filters of places look at."""
    host: str = ""
    """Empty: any."""
    queue: str = ""
    labels: frozenset[str] = frozenset()
    """All of them must be the host's or the queue's."""
    cpus: float = 0.0
    memory_bytes: int = 0
    exclusive: frozenset[str] = frozenset()
    """Things that one test at a time may hold: all tests that name one go to the same place, one after another."""
    affinity: str = ""
    """Tests with the same word share a costly set-up, and so a place."""


@frozen
class Selecting:
    """Filters on the names of tests, of a host or of a queue."""

    only: Filter | None = None
    no: Filter | None = None
    is_exclusive: bool = False
    """Whether what `only` selects may run nowhere else."""


@frozen(kw_only=True)
class Queue:
    """A serial pipeline of a host."""

    name: str
    labels: frozenset[str] = frozenset()
    selecting: Selecting = Selecting()


@frozen(kw_only=True)
class Host:
    """A machine with its budgets; None: not known, so nothing exceeds it."""

    name: str
    queues: tuple[Queue, ...]
    labels: frozenset[str] = frozenset()
    cpus: float | None = None
    memory_bytes: int | None = None
    selecting: Selecting = Selecting()


@frozen(order=True)
class Place:
    """One queue of one host."""

    host: str
    queue: str

    def __str__(self) -> str:
        return f"{self.host}/{self.queue}"


@frozen
class Offer:
    """A place with all that it offers."""

    place: Place
    labels: frozenset[str]
    cpus: float | None
    memory_bytes: int | None
    selectings: tuple[Selecting, ...] = field(repr=False)
    """The host's, then its own."""


def offers_of(hosts: tuple[Host, ...]) -> tuple[Offer, ...]:
    """Every queue of every host, in order."""
    return tuple(
        Offer(
            Place(host.name, queue.name),
            host.labels | queue.labels,
            host.cpus,
            host.memory_bytes,
            (host.selecting, queue.selecting),
        )
        for host in hosts
        for queue in host.queues
    )


def labels_of(name: str) -> tuple[Label, ...]:
    """The variants in the name of a row: `boot.(os=linux)` has two. Of other names the words, which is all that filters can say:
    `tests/test_a.py::test_b[1]` has five."""
    return tuple(label for found in _LABEL.finditer(name) for label in _labels(found))


def _labels(found: re.Match[str]) -> tuple[Label, ...]:
    if found[1]:
        return (Label(found[2], found[1]),)
    return tuple(Label(word) for word in _WORD.findall(found[3]))
