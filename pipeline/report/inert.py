"""Hostile text made harmless: names, messages and output of tests, before a terminal or a CI log sees them.

Knows nothing of reports. Colours are dropped, every other control character becomes visible, nothing is left that a
terminal or a CI service would obey.
"""

from __future__ import annotations

import re
from typing import Final

_COLOURS: Final = re.compile("\x1b\\[[0-9;:]*m")
_OBEYED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters but tab and newline, what turns the direction of writing, and halves of characters."""
_SERVICE_COMMANDS: Final = re.compile(r"##(?=\[|vso\[|teamcity\[)")
"""How GitHub (old form), Azure and TeamCity mark a command anywhere in a line."""


def inert(text: str) -> str:
    """Make a text safe to print; its lines stay lines."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    if "##" in text:
        text = _SERVICE_COMMANDS.sub("# #", text)
    return _OBEYED.sub(_visible, text)


def inert_line(text: str) -> str:
    """Make a text safe to print within one line."""
    return inert(text).replace("\n", "\\n").replace("\t", " ")


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"
