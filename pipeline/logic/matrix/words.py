"""How filters and dependencies are written: today's form, and regular expressions as files of 2009 have them.

A word with any of `| * + ? ^ $ \\ { }` or brackets is a regular expression on the dotted name, bounded by dots; `RHEL|Windows`,
alternatives without anything else, is the same as `RHEL, Windows`, and so can drop a branch early.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipeline.logic.matrix.filters import Alternative, Block, Filter, Label
from pipeline.logic.matrix.places import MatrixError, Place

HINT: Final = (
    "a filter is variant names with ',' for or, '..' for and, '.' for immediately followed by: qcow2..Fedora.14, RHEL"
)
_NAME: Final = r"[\w-]+"
_AXIS: Final = rf'\(\s*({_NAME})\s*(?:=\s*(?:({_NAME})|"([^"]*)")\s*)?\)'
_LABEL: Final = re.compile(rf"{_AXIS}|({_NAME})")
_PLAIN: Final = re.compile(rf"{_NAME}(?:\.{{1,2}}{_NAME})*")
_OF_2009: Final = re.compile(r"[|*+?^$\\{}\[\]]|\((?!\s*[\w-]+\s*(?:=[^()]*)?\))")
_PIECE: Final = re.compile(r'\([^()]*\)|"[^"]*"|\[[^\]]*\]|\{[^}]*\}|[^\s,]')


def filter_of(text: str, place: Place) -> Filter:
    """The filter in a text without comment. Raises `MatrixError` for what is none."""
    if "${" in text:
        hint = "filters are decided before values are known; name the variants"
        raise MatrixError(place, f"filter {text.strip()!r} refers to a value", hint=hint)
    words = list(_words(text, place))
    if not words:
        raise MatrixError(place, "a filter without a name", hint=HINT)
    return Filter(text.strip(), tuple(found for word in words for found in _alternatives(word, place)))


def dependencies_of(text: str, place: Place) -> tuple[Block, ...]:
    """What follows the colon of a variant: names of variants, each of which may be dotted. Raises `MatrixError`."""
    if not text.strip():
        return ()
    found = filter_of(text, place)
    if any(alternative.pattern for alternative in found.alternatives):
        raise MatrixError(place, f"dependency {text.strip()!r} is no list of variant names")
    return tuple(block for alternative in found.alternatives for block in alternative.blocks)


def without_comment(text: str) -> str:
    """The text up to a `#`."""
    return text.partition("#")[0].rstrip()


def _words(text: str, place: Place) -> Iterator[str]:
    """Words between commas and blanks; a comma must have a word before it."""
    position, word, waiting = 0, "", False
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece:
            word += piece[0]
            position = piece.end()
            continue
        if word:
            yield word
            waiting = True
        word = ""
        if text[position] == ",":
            if not waiting:
                raise MatrixError(place, f"filter {text.strip()!r} has a comma with nothing before it", hint=HINT)
            waiting = False
        position += 1
    if word:
        yield word


def _alternatives(word: str, place: Place) -> Iterator[Alternative]:
    if not _OF_2009.search(word):
        yield Alternative(word, _blocks(word, place))
        return
    sides = word.split("|")
    if all(_PLAIN.fullmatch(side) for side in sides):
        yield from (Alternative(side, _blocks(side, place)) for side in sides)
        return
    try:
        yield Alternative(word, pattern=re.compile(rf"(?:\.|^)(?:{word})(?:\.|$)"))
    except re.error as problem:
        raise MatrixError(place, f"filter {word!r} is no regular expression: {problem}", hint=HINT) from None


def _blocks(word: str, place: Place) -> tuple[Block, ...]:
    blocks: list[list[str]] = [[]]
    position, dots = 0, 1
    while position < len(word):
        label = _LABEL.match(word, position)
        if label and dots in (1, 2):
            if dots == 2:
                blocks.append([])
            blocks[-1].append(_key(label))
            position, dots = label.end(), 0
        elif word[position] == "." and position:
            position, dots = position + 1, dots + 1
        else:
            raise MatrixError(place, f"filter {word!r} is not well formed at {word[position:]!r}", hint=HINT)
    if dots:
        raise MatrixError(place, f"filter {word!r} ends with a dot", hint=HINT)
    return tuple(map(tuple, blocks))


def _key(found: re.Match[str]) -> str:
    axis, name, quoted, bare = found.groups()
    value = quoted if quoted is not None else name
    return bare or (Label(value, axis).long if value is not None else axis)
