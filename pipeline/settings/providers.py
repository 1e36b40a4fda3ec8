"""Lazy values: computed when somebody reads them, carrying the settings and tasks they depend on.

A provider knows nothing of layers. Reading with a reader makes every setting on the way final; looking without one
does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pipeline.settings.provenance import Layer, caller

if TYPE_CHECKING:
    from pipeline.settings.setting import Setting

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")
V = TypeVar("V")


class Named(Protocol):
    """Anything with a task's name: a handle of the catalog."""

    @property
    def name(self) -> str:
        """The task's name."""


class Provider(Generic[T_co]):
    """A lazy value."""

    def compute(self, reader: str | None) -> T_co:
        """Return the value; `reader` says who reads it and makes it final, None only looks."""
        raise NotImplementedError

    def inputs(self) -> tuple[Provider[Any], ...]:
        """Return the providers this one is computed from."""
        return ()

    def own_tasks(self) -> tuple[str, ...]:
        """Return the tasks this provider itself waits for."""
        return ()

    def get(self) -> T_co:
        """Return the value and make it final."""
        return self.compute(str(caller(Layer.BUILT_IN)))

    def peek(self) -> T_co:
        """Return the value as it stands, without making it final."""
        return self.compute(None)

    def map(self, function: Callable[[T_co], U]) -> Provider[U]:
        """Return a provider of the function's result, called when that is read."""
        return Derived(function, (self,))

    def zip(self, other: Provider[U], function: Callable[[T_co, U], V]) -> Provider[V]:
        """Return a provider computed from this value and another one."""
        return Derived(function, (self, other))

    def needs(self, *tasks: str | Named) -> Provider[T_co]:
        """Return the same value, known only after those tasks have run."""
        names = tuple(task if isinstance(task, str) else task.name for task in tasks)
        return Derived(lambda value: value, (self,), names)

    def tasks(self) -> tuple[str, ...]:
        """Return the names of all tasks that must have run before this value may be read."""
        names = list(self.own_tasks())
        for provider in self.inputs():
            names += provider.tasks()
        return tuple(dict.fromkeys(names))

    def settings(self) -> tuple[Setting[Any], ...]:
        """Return the settings this value is computed from, nearest first."""
        return tuple(setting for provider in self.inputs() for setting in provider.settings())

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} is a lazy value, neither true nor false; read it with .get()")


class Derived(Provider[T]):
    """A value computed from other providers."""

    def __init__(
        self, function: Callable[..., T], inputs: tuple[Provider[Any], ...], tasks: tuple[str, ...] = ()
    ) -> None:
        self._function, self._inputs, self._tasks = function, inputs, tasks

    def compute(self, reader: str | None) -> T:
        """Compute every input, then the function of them."""
        return self._function(*(provider.compute(reader) for provider in self._inputs))

    def inputs(self) -> tuple[Provider[Any], ...]:
        """Return the providers the function takes."""
        return self._inputs

    def own_tasks(self) -> tuple[str, ...]:
        """Return the tasks given when this was made."""
        return self._tasks


def provider(function: Callable[[], T], *, needs: tuple[str | Named, ...] = ()) -> Provider[T]:
    """Return a provider of whatever the function returns when the value is read."""
    return Derived(function, ()).needs(*needs)
