"""What `doit settings` answers: each setting's value, where it came from and what it overrides, as rows.

It only looks: nothing it shows becomes final. Secrets are hidden here already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pipeline.errors import SettingsError
from pipeline.settings.container import Container
from pipeline.settings.declaration import Declaration, Nested
from pipeline.settings.documentation import docstrings
from pipeline.settings.extension import Extension
from pipeline.settings.ledger import Write
from pipeline.settings.providers import Provider
from pipeline.settings.setting import Setting
from pipeline.settings.suggestion import did_you_mean


class Overridden(NamedTuple):
    """A value that a higher layer has replaced."""

    shown: str
    layer: str
    place: str


class Row(NamedTuple):
    """One setting."""

    name: str
    value: Any
    """Plain JSON, secrets hidden; None too when it is not known yet."""
    shown: str
    layer: str
    provenance: str
    overridden: tuple[Overridden, ...]
    doc: str
    form: str
    """What may be written."""

    def as_json(self) -> dict[str, Any]:
        """Return the row as a JSON object."""
        return {**self._asdict(), "overridden": [item._asdict() for item in self.overridden]}


def describe(fleet: Extension, name: str | None = None) -> list[Row]:
    """Return a row for each setting, or for those at or below the dotted name.

    Raises `SettingsError` when there is no such name.
    """
    rows = [_row(setting, owner) for owner, setting in walk(fleet)]
    if name is None:
        return rows
    chosen = [row for row in rows if row.name == name or row.name.startswith(name + ".")]
    if not chosen:
        names = {row.name for row in rows} | {row.name.partition(".")[0] for row in rows}
        raise SettingsError(f"there is no setting {name!r}{did_you_mean(name, names)}")
    return chosen


def walk(owner: Extension) -> Iterator[tuple[Extension, Setting[Any]]]:
    """Return every setting with the object it belongs to, in the order of declaration, elements realised."""
    if isinstance(owner, Container):
        for name in owner.known():
            yield from walk(owner[name])
    for member in owner.declares().values():
        if isinstance(member, Declaration):
            yield owner, Setting(owner, member)
        elif isinstance(member, Nested):
            yield from walk(owner.inner(member))


def _row(setting: Setting[Any], owner: Extension) -> Row:
    value, shown = _value(setting)
    provenance = setting.provenance()
    return Row(
        setting.name,
        value,
        shown,
        provenance.place.layer.title,
        str(provenance),
        tuple(_overridden(setting, write) for write in setting.overridden()),
        docstrings(type(owner)).get(setting.declaration.name, ""),
        setting.declaration.kind.form,
    )


def _value(setting: Setting[Any]) -> tuple[Any, str]:
    if tasks := setting.tasks():
        return None, f"<known after {', '.join(tasks)}>"
    try:
        value = setting.peek()
    except SettingsError as error:
        return None, f"<{error.message}>"
    return setting.declaration.kind.plain(value), setting.declaration.kind.show(value)


def _overridden(setting: Setting[Any], write: Write) -> Overridden:
    return Overridden(_shown(setting, write.value), write.place.layer.title, str(write.place))


def _shown(setting: Setting[Any], value: Any) -> str:
    if isinstance(value, Provider):
        return "<computed>"
    return setting.declaration.kind.show(value)


def render(rows: Sequence[Row], *, explained: bool = False) -> str:
    """Return the rows as aligned plain text; explained, with form and documentation too."""
    width = max((len(row.name) for row in rows), default=0)
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row.name:<{width}} = {row.shown}  ({_origin(row.layer, row.provenance)})")
        lines += [f"    overrides {it.shown}  ({_origin(it.layer, it.place)})" for it in row.overridden if explained]
        lines += [f"    expected: {row.form}" for _ in "1" if explained]
        lines += [f"    {line}" for line in row.doc.splitlines() if explained]
    return "\n".join(lines)


def _origin(layer: str, place: str) -> str:
    return place if place.startswith((layer, "inherited")) else f"{layer}: {place}"
