"""The base of all settings objects: what they declare, how they nest and what they inherit.

An instance holds no values, only its scope in the ledger, so making one is cheap. Outside packages derive from
`Extension` and register the class under the entry point group `doit_fleet.extensions`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, TypeVar

from pipeline.errors import SettingsError
from pipeline.settings.declaration import Declaration, Member, Nested
from pipeline.settings.ledger import Ledger, Path
from pipeline.settings.provenance import Layer, caller
from pipeline.settings.setting import Setting
from pipeline.settings.suggestion import did_you_mean

E = TypeVar("E", bound="Extension")
_RESERVED: Final = frozenset({"scope", "declares", "inner", "parent", "inherited", "attach", "append", "replace"})


class UnknownName(SettingsError, AttributeError):
    """A settings object has no such name."""


class Scope:
    """Where a settings object stands: its ledger, its path, the object all others hang on, and the one around it."""

    __slots__ = ("fleet", "ledger", "outer", "path")

    def __init__(self, ledger: Ledger, path: Path, fleet: Any, outer: Extension | None) -> None:
        self.ledger, self.path, self.fleet, self.outer = ledger, path, fleet, outer

    def below(self, name: str, outer: Extension) -> Scope:
        """Return the scope of an object of that name inside this one."""
        return Scope(self.ledger, (*self.path, name), self.fleet, outer)


class Extension:
    """A settings object."""

    _members: ClassVar[dict[str, Member]] = {}

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._inner: dict[str, Extension] = {}

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Member)}
        if clash := _RESERVED & own.keys():
            raise TypeError(f"{cls.__name__} may not declare {sorted(clash)}: these names are reserved")
        inherited = {name: member for base in reversed(cls.__mro__[1:]) for name, member in _members_of(base).items()}
        cls._members = {**inherited, **own}

    def declares(self) -> dict[str, Member]:
        """Return what this object has, by name."""
        return self._members

    def inner(self, member: Nested[E]) -> E:
        """Return the settings object a nested declaration stands for; made once."""
        if member.name not in self._inner:
            self._inner[member.name] = member.kind(self.scope.below(member.name, self))
        return self._inner[member.name]  # type: ignore[return-value]

    def parent(self) -> Extension | None:
        """Return the object whose settings of equal name are this one's defaults, or None."""
        above = self.scope.outer.parent() if self.scope.outer is not None else None
        if above is None:
            return None
        member = above.declares().get(self.scope.path[-1])
        return above.inner(member) if isinstance(member, Nested) else None

    def inherited(self, name: str) -> Setting[Any] | None:
        """Return the parent's setting of that name, or None."""
        parent = self.parent()
        member = parent.declares().get(name) if parent is not None else None
        return Setting(parent, member) if parent is not None and isinstance(member, Declaration) else None

    def attach(self, fleet: Any) -> None:
        """Give conventions to other objects' settings; called once, before files are read. For outside packages."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise self._unknown(name)

    def __setattr__(self, name: str, value: object) -> None:
        if name.startswith("_") or name == "scope" or hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownName:
        place = caller(Layer.DODO, self.scope.ledger.context.root)
        full = ".".join((*self.scope.path, name))
        return UnknownName(f"{place}: unknown setting {full!r}{did_you_mean(name, self.declares())}")


def _members_of(base: type) -> dict[str, Member]:
    return base._members if issubclass(base, Extension) else {}
