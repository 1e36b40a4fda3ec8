"""What can be judged only when everything has been said: names that nobody made, things that nobody uses.

It looks at settings without making them final.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from extensions.suites import named_by
from pipeline.errors import SettingsError
from pipeline.settings.container import Container
from pipeline.settings.ledger import Problem, fold
from pipeline.settings.provenance import BUILT_IN, Layer, Place
from pipeline.settings.providers import Provider
from pipeline.settings.suggestion import did_you_mean

if TYPE_CHECKING:
    from extensions.fleet import Fleet


def find_problems(fleet: Fleet) -> Iterator[Problem]:
    """Return everything wrong that no single layer could know."""
    yield from _unknown_profile(fleet)
    yield from _unknown_elements(fleet)
    yield from _selected_suites(fleet)
    yield from _pools(fleet)


def _selected_suites(fleet: Fleet) -> Iterator[Problem]:
    known, unknown = fleet.suites.known(), False
    for setting in (fleet.select.suites, fleet.exclude.suites):
        if setting.tasks():
            return
        for pattern in setting.peek():
            if not any(named_by(name, [pattern]) for name in known):
                text = f"{setting.name} has {pattern!r}, but there is no such suite{did_you_mean(pattern, known)}"
                unknown = True
                yield Problem(text, setting.provenance().place)
    if not unknown and not fleet.suites.likely():
        told = fleet.exclude.suites if fleet.exclude.suites.peek() else fleet.select.suites
        yield Problem("select.suites and exclude.suites leave no suite", told.provenance().place)


def _unknown_profile(fleet: Fleet) -> Iterator[Problem]:
    ledger = fleet.scope.ledger
    if ledger.profile and ledger.profile not in ledger.profiles:
        place = Place(Layer.COMMAND_LINE, f"argument profile={ledger.profile}")
        known = did_you_mean(ledger.profile, ledger.profiles) or " (the settings have no profiles)"
        yield Problem(f"there is no profile {ledger.profile!r}{known}", place)


def _unknown_elements(fleet: Fleet) -> Iterator[Problem]:
    for path, name, place in fleet.scope.ledger.mentions:
        container: Any = fleet
        for part in path:
            container = getattr(container, part)
        assert isinstance(container, Container)
        if fold(name) not in map(fold, container.known()):
            full = ".".join((*path, name))
            yield Problem(f"there is no {full!r}{did_you_mean(name, container.known())}", place)


def _pools(fleet: Fleet) -> Iterator[Problem]:
    known = fleet.pools.known()
    used = _pools_of_profiles(fleet)
    for name in fleet.suites.known():
        pool = fleet.suites[name].pool
        used |= {
            write.value
            for write in pool.stack()
            if write.place is not BUILT_IN and not isinstance(write.value, Provider)
        }
        if pool.tasks():
            return
        try:
            chosen = pool.peek()
        except SettingsError as error:
            yield Problem(error.message)
            continue
        used.add(chosen)
        if chosen not in known:
            yield Problem(f"there is no pool {chosen!r}{did_you_mean(chosen, known)}", pool.provenance().place)
    for name, place in fleet.scope.ledger.elements.get(("pools",), {}).items():
        # Shared files may well bring pools that this project does not need.
        if name not in used and name != "default" and place.layer in (Layer.PROJECT, Layer.DODO):
            in_use = ", ".join(sorted(used & {*known})) or "none"
            yield Problem(f"no suite uses pool {name!r} (pools in use: {in_use})", place)


def _pools_of_profiles(fleet: Fleet) -> set[str]:
    writes = fleet.scope.ledger.dormant
    return {write.value for path, write in writes if path[0] == "suites" and path[-1] == "pool"}
