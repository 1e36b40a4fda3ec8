"""Finds settings objects of outside packages, by the entry point group `doit_fleet.extensions`.

The entry point's name is the table's name, its value an `Extension` subclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import SettingsError
from pipeline.graph.plugins import entry_points
from pipeline.settings.extension import Extension

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "doit_fleet.extensions"


def outside_extensions() -> dict[str, type[Extension]]:
    """Return the classes by name, in the order of names. Raises `SettingsError` naming the entry point at fault."""
    found: dict[str, type[Extension]] = {}
    for point in sorted(entry_points(GROUP)):
        kind = _load(point)
        if not (isinstance(kind, type) and issubclass(kind, Extension)):
            raise SettingsError(f"entry point {point.name!r} of {GROUP} is {kind!r}, expected an Extension subclass")
        if point.name in found:
            raise SettingsError(f"two packages have an extension {point.name!r}: {found[point.name]!r} and {kind!r}")
        found[point.name] = kind
    return found


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        dist = point.dist.name if point.dist else "?"
        raise SettingsError(
            f"extension {point.name!r} of package {dist!r} cannot be loaded: {error!r}",
            hint="mend that package or remove it from the environment of doit-fleet",
        ) from error
