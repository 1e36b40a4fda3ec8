"""From text to statements: the Cartesian format of KVM-Autotest and Avocado-VT.

Pure: what `include` names is read by a callable that is handed in. Every problem is a `MatrixError` with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from attrs import frozen

from pipeline.logic.matrix import headings
from pipeline.logic.matrix.lines import Cursor, Line
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.statements import (
    Assignment,
    Block,
    Choice,
    Condition,
    Deletion,
    Inclusion,
    Operator,
    Selection,
    Stanza,
    Statement,
    Suffix,
    Variant,
)
from pipeline.logic.matrix.words import dependencies_of, filter_of, without_comment

Load = Callable[[str, Place], tuple[str, str]]
"""(path as written, place of the `include`) -> (name for messages, text). Raises `MatrixError` when there is none."""

DEEPEST: Final = 50
"""Files within files; more are taken for a circle."""

_OPERATOR: Final = re.compile(r"\?\+=|\?<=|\?=|\+=|<=|~=|=")
_NAMED_CONDITION: Final = re.compile(r'!?[\w\s.,-]*\(\s*[\w-]+\s*=\s*(?:[\w-]+|"[^"]*")\s*\)[\w\s.,()="-]*:')
_KEYWORD: Final = re.compile(r"(only|no|join|include|del|suffix) +(.*)")


def read_text(text: str, file: str = "<string>", load: Load | None = None) -> Block:
    """The statements of a text. Raises `MatrixError`."""
    return _Reader(load or _nothing_to_include, ()).whole(text, file)


def _nothing_to_include(path: str, place: Place) -> tuple[str, str]:
    raise MatrixError(
        place, f"include {path!r}: this text comes without files", hint="put it into a file, or write it out"
    )


@frozen
class _Reader:
    load: Load
    files: tuple[str, ...]
    """Those that are being read, the innermost last."""

    def whole(self, text: str, file: str) -> Block:
        cursor = Cursor.over(text, file)
        return _Reader(self.load, (*self.files, file)).block(cursor, -1)

    def block(self, cursor: Cursor, outer: int) -> Block:
        """Statements that are indented deeper than `outer`; a suffix comes last, wherever it was written."""
        found: list[Statement] = []
        suffix: Suffix | None = None
        while line := cursor.take(outer):
            statement = self.statement(line, cursor)
            if isinstance(statement, Suffix):
                suffix = statement
            else:
                found.append(statement)
        return Block((*found, suffix) if suffix else tuple(found))

    def statement(self, line: Line, cursor: Cursor) -> Statement:
        if line.text.startswith(("variants:", "variants ")):
            return self.stanza(line, cursor)
        if line.text.startswith("-"):
            hint = "variants stand below 'variants:', indented deeper than it"
            raise MatrixError(line.place, f"{line.text!r} is a variant outside 'variants:'", hint=hint)
        if line.text.startswith("subvariants:"):
            hint = "variants in a variant do the same: write 'variants:' inside the variants they belong to"
            raise MatrixError(line.place, "'subvariants:' is not read any more", hint=hint)
        keyword = _KEYWORD.fullmatch(line.text)
        return self.keyword(keyword[1], keyword[2], line) if keyword else self.other(line, cursor)

    def keyword(self, word: str, rest: str, line: Line) -> Statement:
        if word == "include":
            return self.inclusion(rest, line.place)
        said = without_comment(rest)
        if word == "del":
            if not said or re.search(r"\s", said):
                raise MatrixError(
                    line.place, f"{line.text!r} deletes no single key", hint="write one name or pattern: del k.*"
                )
            return Deletion(pattern=_pattern(said, line), place=line.place)
        if word == "suffix":
            if not re.fullmatch(r"[\w-]+", said):
                raise MatrixError(line.place, f"suffix {said!r} is not of letters, digits, '_' and '-'")
            return Suffix(text=said, place=line.place)
        return Selection(choice=Choice(word), filter=filter_of(said, line.place), place=line.place)

    def inclusion(self, path: str, place: Place) -> Inclusion:
        if len(self.files) > DEEPEST:
            raise MatrixError(place, f"include {path!r}: files include each other", hint=" -> ".join(self.files[-4:]))
        name, text = self.load(path, place)
        return Inclusion(block=self.whole(text, name), place=place)

    def other(self, line: Line, cursor: Cursor) -> Statement:
        """An assignment, when an operator comes before any colon; else a condition."""
        operator = _OPERATOR.search(line.text)
        colon = line.text.find(":")
        if operator and not 0 <= colon < operator.end() and not _NAMED_CONDITION.match(line.text):
            return _assignment(line, operator)
        if colon >= 0:
            return self.condition(line, cursor)
        hint = "a line is 'key = value', 'only filter', 'no filter', 'filter:', 'variants:', 'include file', 'del key' or a variant"
        raise MatrixError(line.place, f"{line.text!r} has neither an operator nor a colon", hint=hint)

    def condition(self, line: Line, cursor: Cursor) -> Condition:
        head, _, rest = line.text.partition(":")
        rest = rest.strip()
        if rest and not rest.startswith("#"):
            cursor.push(Line(rest, line.indent + 1, line.place))
        inner = self.block(cursor, line.indent)
        for statement in inner.statements:
            _check_conditional(statement)
        negated = head.startswith("!")
        return Condition(
            filter=filter_of(head.removeprefix("!"), line.place), is_negated=negated, block=inner, place=line.place
        )

    def stanza(self, line: Line, cursor: Cursor) -> Stanza:
        heading = headings.stanza_heading(line)
        variants: list[Variant] = []
        while below := cursor.take(line.indent):
            variants.append(self.variant(below, cursor, heading.axis))
        names = [variant.name for variant in variants]
        for wanted in heading.defaults:
            if wanted not in names:
                raise MatrixError(
                    line.place, f"default {wanted!r} is no variant here", hint=f"they are {', '.join(names)}"
                )
        return Stanza(axis=heading.axis, defaults=heading.defaults, variants=tuple(variants), place=line.place)

    def variant(self, line: Line, cursor: Cursor, axis: str) -> Variant:
        heading = headings.variant_heading(line, axis)
        return Variant(
            labels=heading.labels,
            is_marked=heading.is_marked,
            dependencies=dependencies_of(heading.dependencies, line.place),
            block=self.block(cursor, line.indent),
            place=line.place,
        )


def _assignment(line: Line, operator: re.Match[str]) -> Assignment:
    key, value = line.text[: operator.start()].rstrip(), line.text[operator.end() :].lstrip()
    if not key:
        raise MatrixError(line.place, f"{line.text!r} assigns to nothing")
    if value and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    kind = Operator(operator[0])
    if kind.is_of_patterns:
        _pattern(key, line)
    return Assignment(key=key, operator=kind, value=value, place=line.place)


def _pattern(text: str, line: Line) -> str:
    try:
        re.compile(text)
    except re.error as problem:
        raise MatrixError(line.place, f"{text!r} is no regular expression for keys: {problem}") from None
    return text


def _check_conditional(statement: Statement) -> None:
    if isinstance(statement, Inclusion):
        for inner in statement.block.statements:
            _check_conditional(inner)
    if isinstance(statement, Stanza):
        raise MatrixError(statement.place, "'variants' may not stand in a conditional block")
    if isinstance(statement, Selection) and statement.choice is Choice.JOIN:
        raise MatrixError(statement.place, "'join' may not stand in a conditional block")
