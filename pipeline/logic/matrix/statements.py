"""A matrix as it was written: frozen statements with their places. Nothing is multiplied here."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from pipeline.logic.matrix.filters import Block as Names
from pipeline.logic.matrix.filters import Filter, Label
from pipeline.logic.matrix.places import Place


class Operator(Enum):
    """What an assignment does with the value that is there."""

    SET = "="
    APPEND = "+="
    PREPEND = "<="
    SET_ABSENT = "~="
    SET_MATCHING = "?="
    APPEND_MATCHING = "?+="
    PREPEND_MATCHING = "?<="

    @property
    def is_of_patterns(self) -> bool:
        """Whether the key is a regular expression for keys that are there."""
        return self.value.startswith("?")


class Choice(Enum):
    """What a filter does with rows."""

    ONLY = "only"
    NO = "no"
    JOIN = "join"


@frozen(kw_only=True)
class Assignment:
    """`key = value` and its kin."""

    key: str
    operator: Operator
    value: str
    place: Place


@frozen(kw_only=True)
class Deletion:
    """`del pattern`: keys that match in full go."""

    pattern: str
    place: Place


@frozen(kw_only=True)
class Suffix:
    """`suffix text`: at the end of its block, every key so far gets it."""

    text: str
    place: Place


@frozen(kw_only=True)
class Selection:
    """`only`, `no` or `join`, whatever the place among the other statements."""

    choice: Choice
    filter: Filter
    place: Place


@frozen(kw_only=True)
class Condition:
    """`filter:` or `!filter:` with what holds for the names that meet it, or do not."""

    filter: Filter
    is_negated: bool
    block: Block
    place: Place


@frozen(kw_only=True)
class Inclusion:
    """Another file's statements, in this one's place."""

    block: Block
    place: Place


@frozen(kw_only=True)
class Variant:
    """One value of an axis. A dotted name is several labels."""

    labels: tuple[Label, ...]
    is_marked: bool
    """With `@`: not in the short name, and the default where defaults are asked for."""
    dependencies: tuple[Names, ...]
    block: Block
    place: Place

    @property
    def name(self) -> str:
        """As it was written, without `@`."""
        return ".".join(label.name for label in self.labels)


@frozen(kw_only=True)
class Stanza:
    """`variants axis [default=name]:` with its variants; without any it is a placeholder, and multiplies nothing."""

    axis: str
    defaults: tuple[str, ...]
    variants: tuple[Variant, ...]
    place: Place


@frozen(kw_only=True)
class Either:
    """Blocks whose rows come one after another, none multiplied with the others. Text has no form for it, tables have."""

    blocks: tuple[Block, ...]


Statement = Either | Assignment | Deletion | Suffix | Selection | Condition | Inclusion | Stanza


@frozen
class Block:
    """Statements of one indentation, in order."""

    statements: tuple[Statement, ...] = ()
