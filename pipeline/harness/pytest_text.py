"""Texts that tests produce, made fit for travel: bounded, encodable, plain JSON.

Knows nothing of pytest.
"""

from __future__ import annotations

import json
from typing import Any

SECTION_LIMIT = 64 * 1024
DETAILS_LIMIT = 256 * 1024
_encode = json.JSONEncoder(allow_nan=False).encode


def capped(text: str, limit: int = SECTION_LIMIT) -> str:
    """Keep the first and the last `limit` characters, and say how many are left out."""
    if len(text) > 2 * limit:
        left_out = len(text) - 2 * limit
        text = f"{text[:limit]}\n[… {left_out} characters left out by doit-fleet …]\n{text[-limit:]}"
    return plain(text)


def plain(text: str) -> str:
    """Replace what UTF-8 cannot carry (lone surrogates)."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def one_line(text: str) -> str:
    """The first line that says something, bounded."""
    for line in text.splitlines():
        if line.strip():
            return plain(line.strip()[:1000])
    return ""


def plain_value(value: Any) -> Any:
    """The value if it is plain JSON, else its `repr`."""
    if type(value) in (str, int, bool, type(None)):
        return plain(value) if type(value) is str else value
    try:
        return json.loads(_encode(value))
    except Exception:
        return plain(safe_repr(value))


def safe_repr(value: Any) -> str:
    """`repr`, whatever the value's own one does."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__} whose repr raised {type(error).__name__}>"
