"""The proof, and what it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.matrix.places import Place as Line
from pipeline.logic.matrix.words import filter_of
from pipeline.logic.placement.offers import Demand, Host, Place, Queue, Selecting, labels_of
from pipeline.logic.placement.proving import PlacementError, examine, prove


def demand(name: str, **demanded: object) -> Demand:
    """A test that is called by its name."""
    return Demand(test=name, name=labels_of(name), **demanded)  # type: ignore[arg-type]


def selecting(only: str = "", no: str = "", *, exclusive: bool = False) -> Selecting:
    """Filters as they are written."""
    where = Line("fleet.toml", 1)
    return Selecting(filter_of(only, where) if only else None, filter_of(no, where) if no else None, exclusive)


def host(name: str, *queues: str, **offered: object) -> Host:
    """A host with queues that take everything."""
    return Host(name=name, queues=tuple(Queue(name=queue) for queue in queues), **offered)  # type: ignore[arg-type]


def pinned(name: str, **selections: Selecting) -> Host:
    """A host with a queue for each selection."""
    queues = [Queue(name=queue, selecting=chosen) for queue, chosen in selections.items()]
    return Host(name=name, queues=tuple(queues))


def found(places: Mapping[str, Sequence[Place]]) -> dict[str, list[str]]:
    """Places as texts."""
    return {test: [str(place) for place in where] for test, where in places.items()}


def test_a_test_without_wishes_may_run_anywhere() -> None:
    """Every queue of every host."""
    assert found(prove([demand("a")], [host("h1", "q1", "q2"), host("h2", "q1")])) == {"a": ["h1/q1", "h1/q2", "h2/q1"]}


def test_wishes_narrow_the_places() -> None:
    """Host, queue, labels and budgets."""
    hosts = [
        host("h1", "q1", "q2", labels=frozenset({"gpu"}), cpus=4.0, memory_bytes=8 * 2**30),
        host("h2", "q1", labels=frozenset({"kvm"}), cpus=16.0, memory_bytes=2 * 2**30),
    ]
    demands = [
        demand("on-h1", host="h1"),
        demand("on-q1", queue="q1"),
        demand("gpu", labels=frozenset({"gpu"})),
        demand("big", memory_bytes=4 * 2**30),
        demand("wide", cpus=8.0),
    ]

    assert found(prove(demands, hosts)) == {
        "on-h1": ["h1/q1", "h1/q2"],
        "on-q1": ["h1/q1", "h2/q1"],
        "gpu": ["h1/q1", "h1/q2"],
        "big": ["h1/q1", "h1/q2"],
        "wide": ["h2/q1"],
    }


def test_a_test_that_exceeds_all_hosts_is_refused_by_name() -> None:
    """With what it wanted and what there was."""
    with pytest.raises(PlacementError, match=r"huge: no place \(h1/q1: 16Gi of memory wanted, 8Gi there\)") as error:
        prove([demand("huge", memory_bytes=16 * 2**30), demand("small")], [host("h1", "q1", memory_bytes=8 * 2**30)])
    assert [problem.subject for problem in error.value.problems] == ["huge"]
    assert error.value.exit_code == 3


def test_all_queues_are_named_and_names_that_nothing_has() -> None:
    """One queue of three would look as if the others had another reason; a name that is nobody's is misspelt."""
    hosts = [host("lab1", "fast", "slow"), host("lab2", "q1")]

    with pytest.raises(PlacementError) as error:
        prove([demand("a", host="lab7"), demand("b", queue="q9"), demand("c", host="lab2", queue="slow")], hosts)
    assert [problem.why for problem in error.value.problems] == [
        "no place (lab1/fast, lab1/slow, lab2/q1: not host 'lab7'; no host is called 'lab7' (known: lab1, lab2))",
        "no place (lab1/fast, lab1/slow, lab2/q1: not queue 'q9'; no queue is called 'q9' (known: fast, slow, q1))",
        "no place (lab1/fast, lab1/slow: not host 'lab2'; lab2/q1: not queue 'slow')",
    ]


def test_exclusive_selections_pin() -> None:
    """What a queue claims runs there and nowhere else; the others stay open to the rest."""
    hosts = [pinned("h1", q1=selecting("RHEL|Windows", exclusive=True)), pinned("h2", q1=Selecting())]

    assert found(prove([demand("RHEL.boot"), demand("Fedora.boot"), demand("Windows")], hosts)) == {
        "RHEL.boot": ["h1/q1"],
        "Fedora.boot": ["h2/q1"],
        "Windows": ["h1/q1"],
    }


def test_a_test_claimed_twice_is_named_with_both_claims() -> None:
    """The seed only asked for exclusivity; here it is proved."""
    hosts = [pinned("h1", q1=selecting("RHEL", exclusive=True)), pinned("h2", q1=selecting("boot", exclusive=True))]

    with pytest.raises(PlacementError, match=r"RHEL.boot: claimed by two exclusive selections, h1/q1 and h2/q1"):
        prove([demand("RHEL.boot"), demand("RHEL.install"), demand("Fedora.boot")], hosts)


def test_a_queues_claim_is_within_its_hosts() -> None:
    """A host that claims a test, and one of its queues that does so too, are one claim."""
    queues = (Queue(name="q1", selecting=selecting("boot", exclusive=True)), Queue(name="q2"))
    hosts = [Host(name="h1", queues=queues, selecting=selecting("RHEL", exclusive=True)), host("h2", "q1")]

    assert found(prove([demand("RHEL.boot"), demand("RHEL.install"), demand("Fedora.x")], hosts)) == {
        "RHEL.boot": ["h1/q1"],
        "RHEL.install": ["h1/q2"],
        "Fedora.x": ["h2/q1"],
    }


