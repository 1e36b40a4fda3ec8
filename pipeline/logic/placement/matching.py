"""Whether a place takes a test, and why not. Pure."""

from __future__ import annotations

from pipeline.logic.matrix.filters import Filter, Seen, decide
from pipeline.logic.placement.offers import Demand, Offer, Selecting
from pipeline.model.quantities import format_size


def seen(demand: Demand) -> Seen:
    """The test's name as filters look at it."""
    return Seen(demand.name, frozenset(key for label in demand.name for key in label.keys), frozenset())


def why_not_able(demand: Demand, offer: Offer) -> str:
    """What the place lacks whoever else selects it; empty: nothing."""
    if demand.host and demand.host != offer.place.host:
        return f"not host {demand.host!r}"
    if demand.queue and demand.queue != offer.place.queue:
        return f"not queue {demand.queue!r}"
    missing = sorted(demand.labels - offer.labels)
    if missing:
        return f"no label {missing[0]!r}"
    if offer.memory_bytes is not None and demand.memory_bytes > offer.memory_bytes:
        return f"{format_size(demand.memory_bytes)} of memory wanted, {format_size(offer.memory_bytes)} there"
    if offer.cpus is not None and demand.cpus > offer.cpus:
        return f"{demand.cpus:g} cpus wanted, {offer.cpus:g} there"
    return ""


def why_not_selected(name: Seen, offer: Offer) -> str:
    """Which filter of the place keeps the test away; empty: none."""
    for selecting in offer.selectings:
        if selecting.only is not None and not _meets(selecting.only, name):
            return f"only {selecting.only.text}"
        if selecting.no is not None and _meets(selecting.no, name):
            return f"no {selecting.no.text}"
    return ""


def claims(name: Seen, selecting: Selecting) -> bool:
    """Whether an exclusive selection wants the test for itself."""
    if not selecting.is_exclusive or selecting.only is None or not _meets(selecting.only, name):
        return False
    return selecting.no is None or not _meets(selecting.no, name)


def _meets(wanted: Filter, name: Seen) -> bool:
    return decide(wanted, name) is True
