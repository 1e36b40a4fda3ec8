"""Values as TOML on one line, for settings that tests give."""

from __future__ import annotations

import json
from typing import Any


def inline(value: Any) -> str:
    """Tables and lists of them, texts, numbers, booleans."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {inline(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    return json.dumps(value)
