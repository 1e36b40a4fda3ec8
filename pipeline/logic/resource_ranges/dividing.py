"""Disjoint shares for queues and slots, and the proof that no two hosts hand out the same thing. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from attrs import evolve

from pipeline.errors import UsageError
from pipeline.logic.resource_ranges.ranges import Range, shared
from pipeline.logic.resource_ranges.spans import cut


def divide(whole: Range, places: Sequence[str], *, each: int | None = None) -> dict[str, Range]:
    """A share for every place (a queue, or a slot of one), in order: `each` things, or all there are, as equal as can be.

    Raises `UsageError` when there is less than one thing, or less than `each`, for every place.
    """
    if len(set(places)) < len(places):
        raise ValueError("two places have one name")
    if not places:
        return {}
    wanted = len(places) * (each if each is not None else 1)
    if each is not None and each < 1:
        raise UsageError(f"range {whole.name!r}: {each} for each place is less than one")
    if whole.count < wanted:
        every = f"{each} for each of {len(places)}" if each is not None else f"one for each of {len(places)}"
        hint = f"widen the range, or run fewer than {len(places)} places"
        raise UsageError(f"range {whole.name!r} holds {whole.count}, and {every} places would need {wanted}", hint=hint)
    least, more = divmod(whole.count, len(places))
    sizes = [each if each is not None else least + (number < more) for number in range(len(places))]
    pieces = cut(whole.spans, sizes)
    return {place: evolve(whole, spans=spans) for place, spans in zip(places, pieces, strict=True)}


def refuse_overlaps(hosts: Mapping[str, Sequence[Range]]) -> None:
    """Raise `UsageError` when two ranges have a thing in common that only one test may hold.

    Addresses and free forms are one world; ports and devices are each host's own, so only ranges of one host may clash.
    """
    everything = [(host, each) for host, ranges in hosts.items() for each in ranges]
    for (host, one), (other_host, other) in combinations(everything, 2):
        if one.kind.is_of_host and host != other_host:
            continue
        thing = shared(one, other)
        if thing is not None:
            first, second = f"{one.name!r} of host {host!r}", f"{other.name!r} of host {other_host!r}"
            hint = "give each a part of its own; two tests would hold the same at once"
            raise UsageError(f"{one.kind.value} {thing!r} is in range {first} and in range {second}", hint=hint)


def variable(name: str) -> str:
    """What a range of that name is called in the environment of tests."""
    return "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name.upper())


def refuse_same_variables(host: str, ranges: Sequence[Range]) -> None:
    """Raise `UsageError` when two ranges of one host would be the same variables."""
    known: dict[str, str] = {}
    for each in ranges:
        for name in environment([each]):
            other = known.setdefault(name, each.name)
            if other != each.name:
                hint = "rename one of them"
                raise UsageError(
                    f"ranges {other!r} and {each.name!r} of host {host!r} are both {name!r} to tests", hint=hint
                )


def environment(shares: Sequence[Range]) -> dict[str, str]:
    """What a test is told of its shares: `<NAME>`, `<NAME>_FIRST`, `<NAME>_LAST` and `<NAME>_COUNT`."""
    told: dict[str, str] = {}
    for share in shares:
        name = variable(share.name)
        told[name] = share.written()
        told[f"{name}_FIRST"] = share.text(share.spans[0].first)
        told[f"{name}_LAST"] = share.text(share.spans[-1].last)
        told[f"{name}_COUNT"] = str(share.count)
    return told
