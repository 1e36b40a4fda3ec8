"""Names of secrets in place of their values. The value is looked up by whoever starts the process that needs it.

Nothing here prints, stores or caches a secret's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import SettingsError

HIDDEN = "•••"


class Secret(NamedTuple):
    """A secret by name, written `{ secret = "db" }`."""

    name: str

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return HIDDEN

    @property
    def variable(self) -> str:
        """The environment variable that may hold the value."""
        return "DOIT_FLEET_SECRET_" + self.name.upper().replace("-", "_")

    def reveal(self, environment: Mapping[str, str], home: Path) -> str:
        """Return the value, from `DOIT_FLEET_SECRET_<NAME>` or the file `~/.config/doit-fleet/secrets/<name>`.

        One line end at the file's end does not count. Raises `SettingsError` when it is in neither.
        """
        if self.variable in environment:
            return environment[self.variable]
        file = home / ".config" / "doit-fleet" / "secrets" / self.name
        try:
            return file.read_text(encoding="utf-8").removesuffix("\n")
        except OSError:
            raise SettingsError(
                f"secret {self.name!r} is not known here", hint=f"set {self.variable}, or write it to {file}"
            ) from None


def is_secret_table(value: object) -> bool:
    """Tell whether a raw value has the form `{ secret = … }`."""
    return isinstance(value, Mapping) and set(value) == {"secret"}
