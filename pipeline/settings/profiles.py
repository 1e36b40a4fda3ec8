"""Profiles: named sets of overrides, of which a command selects one.

Each is checked whether selected or not; only the selected one's values count. It knows nothing of the files they stand
in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.errors import SettingsError
from pipeline.settings.extension import Extension
from pipeline.settings.ledger import Ledger
from pipeline.settings.provenance import Layer, caller
from pipeline.settings.suggestion import did_you_mean
from pipeline.settings.tables import Members, Source, Walk


def enter_profile(ledger: Ledger, members: Members, name: str, table: Mapping[str, Any], source: Source) -> None:
    """Check a profile's table; write its values if it is the selected one, else keep them as dormant."""
    ledger.profiles.setdefault(name, source.place(()))
    walk = Walk(ledger, source)
    walk.table(members, table)
    if name == ledger.profile:
        walk.enter_values()
        walk.enter_names()
    else:
        ledger.dormant += walk.found


class Profile:
    """One profile, as dodo.py sees it."""

    def __init__(self, ledger: Ledger, members: Members, name: str) -> None:
        self._ledger, self._members, self.name = ledger, members, name

    @property
    def is_selected(self) -> bool:
        """Whether this command runs with it."""
        return self._ledger.profile == self.name

    def set(self, name: str, value: object) -> None:
        """Override the setting of that dotted name. Raises `SettingsError` for an unknown name or a wrong value."""
        self._write([*name.split(".")], value)

    def append(self, name: str, value: object) -> None:
        """Append to the list or map of that dotted name."""
        self._write([*name.split("."), "append"], value)

    def _write(self, parts: list[str], value: object) -> None:
        table: Any = value
        for part in reversed(parts):
            table = {part: table}
        place = caller(Layer.PROFILE, self._ledger.context.root)
        before = len(self._ledger.problems)
        enter_profile(self._ledger, self._members, self.name, table, Source(lambda key: place, names_elements=False))
        if problems := self._ledger.problems[before:]:
            del self._ledger.problems[before:]
            raise SettingsError("; ".join(map(str, problems)))


class Profiles(Extension):
    """Named sets of overrides and selections; `doit profile=nightly` selects one."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all profiles."""
        return tuple(self.scope.ledger.profiles)

    @property
    def selected(self) -> str:
        """The name of the selected profile, or empty."""
        return self.scope.ledger.profile

    def add(self, name: str) -> Profile:
        """Name another profile, or take the one there is."""
        self.scope.ledger.profiles.setdefault(name, caller(Layer.DODO, self.scope.ledger.context.root))
        return self[name]

    def __getitem__(self, name: str) -> Profile:
        if name not in self.names():
            raise SettingsError(f"there is no profile {name!r}{did_you_mean(name, self.names())}")
        return Profile(self.scope.ledger, self.scope.fleet.declares(), name)
