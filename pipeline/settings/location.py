"""Where a store is: a folder of the project or an address of another scheme.

It knows the difference between the two, and asks the context's choices `stores` which schemes there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.settings.kinds import Context, Kind, Schema, WrongValue
from pipeline.settings.secret import HIDDEN
from pipeline.settings.suggestion import did_you_mean


class Location(Kind[str]):
    """A text with `://` as it is, anything else as a path relative to the root, made absolute."""

    form = "a folder, relative to the project's root, or an address such as s3://bucket/prefix"

    def parse(self, value: object, context: Context) -> str:
        """Return the address or the absolute path. An address of a scheme nobody offers is refused."""
        if isinstance(value, Path):
            value = str(value)
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.refuse(value)
        if value.startswith("file://"):
            value = value.removeprefix("file://")
        if "://" not in value:
            return str(context.root / Path(value).expanduser())
        scheme, schemes = value.partition("://")[0], context.choices.get("stores")
        if schemes is not None and scheme not in (known := tuple(schemes())):
            raise WrongValue(f"there is no store for {scheme!r}://{did_you_mean(scheme, known)}")
        return value

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
