"""What a machine says of itself as a place for tests: queues, ranges, budgets, filters. The same for this machine and for hosts."""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.choice import Choice
from pipeline.settings.collected import texts, variables
from pipeline.settings.container import Container
from pipeline.settings.cores import cores
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension


class Selecting(Extension):
    """Which tests run there, by their names."""

    only = setting(kinds.text, "")
    """A filter as matrices have it: only tests that meet it run there. Empty: all."""

    no = setting(kinds.text, "")
    """A filter: tests that meet it never run there."""

    claims = setting(kinds.boolean, False)
    """Whether what `only` selects may run nowhere else: it is pinned."""


class QueueSettings(Selecting):
    """One queue: a worker that runs its tests one after the other, with a folder and variables of its own."""

    labels = setting(texts, ())
    """What the queue has beyond its machine, for tests that require it."""

    env = setting(variables, {})
    """Environment variables of its tests, above those of its machine and of the suite."""


class Queues(Container[QueueSettings]):
    """The queues by name. There is a worker for each. None: as many as there are slots, called 1, 2, …"""

    element = QueueSettings


class RangeSettings(Extension):
    """Things of which a test that runs there has some for itself. They are divided over the queues."""

    kind = setting(Choice("mac", "ip", "port", "device", "free"), "free")
    """What they are. `mac`, `ip` and `free` are one world over all machines; each machine has ports and devices of its own."""

    of = setting(texts, ())
    """The things: "52:54:00:00:00:10+16", "10.0.0.10-10.0.0.50", "5900-5999", "sd[b-e]", "licence-[01-16]". Needed."""

    each = setting(kinds.whole, 0)
    """So many for each queue. 0: all of them, as equal as can be."""


class Ranges(Container[RangeSettings]):
    """The ranges by name. Tests get `<NAME>`, `<NAME>_FIRST`, `<NAME>_LAST`, `<NAME>_COUNT` and the file `$DOIT_FLEET_RANGES`."""

    element = RangeSettings


class Reserve(Extension):
    """What is left alone on the machine when slots are "auto"."""

    cpus = setting(kinds.Optional(cores), "off")
    """Processors."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """Memory."""


class Budgets(Extension):
    """How much its tests may need at once, by what they require; nobody measures what they take."""

    cpus = setting(kinds.Optional(cores), "off")
    """Processors for all tests that run there at once. Off: no limit."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """Memory for all tests that run there at once. Off: no limit."""

    demand = setting(Choice("peak", "average"), "peak")
    """What a slot is counted with when slots are "auto": with what the test requires that requires most, or the mean of all."""

    reserve = nested(Reserve)


class Placed(Selecting, Budgets):
    """Everything that one machine can say."""

    labels = setting(texts, ())
    """What the machine has, for tests that require it."""

    queues = nested(Queues)
    ranges = nested(Ranges)
