"""Shares are disjoint, deterministic, and never more than there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.logic.resource_ranges.dividing import divide, environment, refuse_overlaps
from pipeline.logic.resource_ranges.kinds import IPV6_FROM, Kind
from pipeline.logic.resource_ranges.ranges import Range, parse_range, shared
from pipeline.logic.resource_ranges.spans import Span, common, overlap_within


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Any range of up to a few hundred things, in several spans."""
    kind = draw(st.sampled_from(Kind))
    if kind.is_named:
        names = draw(st.lists(st.integers(0, 60), min_size=1, max_size=40, unique=True))
        return Range(name="r", kind=kind, spans=(Span(0, len(names) - 1),), names=tuple(f"n{name}" for name in names))
    base = IPV6_FROM if kind is Kind.IP and draw(st.booleans()) else 1
    gaps = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60)), min_size=1, max_size=6))
    spans, at = [], base
    for gap, size in gaps:
        spans.append(Span(at + gap, at + gap + size - 1))
        at += gap + size
    return Range(name="r", kind=kind, spans=tuple(draw(st.permutations(spans))))


@given(ranges(), st.integers(1, 30))
def test_shares_are_disjoint_and_whole(whole: Range, count: int) -> None:
    """Every thing goes to exactly one place, and no place has more than one above another's."""
    places = [f"q{number}" for number in range(count)]
    if whole.count < count:
        with pytest.raises(UsageError, match=f"holds {whole.count}"):
            divide(whole, places)
        return
    shares = divide(whole, places)
    items = [item for share in shares.values() for item in share.items()]

    assert items == list(whole.items())
    assert len(set(items)) == len(items)
    assert max(share.count for share in shares.values()) - min(share.count for share in shares.values()) <= 1
    assert shares == divide(whole, places)


@given(ranges(), st.integers(1, 8), st.integers(1, 8))
def test_a_fixed_size_is_kept_or_refused(whole: Range, count: int, each: int) -> None:
    """`each` things for every place, never fewer."""
    places = [f"q{number}" for number in range(count)]
    if whole.count < count * each:
        with pytest.raises(UsageError, match="would need"):
            divide(whole, places, each=each)
        return

    assert {share.count for share in divide(whole, places, each=each).values()} == {each}


@given(ranges(), st.integers(1, 5), st.integers(1, 4))
def test_slots_divide_what_queues_got(whole: Range, queues: int, slots: int) -> None:
    """Dividing twice is as disjoint as dividing once."""
    if whole.count < queues * slots:
        return
    shares = divide(whole, [f"q{number}" for number in range(queues)])
    inner = [each for share in shares.values() for each in divide(share, [f"s{n}" for n in range(slots)]).values()]
    items = [item for share in inner for item in share.items()]

    assert sorted(items) == sorted(whole.items())


@given(ranges(), ranges())
def test_what_two_ranges_share_is_found(one: Range, other: Range) -> None:
    """The answer is that of listing both."""
    both = set(one.items()) & set(other.items()) if one.kind is other.kind else set()
    found = shared(one, other)

    assert (found in both) if both else found is None


SPANS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=6)


def spaced(pairs: list[tuple[int, int]]) -> list[Span]:
    """Spans one after another, with gaps of these sizes."""
    found, at = [], 0
    for gap, size in pairs:
        found.append(Span(at + gap, at + gap + size - 1))
        at += gap + size
    return found


@given(SPANS, SPANS)
def test_common_numbers_are_found_wherever_they_lie(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """As counting says, the first stretch."""
    left, right = spaced(one), spaced(other)
    both = {number for span in left for number in range(span.first, span.last + 1)}
    both &= {number for span in right for number in range(span.first, span.last + 1)}
    found = common(left[::-1], right)

    assert (found.first if found else None) == min(both, default=None)
    assert found is None or set(range(found.first, found.last + 1)) <= both


def test_less_than_one_for_each_place_is_refused() -> None:
    """And how many there would have to be is said."""
    ports = parse_range("vnc", Kind.PORT, ["5900-5903"])

    with pytest.raises(UsageError, match="0 for each place is less than one"):
        divide(ports, ["q1"], each=0)
    with pytest.raises(UsageError, match="holds 4, and 3 for each of 2 places would need 6"):
        divide(ports, ["q1", "q2"], each=3)
    with pytest.raises(UsageError, match="holds 4, and one for each of 5 places would need 5"):
        divide(ports, [f"q{number}" for number in range(5)])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=8))
def test_overlaps_within_a_range_are_found(pairs: list[tuple[int, int]]) -> None:
    """As counting every number says."""
    spans = [Span(first, first + more) for first, more in pairs]
    numbers = [number for span in spans for number in range(span.first, span.last + 1)]
    found = overlap_within(spans)

    assert (found is None) is (len(numbers) == len(set(numbers)))
    assert found is None or numbers.count(found.first) > 1


def test_an_address_of_two_hosts_is_an_error() -> None:
    """The message names the address, both ranges and both hosts."""
    hosts = {
        "lab1": [parse_range("macs", Kind.MAC, ["52:54:00:00:00:00+16"])],
        "lab2": [parse_range("nics", Kind.MAC, ["52:54:00:00:00:0f+16"])],
    }

    with pytest.raises(
        UsageError, match=r"mac '52:54:00:00:00:0f' is in range 'macs' of host 'lab1' and .*'nics' of host 'lab2'"
    ):
        refuse_overlaps(hosts)


def test_ports_and_devices_are_each_hosts_own() -> None:
    """The same port on two hosts is two ports; twice on one host it is an error."""
    ports = parse_range("vnc", Kind.PORT, ["5900-5999"])

    refuse_overlaps({"lab1": [ports], "lab2": [ports]})
    with pytest.raises(UsageError, match="port '5950'"):
        refuse_overlaps({"lab1": [ports, parse_range("web", Kind.PORT, ["5950"])]})


def test_a_test_is_told_its_share() -> None:
    """As a range, its ends and its size; names that shells take."""
    share = divide(parse_range("guest-macs", Kind.MAC, ["52:54:00:00:00:00+8"]), ["q1", "q2"])["q2"]

    assert environment([share]) == {
        "GUEST_MACS": "52:54:00:00:00:04-52:54:00:00:00:07",
        "GUEST_MACS_FIRST": "52:54:00:00:00:04",
        "GUEST_MACS_LAST": "52:54:00:00:00:07",
        "GUEST_MACS_COUNT": "4",
    }
