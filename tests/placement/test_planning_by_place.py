"""Batches and buckets of tests that may not run everywhere, for any tests and queues."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.placement.grounds import Amount, Grounds, Seat
from pipeline.logic.placement.offers import Demand, Host, Place, Queue
from pipeline.logic.placement.planning import batches_of_places, buckets_of_places, terms_of
from pipeline.logic.placement.proving import PlacementError
from pipeline.logic.placement.seating import seating_of
from pipeline.logic.placement.telling import queues_told
from pipeline.logic.placement.tying import tied
from pipeline.logic.planning import freeze
from pipeline.logic.resource_ranges.dividing import divide
from pipeline.logic.resource_ranges.kinds import Kind
from pipeline.logic.resource_ranges.ranges import parse_range
from pipeline.model.tests import Test

LABELS = ("a", "b", "c")
HOSTS = (
    Host(
        name="h1", queues=(Queue(name="q1", labels=frozenset("a")), Queue(name="q2", labels=frozenset("b"))), cpus=4.0
    ),
    Host(name="h2", queues=(Queue(name="q1", labels=frozenset("ab")),), cpus=8.0, labels=frozenset("c")),
)


def grounds(demands: Sequence[Demand], hosts: Sequence[Host] = HOSTS) -> Grounds:
    """What tests are placed by, each with the demand that has its id."""
    known = {demand.test: demand for demand in demands}
    seats = tuple(Seat(place=Place(host.name, queue.name)) for host in hosts for queue in host.queues)
    return Grounds(hosts=tuple(hosts), seats=seats, demands=lambda tests: [known[test.id] for test in tests])


def made(demands: Sequence[Demand], seconds: Sequence[float]) -> list[Test]:
    """A test for each demand, in two suites."""
    return [
        Test(id=demand.test, suite=f"s{at % 2}", native=demand.test, file=f"f{at % 3}", seconds=length)
        for at, (demand, length) in enumerate(zip(demands, seconds, strict=True))
    ]


DEMANDS = st.builds(
    Demand,
    test=st.just(""),
    labels=st.frozensets(st.sampled_from(LABELS), max_size=1),
    cpus=st.sampled_from((0.0, 0.0, 1.0, 2.0, 6.0)),
    affinity=st.sampled_from(("", "", "", "x", "y")),
)


@given(st.lists(st.tuples(DEMANDS, st.floats(0, 5)), min_size=1, max_size=40))
def test_every_batch_may_run_where_it_begins(drawn: list[tuple[Demand, float]]) -> None:
    """All its tests may; they need the same; together batches and buckets have every test once; affinity is one batch."""
    demands = [evolve(demand, test=f"t{at}") for at, (demand, _) in enumerate(drawn)]
    given_ = grounds(demands)
    tests = tied(made(demands, [seconds for _, seconds in drawn]), demands)
    try:
        terms = terms_of(tests, demands, given_)
    except PlacementError:
        assume(False)
    batches = batches_of_places(tests, terms)
    buckets = buckets_of_places(tests, batches, terms, [seat.place for seat in given_.seats])
    plan = freeze(tests, batches, buckets)
    seating = seating_of(plan, given_)

    assert sorted(at for batch in plan.batches for at in batch.tests) == list(range(len(tests)))
    assert sorted(number for bucket in plan.buckets for number in bucket) == list(range(len(batches)))
    for slot, bucket in enumerate(plan.buckets):
        assert all(seating.may_run(seating.queue(slot), number) for number in bucket)
    for batch in plan.batches:
        assert len({terms[at] for at in batch.tests}) == 1
        most = max(demands[at].cpus for at in batch.tests)
        assert (seating.amounts[batch.number].cpus or 0) >= most
        for at in batch.tests:
            assert demands[at].labels <= frozenset("abc")
    for suite in ("s0", "s1"):
        for word in ("x", "y"):
            own = [at for at, test in enumerate(tests) if test.suite == suite and demands[at].affinity == word]
            assert len({batch.number for batch in batches if {*own} & {*batch.tests}}) <= 1
    told = queues_told(plan, given_)
    assert sum(row["tests"] for row in told) == len(tests)


def test_exclusive_things_are_joined_whoever_names_them() -> None:
    """A test that holds two things, and a framework's own resource."""
    demands = [
        Demand(test="t0", exclusive=frozenset({"disk"})),
        Demand(test="t1", exclusive=frozenset({"disk", "bus"})),
        Demand(test="t2"),
        Demand(test="t3", exclusive=frozenset({"alone"})),
    ]
    tests = [Test(id=f"t{at}", suite="s", native=f"t{at}", exclusive="bus" if at == 2 else "") for at in range(4)]

    assert [test.exclusive for test in tied(tests, demands)] == ["bus,disk", "bus,disk", "bus,disk", "alone"]


def test_units_and_affinities_are_joined() -> None:
    """Tests that depend on each other, of which one shares a set-up with a third."""
    demands = [Demand(test="t0"), Demand(test="t1", affinity="vm"), Demand(test="t2", affinity="vm"), Demand(test="t3")]
    tests = [Test(id=f"t{at}", suite="s", native=f"t{at}", unit="needs t0" if at < 2 else "") for at in range(4)]

    units = [test.unit for test in tied(tests, demands)]
    assert units == ["affinity vm and needs t0"] * 3 + [""]


def test_without_such_demands_tests_stay_as_they_are() -> None:
    """The same objects, so nothing is made anew for a million tests."""
    tests = [Test(id="t", suite="s", native="t", unit="class")]
    assert tied(tests, [Demand(test="t", cpus=2.0)]) is tests


def test_what_was_planned_together_and_may_not_be_any_more_is_named() -> None:
    """Filters have changed since the run was begun."""
    demands = [Demand(test="t0"), Demand(test="t1")]
    tests = made(demands, [0.001, 0.001])
    tests = [evolve(test, suite="s", file="f") for test in tests]
    terms = terms_of(tests, demands, grounds(demands))
    batches = batches_of_places(tests, terms)
    plan = freeze(
        tests,
        batches,
        buckets_of_places(tests, batches, terms, [Place("h1", "q1"), Place("h1", "q2"), Place("h2", "q1")]),
    )
    assert len(plan.batches) == 1
    now = [Demand(test="t0", queue="q1", host="h1"), Demand(test="t1", queue="q2")]

    with pytest.raises(UsageError, match=r"\('t0', 't1'\) into one batch, and no queue may run both now"):
        seating_of(plan, grounds(now))


def test_the_layout_of_ranges_has_a_name() -> None:
    """It changes with any share, and with nothing else; without ranges there is none."""
    bare = grounds([Demand(test="t")])
    shares = divide(parse_range("port", Kind.PORT, ["5900+4"]), ["a", "b"])
    some = evolve(
        bare, seats=(evolve(bare.seats[0], ranges=(shares["a"],)), evolve(bare.seats[1], ranges=(shares["b"],)))
    )
    assert bare.layout == ""
    assert some.layout
    assert some.layout == evolve(some, seats=(*some.seats, bare.seats[2])).layout
    assert some.layout != evolve(some, seats=some.seats[:1]).layout


def test_a_share_has_its_own_seats_only() -> None:
    """Of `doit host=X`: others have the rest."""
    some = evolve(grounds([Demand(test="t")]), share=(2,))
    assert [str(seat.place) for seat in some.own_seats] == ["h2/q1"]
    assert Amount(0.0, 0).is_nothing
