"""Instructions of a Dockerfile by number, so that a failed build can name the line. Pure.

Grammar: https://docs.docker.com/reference/dockerfile/#format; here-documents are not taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

STEP: Final = re.compile(r"Step (\d+)/\d+ : (.*)")
"""What the classic builder says before each instruction."""


def instructions(text: str) -> Sequence[tuple[int, str]]:
    """(line number from 1, text of the first line) of each instruction, in order."""
    found: list[tuple[int, str]] = []
    goes_on = False
    for number, line in enumerate(text.splitlines(), start=1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if not goes_on:
            found.append((number, bare))
        goes_on = bare.endswith("\\")
    return found


def failing_line(text: str, step: int) -> str:
    """`line 7: RUN make`, of the step with that number from 1; empty when there is none."""
    found = instructions(text)
    if not 1 <= step <= len(found):
        return ""
    number, instruction = found[step - 1]
    return f"line {number}: {instruction}"
