"""How many worker pods of each pool fit now: node by node, then within the quotas of the namespace; and why not more.

Counts as the scheduler does (NodeResourcesFit) for pods whose places depend on no other pods. What tests make outside
their pods is taken off the room of all nodes together, for nobody knows where it will be. With an autoscaler the result
is the least. Pure; nodes, pods and quotas are the API's own dictionaries, amounts are billionths.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from attrs import define, field, frozen

from pipeline.logic.node_selection import why_not
from pipeline.logic.pod_requests import PODS, Amounts, requests_of
from pipeline.logic.quota_room import counts, left_of, use_of
from pipeline.model.kubernetes_quantities import MILLI, ONE, format_quantity, parse_quantity, round_up

Object = Mapping[str, Any]
ENDED = ("Succeeded", "Failed")
SELECTION = ("nodeName", "nodeSelector", "affinity", "tolerations")
NAMED = 3
"""So many reasons are told."""
MOST = 10_000
"""More of one pool are never counted."""


@frozen(kw_only=True)
class Wanted:
    """The pods of one pool."""

    pool: str
    pod: Object
    """As it would be created: `{"spec": …}`."""
    most: int | None = None
    """So many are wanted whether they fit or not; None: as many as fit."""
    beside: Amounts = field(factory=dict)
    """What the tests of one worker need outside its pod."""
    jobs: int = 1
    """Jobs for each worker: 0 where one Job has them all."""


@frozen(kw_only=True)
class Seen:
    """What there is. `nodes` None: it may not be seen; then only the quotas bound."""

    nodes: Sequence[Object] | None
    pods: Sequence[Object] = ()
    """Of all namespaces."""
    quotas: Sequence[Object] = ()
    """Of the namespace that the pods will be in."""


@frozen(kw_only=True)
class Fit:
    """What came of one pool."""

    count: int | None
    """None: nothing bounds it that could be seen."""
    text: str
    """For people: where they fit, and what keeps more away."""


@define
class _Place:
    """One node and its room."""

    node: Object
    free: Amounts

    def takes(self, asked: Amounts) -> bool:
        return not self.lacks(asked)

    def lacks(self, asked: Amounts) -> str:
        """The first resource that there is too little of."""
        return next((name for name, amount in asked.items() if amount > max(0, self.free.get(name, 0))), "")

    def take(self, asked: Amounts) -> None:
        for name, amount in asked.items():
            self.free[name] = self.free.get(name, 0) - amount


class _Filler:
    """Puts equal pods on the first node with room, one after the other; room only ever shrinks."""

    def __init__(self, spec: Object, asked: Amounts, places: Sequence[_Place]) -> None:
        self.asked = {name: amount for name, amount in asked.items() if amount > 0}
        self.refusals = Counter[str]()
        """How many nodes take no such pod at all, by reason."""
        self.able: list[_Place] = []
        for place in places:
            reason = why_not(spec, place.node)
            if reason:
                self.refusals[reason] += 1
            else:
                self.able.append(place)
        self.used = Counter[str]()
        """Pods by node."""
        self._at = 0

    def fits(self) -> bool:
        """Whether one more does."""
        while self._at < len(self.able) and not self.able[self._at].takes(self.asked):
            self._at += 1
        return self._at < len(self.able)

    def put(self) -> None:
        """Place one."""
        place = self.able[self._at]
        place.take(self.asked)
        self.used[place.node["metadata"]["name"]] += 1

    def why_no_more(self) -> str:
        """Of the nodes, by reason."""
        reasons = self.refusals + Counter(f"too little {place.lacks(self.asked)} left" for place in self.able)
        told = [f"{count}: {reason}" for reason, count in reasons.most_common(NAMED)]
        return "; ".join(told + ["…"] * (len(reasons) > NAMED)) or "there are none"


@define
class _Pool:
    """One pool while room is shared out."""

    wanted: Wanted
    filler: _Filler | None
    use: Amounts
    count: int = 0
    bound: str = ""


def fit(seen: Seen, pools: Sequence[Wanted], reserve: Amounts | None = None) -> dict[str, Fit]:
    """What fits of each pool. Pools with a fixed number come first; the others take turns, so that each gets its share.

    `reserve`: what is left alone on every node.
    """
    places = _places(seen, reserve or {}) if seen.nodes is not None else None
    quotas = [(each["metadata"]["name"], left_of(each), each) for each in seen.quotas]
    running = [_Pool(one, _filler(one, places), use_of(one.pod, one.beside, one.jobs)) for one in pools]
    spare = _spare(running)
    for fixed in (each for each in running if each.wanted.most is not None):
        while fixed.count < (fixed.wanted.most or 0) and _add(fixed, quotas, spare):
            pass
    open_pools = [each for each in running if each.wanted.most is None and _is_bounded(each, quotas)]
    while open_pools:
        open_pools = [each for each in open_pools if _add(each, quotas, spare)]
    return {each.wanted.pool: _told(each, seen, quotas) for each in running}


def _places(seen: Seen, reserve: Amounts) -> list[_Place]:
    """Nodes with what is free: what may be had, without the reserve and what pods have that have not ended. Pods that wait
    for the scheduler take what they can, for they come first."""
    places = {node["metadata"]["name"]: _Place(node, _allocatable(node)) for node in seen.nodes or ()}
    for place in places.values():
        place.take(reserve)
    waiting = []
    for pod in seen.pods:
        if (pod.get("status") or {}).get("phase") in ENDED:
            continue
        name = pod["spec"].get("nodeName")
        if name in places:
            places[name].take(requests_of(pod))
        elif not name and not pod["spec"].get("schedulingGates") and not pod["metadata"].get("deletionTimestamp"):
            waiting.append(pod)
    _seat(waiting, list(places.values()))
    return list(places.values())


def _allocatable(node: Object) -> Amounts:
    given = (node.get("status") or {}).get("allocatable") or {}
    return {name: round_up(parse_quantity(value), MILLI if name == "cpu" else ONE) for name, value in given.items()}


def _seat(waiting: Iterable[Object], places: Sequence[_Place]) -> None:
    fillers: dict[str, _Filler] = {}
    for pod in waiting:
        spec, asked = pod["spec"], requests_of(pod)
        kind = json.dumps([asked, *(spec.get(name) for name in SELECTION)], sort_keys=True)
        if kind not in fillers:
            fillers[kind] = _Filler(spec, asked, places)
        if fillers[kind].fits():
            fillers[kind].put()


def _filler(wanted: Wanted, places: Sequence[_Place] | None) -> _Filler | None:
    return None if places is None else _Filler(wanted.pod["spec"], requests_of(wanted.pod), places)


def _spare(pools: Collection[_Pool]) -> Amounts:
    """The room of all nodes that any of the pools may use; for what tests make beside."""
    places = {id(place): place for pool in pools if pool.filler for place in pool.filler.able}
    total = Counter[str]()
    for place in places.values():
        total.update({name: max(0, amount) for name, amount in place.free.items()})
    return dict(total)


def _is_bounded(pool: _Pool, quotas: Sequence[tuple[str, Amounts, Object]]) -> bool:
    """Whether anything that can be seen bounds a pool."""
    return pool.filler is not None or any(
        pool.use.get(name) for _, left, quota in quotas if counts(quota, pool.wanted.pod["spec"]) for name in left
    )


def _add(pool: _Pool, quotas: Sequence[tuple[str, Amounts, Object]], spare: Amounts) -> bool:
    """One more pod of a pool; whether there was room."""
    if pool.count == MOST:
        pool.bound = "more are not counted"
        return False
    own = [(name, left) for name, left, quota in quotas if counts(quota, pool.wanted.pod["spec"])]
    for name, left in own:
        lacks = next((each for each in left if pool.use.get(each, 0) > left[each]), "")
        if lacks:
            pool.bound = f"quota {name!r} leaves no more {lacks}"
            return False
    filler, beside = pool.filler, pool.wanted.beside
    if filler is not None:
        if not filler.fits():
            pool.bound = f"of {sum(filler.refusals.values()) + len(filler.able)} nodes {filler.why_no_more()}"
            return False
        whole = {name: amount + filler.asked.get(name, 0) for name, amount in beside.items()}
        lacks = next((name for name, amount in whole.items() if amount > spare.get(name, 0)), "")
        if lacks:
            pool.bound = f"too little {lacks} left on all nodes for what tests make outside their pods"
            return False
        filler.put()
        for name in {**filler.asked, **beside}:
            spare[name] = spare.get(name, 0) - filler.asked.get(name, 0) - beside.get(name, 0)
    for _, left in own:
        for name in left:
            left[name] -= pool.use.get(name, 0)
    pool.count += 1
    return True


def _told(pool: _Pool, seen: Seen, quotas: Sequence[tuple[str, Amounts, Object]]) -> Fit:
    wanted = pool.wanted
    if not pool.bound and wanted.most is None and pool.count == 0:
        return Fit(count=None, text="nothing that can be seen bounds their number")
    size = _size(pool)
    if wanted.most is not None:
        text = "" if pool.count == wanted.most else f"{pool.count} of them fit now ({size}): {pool.bound}"
        return Fit(count=wanted.most, text=text)
    where = f" on {len(pool.filler.used)} of {len(seen.nodes or ())} nodes" if pool.filler else " by the quotas alone"
    fitting = f"{pool.count} of {size} fit now{where}" if pool.count else f"none of {size} fits now"
    return Fit(count=pool.count, text=f"{fitting}; {pool.bound}")


def _size(pool: _Pool) -> str:
    asked = requests_of(pool.wanted.pod)
    pod = ", ".join(f"{name} {format_quantity(name, amount)}" for name, amount in asked.items() if name != PODS)
    beside = ", ".join(f"{name} {format_quantity(name, amount)}" for name, amount in pool.wanted.beside.items())
    return f"{pod or 'no size'}" + (f" and beside it {beside}" if beside else "")
