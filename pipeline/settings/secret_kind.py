"""A value that may only be given by the name of a secret, so that no file, list of processes or log ever holds it.

It does not look the secret up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.settings.kinds import Context, Kind, Schema
from pipeline.settings.secret import HIDDEN, Secret, is_secret_table


class SecretName(Kind["Secret | None"]):
    """A secret by name, or none."""

    form = 'the name of a secret: { secret = "name" }'

    def parse(self, value: object, context: Context) -> Secret | None:
        """Return the secret's name; a value that may be the secret itself is not repeated in the error."""
        if value is None or isinstance(value, Secret):
            return value
        if isinstance(value, Mapping) and is_secret_table(value) and _is_name(value["secret"]):
            return Secret(str(value["secret"]))
        raise self.refuse(HIDDEN)

    def read(self, text: str) -> object:
        """Read the name alone, or the table as in a file."""
        table = _TABLE.fullmatch(text.strip())
        return {"secret": table[2] if table else text}

    def plain(self, value: Secret | None) -> Any:
        """Hide it."""
        return None if value is None else HIDDEN

    def schema(self, context: Context) -> Schema:
        """Allow the table."""
        return {
            "type": "object",
            "properties": {"secret": {"type": "string"}},
            "required": ["secret"],
            "additionalProperties": False,
        }


_TABLE = re.compile(r"""\{\s*secret\s*=\s*(["'])(.*)\1\s*\}""")


def _is_name(text: object) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", str(text)) is not None


secret_name = SecretName()
