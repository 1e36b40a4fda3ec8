"""Settings given as text: environment variables and command line arguments, spelled as tables.

`DOIT_FLEET__SUITES__UNIT__PATHS` and `suites.unit.paths`; a last part `append` (or `+=` on the command line) adds to
the lower layers. It knows spelling only, not which names exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from pipeline.settings.ledger import Ledger, Problem
from pipeline.settings.provenance import Layer, Place
from pipeline.settings.tables import Members, Text, leaves

PREFIX: Final = "DOIT_FLEET__"


class Given(NamedTuple):
    """One variable or argument as a table of one value."""

    table: dict[str, Any]
    place: Place


def from_environment(ledger: Ledger, environment: Mapping[str, str], members: Members) -> Iterable[Given]:
    """Return each variable that is ours as a table; near misses of our prefix are noted as problems."""
    for variable, value in environment.items():
        place = Place(Layer.ENVIRONMENT, f"variable {variable}")
        if variable.startswith(PREFIX):
            parts = variable.removeprefix(PREFIX).rstrip("+").split("__")
            if variable.endswith("+"):
                parts.append("APPEND")
            if all(parts):
                yield Given(_table(parts, value), place)
            else:
                ledger.problems.append(Problem(f"{variable!r} names no setting; parts are separated by '__'", place))
        elif variable.upper().startswith("DOIT_FLEET"):
            _note_near_miss(ledger, variable, members, place)


def _note_near_miss(ledger: Ledger, variable: str, members: Members, place: Place) -> None:
    """Notice `DOIT_FLEET_WORKERS__COUNT`, `DOIT_FLEET_WORKERS_COUNT` and the like."""
    rest = variable.upper().removeprefix("DOIT_FLEET").lstrip("_")
    if "__" in rest and rest.partition("__")[0].lower() in members:
        text = f"unknown variable {variable!r} (did you mean {PREFIX + rest!r}?)"
        ledger.problems.append(Problem(text, place))
        return
    squeezed = rest.replace("_", "")
    for name in leaves(members):
        if name.replace(".", "").replace("_", "").upper() == squeezed:
            meant = PREFIX + name.upper().replace(".", "__")
            ledger.problems.append(Problem(f"unknown variable {variable!r} (did you mean {meant!r}?)", place))
            return


def from_arguments(arguments: Mapping[str, str]) -> Iterable[Given]:
    """Return each dotted argument as a table."""
    for name, value in arguments.items():
        if is_ours(name):
            parts = name.removesuffix("+").split(".")
            place = Place(Layer.COMMAND_LINE, f"argument {name}={value}")
            yield Given(_table([*parts, "append"] if name.endswith("+") else parts, value), place)


def is_ours(name: str) -> bool:
    """Tell whether an argument's name is dotted; others belong to the user's `get_var`."""
    return "." in name


def _table(parts: list[str], value: str) -> dict[str, Any]:
    table: Any = Text(value)
    for part in reversed(parts):
        table = {part: table}
    return table  # type: ignore[no-any-return]
