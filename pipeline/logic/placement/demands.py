"""What rows of a matrix say of their demands: which of their keys mean host, queue, labels, cpus, memory and so on. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.logic.placement.offers import Demand, labels_of
from pipeline.model.quantities import SIZE_FORM, parse_size


@frozen(kw_only=True)
class Keys:
    """Which key of a row means what; empty: none does. KVM-Autotest's are hostname, queue, used_cpus and used_mem."""

    host: str = ""
    queue: str = ""
    labels: str = ""
    """Words with blanks or commas between them, as `exclusive`."""
    cpus: str = ""
    memory: str = ""
    memory_unit_bytes: int = 1
    """What a number without a unit counts: 2**20 for used_mem."""
    exclusive: str = ""
    affinity: str = ""


def demand_of(test: str, name: str, values: Mapping[str, str], keys: Keys) -> Demand:
    """The demand of a row with that name. Raises `UsageError` that names the test and the key."""
    return Demand(
        test=test,
        name=labels_of(name),
        host=values.get(keys.host, ""),
        queue=values.get(keys.queue, ""),
        labels=_words(values.get(keys.labels, "")),
        cpus=_cpus(test, keys.cpus, values.get(keys.cpus, "")),
        memory_bytes=_memory(test, keys, values.get(keys.memory, "")),
        exclusive=_words(values.get(keys.exclusive, "")),
        affinity=values.get(keys.affinity, ""),
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())


def _cpus(test: str, key: str, said: str) -> float:
    if not said:
        return 0.0
    try:
        cpus = float(said)
    except ValueError:
        cpus = -1.0
    if not math.isfinite(cpus) or cpus < 0:
        raise UsageError(
            f"test {test!r}: '{key} = {said}' is no number of cpus", hint="write a number such as 2 or 0.5"
        )
    return cpus


def _memory(test: str, keys: Keys, said: str) -> int:
    if not said:
        return 0
    try:
        return int(said) * keys.memory_unit_bytes if said.isdecimal() else parse_size(said)
    except ValueError:
        raise UsageError(f"test {test!r}: '{keys.memory} = {said}' is no size", hint=f"write {SIZE_FORM}") from None
