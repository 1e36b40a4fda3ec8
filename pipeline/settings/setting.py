"""One setting: a lazy value resolved from the layers, final once read.

It knows the ledger and its own kind; where writes come from (files, variables, Python) is not its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.errors import FleetError, SettingsError
from pipeline.settings.kinds import Context, WrongValue
from pipeline.settings.ledger import Cell, Path, Write
from pipeline.settings.provenance import BUILT_IN, INHERITED, Layer, Place, Provenance, caller
from pipeline.settings.providers import Provider

if TYPE_CHECKING:
    from pipeline.settings.declaration import Declaration
    from pipeline.settings.extension import Extension

T = TypeVar("T")


class Setting(Provider[T]):
    """A setting of one settings object. `get` reads it, assignment or `set` sets it."""

    def __init__(self, owner: Extension, declaration: Declaration[T]) -> None:
        self.path: Path = (*owner.scope.path, declaration.name)
        self.declaration = declaration
        self._owner, self._ledger = owner, owner.scope.ledger

    @property
    def name(self) -> str:
        """The dotted name, as on the command line."""
        return ".".join(self.path)

    @property
    def context(self) -> Context:
        """What the kind must know to check a value."""
        return self._ledger.context

    @property
    def _cell(self) -> Cell:
        return self._ledger.cell(self.path)

    def __repr__(self) -> str:
        return f"<setting {self.name}>"

    def set(self, value: object) -> None:
        """Set a value or a provider of one, replacing what lower layers say."""
        self._write(value, self._layer_of_set(), joined=False)

    def append(self, value: object) -> None:
        """Add to what lower layers say: items to a list, keys to a map. Raises `SettingsError` for other kinds."""
        if not self.declaration.kind.joins:
            raise SettingsError(f"setting {self.name!r} is neither list nor map, so nothing can be appended to it")
        self._write(value, self._layer_of_set(), joined=True)

    def convention(self, value: object) -> None:
        """Give a default, or a provider of one, that any value of the user's own stands above."""
        self._write(value, Layer.CONVENTION, joined=False)

    def _layer_of_set(self) -> Layer:
        if self._ledger.layer == Layer.CONVENTION:
            raise SettingsError(
                f"setting {self.name!r} may not be set by an extension", hint="extensions give defaults: .convention(…)"
            )
        return self._ledger.layer

    def _write(self, value: object, layer: Layer, *, joined: bool) -> None:
        place = caller(layer, self._ledger.context.root)
        if self._cell.reader:
            raise SettingsError(
                f"setting {self.name!r} cannot be set at {place}: its value "
                f"({self.provenance()}) is final since {self._cell.reader} read it",
                hint="set it before it is read, or pass it on lazily with .map(…) instead of .get()",
            )
        self._cell.writes.append(Write(place, self._parsed(value, place), joined))

    def _parsed(self, value: object, place: Place) -> object:
        if isinstance(value, Provider):
            return value
        try:
            return self.declaration.kind.parse(value, self._ledger.context)
        except WrongValue as error:
            raise SettingsError(f"{place}: setting {self.name!r}: {error}") from None

    def compute(self, reader: str | None) -> T:
        """Resolve the layers, or return the final value; with a reader the result is final."""
        if reader is not None and not self._ledger.configuring:
            self._ledger.insist()
        cell = self._cell
        if not cell.reader:
            with self._ledger.resolving(self.name):
                value = self._resolve(reader)
            if reader is None:
                return value
            cell.reader, cell.value = reader, value
        return cell.value  # type: ignore[no-any-return]

    def _resolve(self, reader: str | None) -> T:
        inner = None if reader is None else f"setting {self.name!r}"
        kind = self.declaration.kind
        first, *others = self.effective()
        value = self._unwrap(first, inner)
        for write in others:
            value = kind.join(value, self._unwrap(write, inner))
        return value

    def _unwrap(self, write: Write, reader: str | None) -> T:
        value = write.value
        if not isinstance(value, Provider):
            return value  # type: ignore[no-any-return]
        try:
            return self.declaration.kind.parse(value.compute(reader), self._ledger.context)
        except FleetError:
            raise
        except WrongValue as error:
            raise SettingsError(f"{write.place}: setting {self.name!r}: {error}") from None
        except Exception as error:
            text = f"{write.place}: setting {self.name!r} could not be computed: {type(error).__name__}: {error}"
            raise SettingsError(text) from error

    def stack(self) -> list[Write]:
        """Return every write, lowest layer first, the built-in or inherited value included.

        What a user set on the parent stands above conventions of its heirs; a mere default of the parent does not.
        """
        writes = sorted(self._cell.writes, key=lambda write: write.place.layer)
        parent = self._parent()
        if parent is None:
            return [self._default(), *writes]
        above = parent.top() > Layer.CONVENTION
        start = sum(write.place.layer == Layer.CONVENTION for write in writes) if above else 0
        return [*writes[:start], Write(INHERITED, parent), *writes[start:]]

    def top(self) -> Layer:
        """Return the highest layer that says anything here or, where it is inherited, above."""
        parent = self._parent()
        layers = [write.place.layer for write in self._cell.writes]
        return max([Layer.BUILT_IN if parent is None else parent.top(), *layers])

    def effective(self) -> list[Write]:
        """Return the writes that make up the value: the highest that replaces, and what is joined to it above."""
        stack = self.stack()
        start = max(index for index, write in enumerate(stack) if not write.joined)
        return stack[start:]

    def overridden(self) -> list[Write]:
        """Return the writes that a higher one has replaced, highest first."""
        stack = self.stack()
        return stack[: len(stack) - len(self.effective())][::-1]

    def _parent(self) -> Setting[Any] | None:
        return self._owner.inherited(self.declaration.name)

    def _default(self) -> Write:
        default: Any = self.declaration.default_for(self._owner)
        if not isinstance(default, Provider):
            default = self.declaration.kind.parse(default, self._ledger.context)
        return Write(BUILT_IN, default)

    def provenance(self) -> Provenance:
        """Return where the value comes from; of a joined value, its highest part."""
        write = self.effective()[-1]
        if not isinstance(write.value, Provider):
            return Provenance(write.place)
        return Provenance(write.place, tuple((it.name, it.provenance()) for it in write.value.settings()))

    def inputs(self) -> tuple[Provider[Any], ...]:
        """Return the providers the value is made of."""
        return tuple(write.value for write in self.effective() if isinstance(write.value, Provider))

    def tasks(self) -> tuple[str, ...]:
        """Return the names of all tasks that must have run before this value may be read."""
        with self._ledger.resolving(self.name):
            return super().tasks()

    def settings(self) -> tuple[Setting[Any], ...]:
        """Return this setting itself: whoever is computed from it goes no further."""
        return (self,)
