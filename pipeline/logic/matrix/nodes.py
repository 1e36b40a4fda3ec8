"""A matrix as a graph that rows are paths of: from the stanza that was written last down to what was written first.

A node that two paths share is one node. Values only; `compiling` makes them, `expanding` walks them.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from pipeline.logic.matrix.filters import Block, Filter, Label
from pipeline.logic.matrix.places import Place
from pipeline.logic.matrix.statements import Choice
from pipeline.logic.matrix.values import Key, Step


@frozen(eq=False)
class Chunk:
    """Steps one after another; `plain` is their result when all of them set constants."""

    steps: tuple[Step, ...]
    plain: Mapping[Key, str] | None


@frozen(eq=False)
class Rule:
    """A filter that drops rows."""

    choice: Choice
    filter: Filter
    place: Place

    def __str__(self) -> str:
        return f"{self.choice.value} {self.filter.text}"


@frozen(eq=False)
class Choosing:
    """A conditional block: what holds once its filter is decided."""

    filter: Filter
    is_negated: bool
    items: tuple[Item, ...]
    rules: tuple[Rule, ...]
    place: Place


Item = Chunk | Choosing


@frozen(eq=False, kw_only=True)
class Node:
    """A variant, a stanza, or the start; statements about values in order, the outer ones apply after the inner ones."""

    labels: tuple[Label, ...]
    text: str
    """The labels as they are in a name."""
    short: str
    """The labels as they are in a short name; empty when they are not in it."""
    keys: frozenset[str]
    dependencies: tuple[Block, ...]
    items: tuple[Item, ...]
    rules: tuple[Rule, ...]
    joins: tuple[Rule, ...]
    is_open: bool
    """Whether an item waits for a condition."""
    children: tuple[Node, ...]
    below: frozenset[str]
    """The keys of all labels further down."""
    is_common: bool
    """Whether it stands outside of any variant: what it says is said of all rows."""
    is_default: bool
    has_default: bool
    """Whether one default child is enough."""
    place: Place | None


@frozen(kw_only=True)
class Tree:
    """A whole matrix, ready to be expanded."""

    root: Node
    has_suffixes: bool
    has_bounds: bool
