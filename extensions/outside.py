"""Finds settings objects of outside packages, by the entry point group `doit_fleet.extensions`.

The entry point's name is the table's name, its value an `Extension` subclass.
"""

from __future__ import annotations

from typing import Final

from pipeline.errors import SettingsError
from pipeline.settings.extension import Extension

GROUP: Final = "doit_fleet.extensions"


def outside_extensions() -> dict[str, type[Extension]]:
    """Return the classes by name, in the order of names. Raises `SettingsError` naming the entry point at fault."""
    from importlib.metadata import entry_points

    found: dict[str, type[Extension]] = {}
    for point in sorted(entry_points(group=GROUP)):
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Extension)):
            raise SettingsError(f"entry point {point.name!r} of {GROUP} is {kind!r}, expected an Extension subclass")
        if point.name in found:
            raise SettingsError(f"two packages have an extension {point.name!r}: {found[point.name]!r} and {kind!r}")
        found[point.name] = kind
    return found
