"""A small root of settings with two plots, for tests of lazy values without any files."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import kinds
from pipeline.settings.collected import texts, variables
from pipeline.settings.container import Container
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension, Scope
from pipeline.settings.kinds import Context
from pipeline.settings.ledger import Ledger
from pipeline.settings.provenance import Layer


class Shed(Extension):
    """A shed."""

    title = setting(kinds.text, "shed")
    """What is painted on it."""

    size = setting(kinds.count, "auto")
    """How many things go in."""

    tools = setting(texts, ("spade",))
    """What is in it."""

    env = setting(variables, {})
    """Its air."""


class Bed(Shed):
    """A bed; what it does not say, the shed says."""

    def parent(self) -> Extension | None:
        """Return the shed."""
        shed: Extension = self.scope.fleet.shed
        return shed


class Beds(Container[Bed]):
    """Beds by name."""

    element = Bed


class Yard(Extension):
    """The root."""

    shed = nested(Shed)
    beds = nested(Beds)


def make_yard() -> Yard:
    """Return a yard as dodo.py would see it, with two beds nobody has taken yet."""
    ledger = Ledger(Context(Path("/yard")))
    yard = Yard(Scope(ledger, (), None, None))
    yard.scope.fleet = yard
    ledger.layer = Layer.DODO
    yard.beds.add("rose")
    yard.beds.add("bean-row")
    return yard
