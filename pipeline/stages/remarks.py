"""What matrices say that matches nothing and is no error, told to those who do not ask: mostly a name that was misspelt.

A part of `plan`, `doctor` and `launch`; `explain` lists all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.logic.matrix.checking import Unmet

NAMED = 5
"""Old files are full of names that other files would bring."""
ALL = "`doit explain` names all"


def as_json(found: Mapping[str, Iterable[Unmet]]) -> list[dict[str, Any]]:
    """`[{suite, place, said}]` of remarks by suite."""
    return [
        {"suite": suite, "place": str(each.place), "said": str(each)}
        for suite, remarks in found.items()
        for each in remarks
    ]


def as_lines(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A warning for each of the first."""
    for each in told[:NAMED]:
        yield f"warning: {each['place']}: {each['said']}"
    if len(told) > NAMED:
        yield f"warning: {len(told) - NAMED} more in matrices; {ALL}"


def as_line(told: Sequence[Mapping[str, Any]]) -> str:
    """All of them in one line; empty when there are none."""
    if not told:
        return ""
    more = f", and {len(told) - 1} more in matrices; {ALL}" if len(told) > 1 else ""
    return f"{told[0]['place']}: {told[0]['said']}{more}"
