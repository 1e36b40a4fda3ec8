"""Jobs that share one run have queues of the same names, each on its own machine: they staff them side by side."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.logic.objects import Birth
from pipeline.logic.placement.grounds import Amount
from pipeline.logic.placement.offers import Place
from pipeline.logic.placement.seating import Seating
from pipeline.protocol.seated import wanted_seats
from tests.logic.suites import planned, uniform

QUEUES = (Place("local", "1"), Place("local", "2"))


def wanted(*, boot: str, joined: bool, layout: str = "") -> list[int]:
    """Of the second job's slots 2 and 3 those to be staffed, while the first one's worker lives in `local/1`."""
    plan = planned(uniform(4, 1.0), 4)
    seating = Seating(
        queues=QUEUES,
        places=(frozenset(map(str, QUEUES)),) * len(plan.batches),
        amounts=(Amount(1.0),) * len(plan.batches),
        layout=layout,
    )
    first = Birth(
        worker="w0-1",
        nonce="n",
        plan=plan.digest,
        term=1,
        slot=0,
        bucket=0,
        identity={"machine": "made from one image", "boot": boot},
        queue="local/1",
        layout=seating.layout,
    )
    leader: Any = SimpleNamespace(
        joining=object() if joined else None,
        launcher=SimpleNamespace(identity=lambda _: {"machine": "made from one image", "boot": "mine"}),
        crew=SimpleNamespace(holds=lambda _: False, names=set(), all_slots=(2, 3)),
        living=["w0-1"],
        view=SimpleNamespace(
            births={"w0-1": first},
            tombs={},
            taken=frozenset(),
            lease_seconds=1.0,
            clock=SimpleNamespace(monotonic=float),
        ),
        share=SimpleNamespace(foreign=()),
        plan=plan,
    )
    return wanted_seats(leader, seating.behind(2), [2, 3])


@pytest.mark.parametrize(
    ("boot", "joined", "slots"), [("another", True, [2, 3]), ("mine", True, [3]), ("another", False, [3])]
)
def test_only_what_is_here_is_occupied(boot: str, joined: bool, slots: list[int]) -> None:
    """Jobs on one machine, and agents that go on with each other's run, keep out of each other's queues."""
    assert wanted(boot=boot, joined=joined) == slots


def test_a_share_of_ranges_is_one_jobs_at_a_time() -> None:
    """Addresses are of all machines, and two jobs have the same settings."""
    assert wanted(boot="another", joined=True, layout="shares") == [3]