def test_a_claimed_test_that_its_place_cannot_run_has_none() -> None:
    """It does not go elsewhere in silence."""
    claiming = Host(name="h1", queues=(Queue(name="q1", selecting=selecting("a", exclusive=True)),), memory_bytes=1)

    with pytest.raises(
        PlacementError, match=r"a: no place \(h1/q1: 2B of memory wanted, 1B there; h2/q1: claimed by h1/q1\)"
    ):
        prove([demand("a", memory_bytes=2)], [claiming, host("h2", "q1")])


def test_filters_without_exclusivity_only_say_what_a_queue_takes() -> None:
    """`only` and `no` of hosts and queues."""
    hosts = [pinned("h1", q1=selecting("a, b", "b.x")), pinned("h2", q1=selecting(no="a"))]

    assert found(prove([demand("a"), demand("b.x"), demand("b.y")], hosts)) == {
        "a": ["h1/q1"],
        "b.x": ["h2/q1"],
        "b.y": ["h1/q1", "h2/q1"],
    }


def test_a_selection_that_matches_no_test_is_named() -> None:
    """Each side of it, with its place."""
    with pytest.raises(PlacementError, match="only RHLE of h1/q1: matches no test"):
        prove([demand("RHEL"), demand("Fedora")], [pinned("h1", q1=selecting("Fedora, RHLE")), host("h2", "q1")])


def test_affinity_keeps_tests_together() -> None:
    """What one of them cannot have, none has."""
    demands = [demand("a", affinity="vm"), demand("b", affinity="vm", host="h2"), demand("c")]

    assert found(prove(demands, [host("h1", "q1"), host("h2", "q1")])) == {
        "a": ["h2/q1"],
        "b": ["h2/q1"],
        "c": ["h1/q1", "h2/q1"],
    }


def test_bonds_reach_across_words() -> None:
    """A shares a device with b, b a set-up with c: all three need one place."""
    demands = [
        demand("a", exclusive=frozenset({"disk"}), host="h1"),
        demand("c", affinity="vm", host="h2"),
        demand("b", exclusive=frozenset({"disk"}), affinity="vm"),
    ]

    with pytest.raises(PlacementError, match="no place is open to all its tests: 'a' and 'c' are apart"):
        prove(demands, [host("h1", "q1"), host("h2", "q1")])


def test_a_queue_that_is_there_twice_is_named() -> None:
    """Two queues of one name would share a state folder."""
    with pytest.raises(PlacementError, match="'h1/q1': is there twice"):
        prove([demand("a", host="h1")], [host("h1", "q1"), host("h1", "q1")])


def test_without_a_queue_nothing_has_a_place() -> None:
    """Said as it is."""
    with pytest.raises(PlacementError, match="there is no queue"):
        prove([demand("a")], [])


def test_a_long_list_of_problems_is_cut() -> None:
    """The message stays readable; the error has them all."""
    with pytest.raises(PlacementError, match="and 5 more") as error:
        prove([demand(f"t{number}", host="gone") for number in range(25)], [host("h1", "q1")])
    assert len(error.value.problems) == 25


NAMES = st.sampled_from(["a", "b", "c"])
FILTERS = st.sampled_from(["", "a", "b", "a, c", "a..b", "b.c"])
SELECTINGS = st.builds(
    lambda only, no, exclusive: selecting(only, no, exclusive=exclusive), FILTERS, FILTERS, st.booleans()
)
HOSTS = st.lists(
    st.tuples(st.lists(SELECTINGS, min_size=1, max_size=3), SELECTINGS, st.integers(1, 4)), min_size=1, max_size=3
)
DEMANDS = st.lists(
    st.tuples(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from(["", "h0", "h1"]), st.integers(0, 4), st.sampled_from(["", "x", "y"])),
    min_size=1,
    max_size=6,
)  # fmt: skip


@given(HOSTS, DEMANDS)
def test_every_test_has_places_or_is_named(
    hosts: list[tuple[list[Selecting], Selecting, int]], demands: list[tuple[list[str], str, int, str]]
) -> None:
    """Never both, never neither; places obey budgets, and what shares an affinity has the same places open."""
    made = [
        Host(
            name=f"h{number}",
            queues=tuple(Queue(name=f"q{at}", selecting=each) for at, each in enumerate(queues)),
            selecting=own,
            memory_bytes=memory,
        )
        for number, (queues, own, memory) in enumerate(hosts)
    ]
    asked = [
        Demand(test=f"t{at}", name=labels_of(".".join(words)), host=where, memory_bytes=memory, affinity=affinity)
        for at, (words, where, memory, affinity) in enumerate(demands)
    ]
    places, problems = examine(asked, made)
    named = {problem.subject for problem in problems}

    assert (places, problems) == examine(asked, made)
    for each in asked:
        assert (each.test in places) is not (each.test in named)
        for place in places.get(each.test, ()):
            assert each.host in ("", place.host)
            assert each.memory_bytes <= made[int(place.host[1:])].memory_bytes  # type: ignore[operator]
    for word in ("x", "y"):
        sharing = [set(places[each.test]) for each in asked if each.affinity == word and each.test in places]
        if sharing and f"affinity {word!r}" not in named:
            assert set.intersection(*sharing)
            assert all(one == sharing[0] for one in sharing)
