"""Named settings objects of one class: suites, pools.

Names are known from what was written; an element is realised only when somebody takes it. `each` and `named` are kept
and applied at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, Generic, TypeVar

from pipeline.errors import SettingsError
from pipeline.settings.extension import Extension, Scope
from pipeline.settings.ledger import fold
from pipeline.settings.provenance import Layer, caller
from pipeline.settings.suggestion import did_you_mean

E = TypeVar("E", bound=Extension)
NAME: Final = r"[A-Za-z0-9][A-Za-z0-9_-]*"


class Container(Extension, Generic[E]):
    """A container; a subclass says of which class its elements are."""

    element: ClassVar[type[Extension]]
    """The class of every element."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._realised: dict[str, E] = {}
        self._actions: list[tuple[str | None, Layer, Callable[[E], object]]] = []
        self._reader = ""

    def implied(self, named: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names there are when those were named by somebody; a subclass may add some by convention."""
        return named

    def known(self) -> tuple[str, ...]:
        """Return the names so far, realising nothing and leaving them open."""
        return self.implied(tuple(self.scope.ledger.elements.get(self.scope.path, {})))

    def names(self) -> tuple[str, ...]:
        """Return the names, realising nothing; from then on none may be added."""
        self._reader = self._reader or str(caller(Layer.DODO, self.scope.ledger.context.root))
        return self.known()

    def add(self, name: str, action: Callable[[E], object] | None = None) -> None:
        """Name another element, which is realised when needed; then the action is applied to it."""
        place = caller(Layer.DODO, self.scope.ledger.context.root)
        if not re.fullmatch(NAME, name):
            raise SettingsError(f"{place}: {name!r} is no name (letters, digits, '-' and '_')")
        if self._reader and name not in self.known():
            full = ".".join((*self.scope.path, name))
            raise SettingsError(
                f"{full!r} cannot be added at {place}: the names are final since {self._reader} read them"
            )
        self.scope.ledger.name_element(self.scope.path, name, place)
        if action is not None:
            self.named(name, action)

    def each(self, action: Callable[[E], object]) -> None:
        """Apply the action to every element, now or when it is realised."""
        self._keep(None, action)

    def named(self, name: str, action: Callable[[E], object]) -> None:
        """Apply the action to that element, now or when it is realised; it must exist once dodo.py has ended."""
        place = caller(Layer.DODO, self.scope.ledger.context.root)
        self.scope.ledger.mentions.append((self.scope.path, name, place))
        self._keep(name, action)

    def _keep(self, name: str | None, action: Callable[[E], object]) -> None:
        self._actions.append((name, self.scope.ledger.layer, action))
        for realised, element in list(self._realised.items()):
            self._apply(self._actions[-1:], realised, element)

    def _apply(self, actions: list[tuple[str | None, Layer, Callable[[E], object]]], name: str, element: E) -> None:
        ledger = self.scope.ledger
        for wanted, layer, action in actions:
            if wanted is None or fold(wanted) == fold(name):
                before, ledger.layer = ledger.layer, layer
                try:
                    action(element)
                finally:
                    ledger.layer = before

    def __getitem__(self, name: str) -> E:
        if name not in self._realised:
            if name not in self.known():
                full = ".".join((*self.scope.path, name))
                raise SettingsError(f"there is no {full!r}{did_you_mean(name, self.known())}")
            element = self.element(self.scope.below(name, self))
            self._realised[name] = element  # type: ignore[assignment]
            self._apply(list(self._actions), name, self._realised[name])
        return self._realised[name]

    def realised(self) -> tuple[str, ...]:
        """Return the names of the elements realised so far."""
        return tuple(self._realised)

    def __getattr__(self, name: str) -> E:
        if name.startswith("_"):
            raise AttributeError(name)
        near = [known for known in self.known() if fold(known) == fold(name)]
        if near:
            return self[near[0]]
        raise self._unknown(name)

    def declares(self) -> dict[str, Any]:
        """Return nothing: a container has elements instead of settings of its own."""
        return {}

    def __iter__(self) -> Iterator[E]:
        return iter([self[name] for name in self.names()])

    def __contains__(self, name: object) -> bool:
        return name in self.known()

    def __len__(self) -> int:
        return len(self.known())
