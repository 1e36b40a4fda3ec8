"""How a settings class says what it has: settings and nested settings objects, as descriptors.

Each declaration is followed by a docstring: meaning, unit, reason for the default, what None means. `documentation`
reads it from the source. Declarations hold no values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pipeline.errors import SettingsError
from pipeline.settings.kinds import Kind
from pipeline.settings.setting import Setting

if TYPE_CHECKING:
    from typing import Self

    from pipeline.settings.extension import Extension

T = TypeVar("T")
E = TypeVar("E", bound="Extension")


class Member:
    """Something a settings class declares."""

    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


class Declaration(Member, Generic[T]):
    """A setting's kind and default. On an instance it gives the lazy `Setting`; assignment sets it."""

    def __init__(self, kind: Kind[T], convention: object) -> None:
        self.kind = kind
        self.convention = convention

    def default_for(self, owner: Extension) -> object:
        """Return the default for that object: a raw value or a provider."""
        return self.convention(owner) if callable(self.convention) else self.convention

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Extension, owner: type) -> Setting[T]: ...
    def __get__(self, instance: Extension | None, owner: type) -> Self | Setting[T]:
        return self if instance is None else Setting(instance, self)

    def __set__(self, instance: Extension, value: object) -> None:
        Setting(instance, self).set(value)


def setting(kind: Kind[T], convention: object | Callable[[Any], object]) -> Declaration[T]:
    """Declare a setting of that kind.

    The convention is a raw value, or a function from the settings object to a raw value or a provider; the first line
    of its docstring then stands for the default in the documentation.
    """
    return Declaration(kind, convention)


class Nested(Member, Generic[E]):
    """A settings object inside another one (a container too). It cannot be assigned."""

    def __init__(self, kind: type[E]) -> None:
        self.kind = kind

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: Extension, owner: type) -> E: ...
    def __get__(self, instance: Extension | None, owner: type) -> Self | E:
        return self if instance is None else instance.inner(self)

    def __set__(self, instance: Extension, value: object) -> None:
        raise SettingsError(f"{'.'.join((*instance.scope.path, self.name))!r} holds settings and cannot be set itself")


def nested(kind: type[E]) -> Nested[E]:
    """Declare a settings object of that class below this one."""
    return Nested(kind)
