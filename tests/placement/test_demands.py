"""What rows say of their demands."""

from __future__ import annotations

import pytest

from pipeline.errors import UsageError
from pipeline.logic.placement.demands import Keys, demand_of
from pipeline.logic.placement.offers import Demand, labels_of

AUTOTEST = Keys(host="hostname", queue="queue", cpus="used_cpus", memory="used_mem", memory_unit_bytes=2**20)


def test_rows_of_autotest() -> None:
    """Its own keys, memory in MiB."""
    values = {"hostname": "lab1", "queue": "2", "used_cpus": "2", "used_mem": "512", "mem": "1024"}

    assert demand_of("kvm::RHEL.boot", "RHEL.boot", values, AUTOTEST) == Demand(
        test="kvm::RHEL.boot", name=labels_of("RHEL.boot"), host="lab1", queue="2", cpus=2.0, memory_bytes=512 * 2**20
    )


def test_words_and_sizes_with_units() -> None:
    """Labels and exclusive things are words."""
    keys = Keys(labels="needs", memory="ram", exclusive="holds", affinity="vm")
    found = demand_of("t", "", {"needs": "kvm, gpu", "ram": "2Gi", "holds": "disk", "vm": "guest"}, keys)

    assert (found.labels, found.memory_bytes) == (frozenset({"kvm", "gpu"}), 2 * 2**30)
    assert (found.exclusive, found.affinity) == (frozenset({"disk"}), "guest")


@pytest.mark.parametrize(
    ("key", "value"), [("used_cpus", "many"), ("used_cpus", "nan"), ("used_mem", "-1"), ("used_mem", "lots")]
)
def test_nonsense_names_the_test_and_the_key(key: str, value: str) -> None:
    """A usage error."""
    with pytest.raises(UsageError, match=rf"test 't': '{key} = {value}' is no"):
        demand_of("t", "", {key: value}, AUTOTEST)
