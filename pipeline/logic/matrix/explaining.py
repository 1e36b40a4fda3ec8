"""Why a row is as it is, or is not there: which statement set each value, which filter dropped it at which line. Pure.

Nothing but the names asked for is walked, so the answer does not wait for the whole matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from typing import Final

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.logic.matrix.expanding import Trail, enter, expand, has_rows, row_of
from pipeline.logic.matrix.filters import Label, Seen, decide
from pipeline.logic.matrix.nearest import nearest
from pipeline.logic.matrix.nodes import Choosing, Item, Node, Rule, Tree
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.rows import Row, Setting
from pipeline.logic.matrix.statements import Choice
from pipeline.logic.matrix.words import filter_of

MOST: Final = 100
"""Rows that one short name may stand for."""
LOOKED_AT: Final = 2_000
"""Names compared with one that is not there."""


@frozen
class Kept:
    """A row that is there, and what set its values, the last one counting."""

    row: Row
    settings: Mapping[str, tuple[Setting, ...]]


@frozen
class Reason:
    """What drops a combination, as it was written, and where."""

    said: str
    place: Place


@frozen
class Dropped:
    """A combination that is not there, and everything that drops it."""

    name: str
    reasons: tuple[Reason, ...]


def explain(tree: Tree, wanted: str) -> tuple[Kept | Dropped, ...]:
    """All combinations with that name or short name, else those that meet it as a filter.

    Raises `UsageError` when there never were any, and when a filter means more than `MOST`.
    """
    joined = [row for row in expand(tree) if wanted in (row.name, row.shortname)] if _has_joins(tree.root) else []
    if joined:
        return tuple(Kept(row, row.provenance()) for row in joined)
    parts = wanted.split(".")
    paths = list(islice(_paths(tree.root, parts, is_short=False), MOST))
    paths = paths or list(islice(_paths(tree.root, parts, is_short=True), MOST))
    if not paths:
        paths = list(islice(_meeting(tree.root, wanted), MOST + 1))
        if len(paths) > MOST:
            raise UsageError(f"more than {MOST} rows meet {wanted!r}", hint="name more of their variants: linux..ide")
    if not paths:
        _refuse_order(tree, wanted, parts)
        names = {name for row in islice(expand(tree), LOOKED_AT) for name in (row.name, row.shortname)}
        raise UsageError(f"no row is called {wanted!r}{nearest(wanted, names)}", hint="`doit explain` names them")
    return tuple(_told(tree, path) for path in paths)


def _told(tree: Tree, path: tuple[Node, ...]) -> Kept | Dropped:
    labels = tuple(label for node in path for label in node.labels)
    seen = Seen(labels, frozenset(key for label in labels for key in label.keys), frozenset())
    reasons = [
        Reason(str(rule), rule.place)
        for node in path
        for rule in (*node.rules, *_opened(node.items, seen), *_of_joins(node))
        if (decide(rule.filter, seen) is True) is (rule.choice is Choice.NO)
    ]
    reasons = reasons or list(_of_defaults(tree, path))
    if reasons:
        return Dropped(".".join(label.long for label in labels), tuple(reasons))
    trail = _trail(path)
    assert trail is not None  # No rule drops it.
    row = row_of(tree, trail)
    return Kept(row, row.provenance())


def _trail(path: tuple[Node, ...]) -> Trail | None:
    trail: Trail | None = Trail()
    for node in path:
        trail = enter(node, trail, node.rules) if trail else None
    return trail


def _of_defaults(tree: Tree, path: tuple[Node, ...]) -> Iterator[Reason]:
    """Stanzas whose default stands for this variant, because it has rows."""
    for at, (node, child) in enumerate(pairwise(path), start=1):
        if not node.has_default or child.is_default:
            continue
        trail, default = _trail(path[:at]), next(each for each in node.children if each.is_default)
        if trail is not None and has_rows(tree, default, trail):
            yield Reason(f"default {default.text}", default.place or Place("<matrix>", 0))


def _of_joins(node: Node) -> Iterator[Rule]:
    """A join keeps what meets any of its sides."""
    if node.joins:
        sides = tuple(side for join in node.joins for side in join.filter.alternatives)
        first = node.joins[0]
        yield Rule(Choice.JOIN, type(first.filter)(first.filter.text, sides), first.place)


def _opened(items: tuple[Item, ...], seen: Seen) -> Iterator[Rule]:
    """Rules in the conditional blocks that hold."""
    for item in items:
        if isinstance(item, Choosing) and (decide(item.filter, seen) is True) is not item.is_negated:
            yield from item.rules
            yield from _opened(item.items, seen)


def _paths(root: Node, parts: list[str], *, is_short: bool) -> Iterator[tuple[Node, ...]]:
    """Ways down whose names, or short names, are these parts."""
    waiting: list[tuple[tuple[Node, ...], int]] = [((root,), 0)]
    while waiting:
        path, index = waiting.pop()
        node = path[-1]
        if node.labels and (node.short or not is_short):
            end = index + len(node.labels)
            if len(parts) < end or not all(map(_is_called, node.labels, parts[index:end])):
                continue
            index = end
        if not node.children and index == len(parts):
            yield path
        if all(part in node.below for part in parts[index:]):
            waiting += [((*path, child), index) for child in reversed(node.children)]


def _meeting(root: Node, text: str) -> Iterator[tuple[Node, ...]]:
    """Ways down whose names meet a filter; none for what is no filter."""
    try:
        wanted = filter_of(text, Place("--test", 0))
    except MatrixError:
        return
    waiting: list[tuple[Node, ...]] = [(root,)]
    while waiting:
        path = waiting.pop()
        labels = tuple(label for node in path for label in node.labels)
        met = decide(wanted, Seen(labels, frozenset(key for label in labels for key in label.keys), path[-1].below))
        if met is False:
            continue
        if not path[-1].children and met:
            yield path
        waiting += [(*path, child) for child in reversed(path[-1].children)]


def _refuse_order(tree: Tree, wanted: str, parts: list[str]) -> None:
    """Raise `UsageError` when a name has the same words in another order."""
    for is_short in (False, True):
        for path in islice(_shuffled(tree.root, tuple(parts), is_short=is_short), 1):
            nodes = [node for node in path if node.labels and (node.short or not is_short)]
            name = ".".join(label.name if is_short else label.long for node in nodes for label in node.labels)
            raise UsageError(
                f"no row is called {wanted!r}; {name!r} has these words in another order",
                hint="names begin with the variant that was declared last; linux..ide means both in any order",
            )


def _shuffled(root: Node, parts: tuple[str, ...], *, is_short: bool) -> Iterator[tuple[Node, ...]]:
    """Ways down whose names, or short names, have these parts in any order."""
    waiting: list[tuple[tuple[Node, ...], tuple[str, ...] | None]] = [((root,), parts)]
    while waiting:
        path, left = waiting.pop()
        node = path[-1]
        for label in node.labels if node.short or not is_short else ():
            at = next((at for at, part in enumerate(left or ()) if _is_called(label, part)), None)
            left = None if at is None or left is None else (*left[:at], *left[at + 1 :])
        if left is None or not all(part in node.below for part in left):
            continue
        if not node.children:
            yield path
        waiting += [((*path, child), left) for child in reversed(node.children)]


def _is_called(label: Label, part: str) -> bool:
    return part in (label.name, label.long)


def _has_joins(root: Node) -> bool:
    waiting, seen = [root], set[Node]()
    while waiting:
        node = waiting.pop()
        if node.joins:
            return True
        waiting += [child for child in node.children if child not in seen]
        seen.update(node.children)
    return False
