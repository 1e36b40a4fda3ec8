"""The proof: every test has a place, a pinned one exactly one, and what must stay together can.

A test is pinned when it names host and queue, or when an exclusive selection claims it. Everything wrong is found and said at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.logic.matrix.filters import Alternative, Seen, decide_alternative
from pipeline.logic.placement.matching import claims, seen, why_not_able, why_not_selected
from pipeline.logic.placement.offers import Demand, Host, Offer, Place, offers_of

MOST_TOLD: Final = 20
"""Problems that a message names one by one."""

MOST_NAMED: Final = 12
"""Queues, or names, in one of them."""

Places = dict[str, tuple[Place, ...]]


class PlacementError(UsageError):
    """Tests without a place, or claimed twice; `problems` has all of them."""

    problems: tuple[Problem, ...] = ()


@frozen
class Problem:
    """What is wrong with one test, or with one selection."""

    subject: str
    why: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.why}"


def prove(demands: Sequence[Demand], hosts: Sequence[Host], *, is_whole: bool = True) -> Places:
    """Where each test may run, never empty. Raises `PlacementError` that names every test and selection at fault.

    Where these are not all tests (`is_whole`), filters may well meet none of them.
    """
    places, problems = examine(demands, hosts, is_whole=is_whole)
    if problems:
        told = "".join(f"\n  {problem}" for problem in problems[:MOST_TOLD])
        more = f"\n  and {len(problems) - MOST_TOLD} more" if len(problems) > MOST_TOLD else ""
        hint = "change the filters, labels or budgets of hosts and queues, or what the tests demand"
        error = PlacementError(f"tests cannot be placed:{told}{more}", hint=hint)
        error.problems = tuple(problems)
        raise error
    return places


def examine(demands: Sequence[Demand], hosts: Sequence[Host], *, is_whole: bool = True) -> tuple[Places, list[Problem]]:
    """The places that are left, and all problems."""
    offers = offers_of(tuple(hosts))
    problems = list(_same_names(offers))
    names = {demand.test: seen(demand) for demand in demands}
    places: Places = {}
    for demand in demands:
        found = _places_of(demand, names[demand.test], offers, hosts)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            places[demand.test] = found
    together, apart = _together(demands, places)
    problems += apart
    problems += _idle(names, hosts) if is_whole else ()
    return {**places, **together}, problems


def _same_names(offers: Sequence[Offer]) -> Iterator[Problem]:
    known: set[Place] = set()
    for offer in offers:
        if offer.place in known:
            yield Problem(f"queue {str(offer.place)!r}", "is there twice")
        known.add(offer.place)


def _places_of(
    demand: Demand, name: Seen, offers: Sequence[Offer], hosts: Sequence[Host]
) -> tuple[Place, ...] | Problem:
    claimed = _claims(name, hosts)
    if len(claimed) > 1:
        return Problem(demand.test, f"claimed by two exclusive selections, {claimed[0]} and {claimed[1]}")
    found: list[Place] = []
    reasons: dict[str, list[str]] = {}
    for offer in offers:
        why = _why_not(demand, name, offer, claimed)
        if why:
            reasons.setdefault(why, []).append(str(offer.place))
        else:
            found.append(offer.place)
    if not found:
        told = [f"{_listed(where)}: {why}" for why, where in reasons.items()] or ["there is no queue"]
        return Problem(demand.test, f"no place ({'; '.join([*told, *_unknown(demand, offers)])})")
    if claimed and claimed[0].queue and len(found) > 1:
        return Problem(demand.test, f"pinned to {claimed[0]}, which is there {len(found)} times")
    return tuple(found)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _unknown(demand: Demand, offers: Sequence[Offer]) -> Iterator[str]:
    """Names that a test demands and that nothing has: most likely misspelt."""
    known = {
        "host": (demand.host, [offer.place.host for offer in offers]),
        "queue": (demand.queue, [offer.place.queue for offer in offers]),
    }
    for what, (name, names) in known.items():
        if name and names and name not in names:
            yield f"no {what} is called {name!r} (known: {_listed([*dict.fromkeys(names)])})"


def _why_not(demand: Demand, name: Seen, offer: Offer, claimed: Sequence[Place]) -> str:
    if claimed and not _is_within(offer.place, claimed[0]):
        return f"claimed by {claimed[0]}"
    return why_not_able(demand, offer) or why_not_selected(name, offer)


def _claims(name: Seen, hosts: Sequence[Host]) -> list[Place]:
    """The innermost exclusive selections: a queue's claim is within its host's, and is no second one."""
    found: list[Place] = []
    for host in hosts:
        own = [Place(host.name, queue.name) for queue in host.queues if claims(name, queue.selecting)]
        if own:
            found += own
        elif claims(name, host.selecting):
            found.append(Place(host.name, ""))
    return found


def _is_within(place: Place, claimed: Place) -> bool:
    return place.host == claimed.host and claimed.queue in ("", place.queue)


def _together(demands: Sequence[Demand], places: Mapping[str, tuple[Place, ...]]) -> tuple[Places, list[Problem]]:
    """Places of tests that share an affinity or an exclusive thing: those that all of them have."""
    left: Places = {}
    problems: list[Problem] = []
    for said, tests in _bound(demands, places):
        common = set.intersection(*(set(places[test]) for test in tests))
        if common:
            left |= {test: tuple(place for place in places[test] if place in common) for test in tests}
        else:
            kept = _first_apart(tests, places)
            problems.append(
                Problem(said, f"no place is open to all its tests: {' and '.join(map(repr, kept))} are apart")
            )
    return left, problems


def _bound(demands: Sequence[Demand], places: Mapping[str, tuple[Place, ...]]) -> list[tuple[str, list[str]]]:
    """(words, tests) that must be together: tests with a word in common, directly or through others."""
    worded = [(demand.test, _words(demand)) for demand in demands if demand.test in places]
    parents: dict[str, str] = {}
    for _, words in worded:
        for word in words:
            parents.setdefault(word, word)
            parents[_root(parents, word)] = _root(parents, words[0])
    said: dict[str, list[str]] = {}
    for word in parents:
        said.setdefault(_root(parents, word), []).append(word)
    groups: dict[str, list[str]] = {}
    for test, words in worded:
        if words:
            groups.setdefault(_root(parents, words[0]), []).append(test)
    return [(" and ".join(said[root]), tests) for root, tests in groups.items()]


def _words(demand: Demand) -> list[str]:
    words = [f"exclusive {each!r}" for each in sorted(demand.exclusive)]
    return [*words, f"affinity {demand.affinity!r}"] if demand.affinity else words


def _root(parents: dict[str, str], word: str) -> str:
    while parents[word] != word:
        parents[word] = parents[parents[word]]
        word = parents[word]
    return word


def _first_apart(tests: Sequence[str], places: Mapping[str, tuple[Place, ...]]) -> list[str]:
    """The first tests that leave nothing in common, the last of them being the one too many."""
    common = set(places[tests[0]])
    for test in tests[1:]:
        if not common & set(places[test]):
            apart = next((one for one in tests if not set(places[one]) & set(places[test])), tests[0])
            return [apart, test]
        common &= set(places[test])
    return list(tests[:2])


def _idle(names: Mapping[str, Seen], hosts: Sequence[Host]) -> Iterator[Problem]:
    """Sides of `only` and `no` that select no test at all."""
    for host in hosts:
        for where, selecting in (
            (host.name, host.selecting),
            *((f"{host.name}/{q.name}", q.selecting) for q in host.queues),
        ):
            for word, wanted in (("only", selecting.only), ("no", selecting.no)):
                for side in wanted.alternatives if wanted else ():
                    if not _is_met(side, names):
                        yield Problem(f"{word} {side.text} of {where}", "matches no test")


def _is_met(side: Alternative, names: Mapping[str, Seen]) -> bool:
    return any(decide_alternative(side, name) is True for name in names.values())
