"""Where a store is: a folder of the project or an address of another scheme.

It knows the difference between the two and nothing of any scheme.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.settings.kinds import Context, Kind, Schema
from pipeline.settings.secret import HIDDEN


class Location(Kind[str]):
    """A text with `://` as it is, anything else as a path relative to the root, made absolute."""

    form = "a folder, relative to the project's root, or an address such as s3://bucket/prefix"

    def parse(self, value: object, context: Context) -> str:
        """Return the address or the absolute path."""
        if isinstance(value, Path):
            value = str(value)
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.refuse(value)
        if value.startswith("file://"):
            value = value.removeprefix("file://")
        return value if "://" in value else str(context.root / Path(value).expanduser())

    def plain(self, value: str) -> Any:
        """Hide a password in the address."""
        scheme, separator, rest = value.partition("://")
        authority, slash, path = rest.partition("/")
        user, at, host = authority.rpartition("@")
        if at and ":" in user:
            authority = f"{user.partition(':')[0]}:{HIDDEN}@{host}"
        return f"{scheme}{separator}{authority}{slash}{path}"

    def schema(self, context: Context) -> Schema:
        """Allow any text."""
        return {"type": "string", "minLength": 1}


location = Location()
