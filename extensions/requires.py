"""What tests of a suite require of the place where they run: of all of them alike, and of each by the values of its row."""

from __future__ import annotations

from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.cores import cores
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension


class Keys(Extension):
    """Which value of a test's row says what, for suites of commands. A row without that value requires nothing by it.
    KVM-Autotest's are hostname, queue, used_cpus and used_mem."""

    host = setting(kinds.text, "")
    """The value that names a host."""

    queue = setting(kinds.text, "")
    """The value that names a queue."""

    labels = setting(kinds.text, "")
    """The value that holds labels, with blanks or commas between them."""

    cpus = setting(kinds.text, "")
    """The value that is a number of processors."""

    memory = setting(kinds.text, "")
    """The value that is a size."""

    memory_unit = setting(kinds.size, 1)
    """What a size without a unit counts: "1Mi" for used_mem."""

    exclusive = setting(kinds.text, "")
    """The value that names what one test at a time may hold."""

    affinity = setting(kinds.text, "")
    """The value that tests have in common that share a costly set-up."""


class Requires(Extension):
    """What every test of the suite requires. What its row says counts instead, or beside it for labels and exclusive things."""

    host = setting(kinds.text, "")
    """The host. This machine is `local`. Empty: any."""

    queue = setting(kinds.text, "")
    """The queue. Empty: any."""

    labels = setting(texts, ())
    """Labels that the host or the queue must have, all of them."""

    cpus = setting(kinds.Optional(cores), "off")
    """Processors that a test needs."""

    memory = setting(kinds.Optional(kinds.size), "off")
    """Memory that a test needs."""

    exclusive = setting(texts, ())
    """Things that only one test of the run may hold at a time."""

    affinity = setting(kinds.text, "")
    """A word for a costly set-up: the tests are kept together in one queue, one after the other."""

    keys = nested(Keys)
