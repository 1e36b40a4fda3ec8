"""Rows from the graph, one at a time: a branch that no name can pass through any more is never entered. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.logic.matrix.filters import Filter, Label, Seen, decide
from pipeline.logic.matrix.joining import joined_dependencies, joined_name
from pipeline.logic.matrix.nodes import Choosing, Chunk, Item, Node, Rule, Tree
from pipeline.logic.matrix.places import Place
from pipeline.logic.matrix.rows import Row, own_values
from pipeline.logic.matrix.statements import Choice
from pipeline.logic.matrix.values import Values, apply, bounded, flattened


class Trail(NamedTuple):
    """What is known on the way down."""

    labels: tuple[Label, ...] = ()
    keys: frozenset[str] = frozenset()
    name: str = ""
    short: str = ""
    dependencies: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    """Those that are still undecided."""
    items: tuple[Item, ...] = ()
    is_open: bool = False


class Draft(NamedTuple):
    """A row whose keys may still have suffixes apart."""

    name: str
    short: str
    dependencies: tuple[str, ...]
    values: Values
    chunks: tuple[Chunk, ...]
    parts: tuple[Draft, ...] = ()


def expand(tree: Tree) -> Iterator[Row]:
    """All rows that no filter drops, in order. Raises `MatrixError` for bounds that cannot be compared."""
    for draft in _drafts(tree, tree.root, Trail()):
        yield _row(draft, has_suffixes=tree.has_suffixes)


def row_of(tree: Tree, trail: Trail) -> Row:
    """The row at the end of a trail that nothing dropped."""
    return _row(_leaf(tree, trail), has_suffixes=tree.has_suffixes)


def has_rows(tree: Tree, node: Node, trail: Trail) -> bool:
    """Whether any row goes through that node after that trail."""
    return next(_drafts(tree, node, trail), None) is not None


def _row(draft: Draft, *, has_suffixes: bool) -> Row:
    name, short, dependencies, values, chunks, parts = draft
    flat = flattened(values) if has_suffixes else values
    rows = tuple(_row(part, has_suffixes=has_suffixes) for part in parts) if parts else ()
    return Row(name, short, dependencies, flat, chunks, rows)  # type: ignore[arg-type]


def _drafts(tree: Tree, node: Node, trail: Trail, extra: tuple[Rule, ...] = ()) -> Iterator[Draft]:
    """Drafts below a node; `extra` stands for the node's joins when these have been taken apart."""
    while True:
        if node.joins and not extra:
            yield from _product(tree, node, trail, _taken_apart(node.joins))
            return
        passed = enter(node, trail, node.rules + extra)
        if passed is None:
            return
        trail, extra = passed, ()
        if not node.children:
            yield _leaf(tree, trail)
            return
        if node.has_default:
            yield from _of_default(tree, node, trail)
            return
        if len(node.children) > 1:
            for child in node.children:
                yield from _drafts(tree, child, trail)
            return
        node = node.children[0]


def _of_default(tree: Tree, node: Node, trail: Trail) -> Iterator[Draft]:
    """Those of the default child, or when it has none, of the others."""
    for child in node.children:
        found = False
        for draft in _drafts(tree, child, trail):
            found = True
            yield draft
        if child.is_default and found:
            return


def _taken_apart(joins: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """One `only` for each alternative of each join."""
    return tuple(
        Rule(Choice.ONLY, Filter(alternative.text, (alternative,)), join.place)
        for join in joins
        for alternative in join.filter.alternatives
    )


def _product(tree: Tree, node: Node, trail: Trail, onlys: tuple[Rule, ...]) -> Iterator[Draft]:
    """Each row that meets the first, with each that meets the next, and so on."""
    for first in _drafts(tree, node, trail, onlys[:1]):
        if len(onlys) == 1:
            yield first
            continue
        for second in _product(tree, node, trail, onlys[1:]):
            yield Draft(
                joined_name(first.name, second.name),
                joined_name(first.short, second.short),
                joined_dependencies(first.dependencies, second.dependencies),
                {**first.values, **second.values},
                (),
                (first, second),
            )


def enter(node: Node, trail: Trail, own_rules: tuple[Rule, ...]) -> Trail | None:
    """The trail with this node on it; None when no name that passes here can be kept."""
    labels, keys, name, short, dependencies, rules, items, is_open = trail
    if node.dependencies:
        dependencies += tuple(f"{name}.{'.'.join(block)}" if name else ".".join(block) for block in node.dependencies)
    if node.labels:
        labels += node.labels
        keys |= node.keys
        name = f"{name}.{node.text}" if name else node.text
        if node.short:
            short = f"{short}.{node.short}" if short else node.short
        if rules or is_open:
            settled = _settled(rules, items, Seen(labels, keys, node.below))
            if settled is None:
                return None
            rules, items, is_open = settled
    if own_rules or node.is_open:
        settled = _settled(own_rules, node.items, Seen(labels, keys, node.below))
        if settled is None:
            return None
        rules, items, is_open = rules + settled[0], _glued(settled[1], items), is_open or settled[2]
    elif node.items:
        items = _glued(node.items, items)
    return Trail(labels, keys, name, short, dependencies, rules, items, is_open)


Settled = tuple[tuple[Rule, ...], tuple[Item, ...], bool]


def _settled(rules: tuple[Rule, ...], items: tuple[Item, ...], seen: Seen) -> Settled | None:
    """(rules still undecided, items with decided conditions opened or gone, whether one is undecided); None: dropped."""
    left = undecided(rules, seen)
    if left is None:
        return None
    if not any(isinstance(item, Choosing) for item in items):
        return left, items, False
    opened: tuple[Item, ...] = ()
    is_open = False
    for item in items:
        if isinstance(item, Chunk):
            opened = _glued(opened, (item,))
            continue
        met = decide(item.filter, seen)
        if met is None:
            opened, is_open = (*opened, item), True
        elif met is not item.is_negated:
            inner = _settled(item.rules, item.items, seen)
            if inner is None:
                return None
            left, opened, is_open = left + inner[0], _glued(opened, inner[1]), is_open or inner[2]
    return left, opened, is_open


def undecided(rules: tuple[Rule, ...], seen: Seen) -> tuple[Rule, ...] | None:
    """The rules that what follows decides; None when one of them drops every name."""
    left: list[Rule] = []
    for rule in rules:
        met = decide(rule.filter, seen)
        if met is None:
            left.append(rule)
        elif met is (rule.choice is Choice.NO):
            return None
    return tuple(left)


def _glued(inner: tuple[Item, ...], outer: tuple[Item, ...]) -> tuple[Item, ...]:
    """Items in the order in which they apply; constants that meet become one chunk."""
    if not outer or not inner:
        return inner or outer
    last, first = inner[-1], outer[0]
    if isinstance(last, Chunk) and isinstance(first, Chunk) and last.plain is not None and first.plain is not None:
        chunk = Chunk(last.steps + first.steps, {**last.plain, **first.plain})
        return (*inner[:-1], chunk, *outer[1:])
    return inner + outer


def _leaf(tree: Tree, trail: Trail) -> Draft:
    values: Values = {}
    chunks: tuple[Chunk, ...] = trail.items  # type: ignore[assignment]  # A whole name decides every condition.
    for chunk in chunks:
        if chunk.plain is not None:
            values.update(chunk.plain)
            continue
        own = own_values(trail.name, trail.short, trail.dependencies)
        for step in chunk.steps:
            apply(step, values, own)
    if tree.has_bounds:
        bounded(values, lambda key: _last_place(trail, key))
    return Draft(trail.name, trail.short, trail.dependencies, values, chunks)


def _last_place(trail: Trail, key: str) -> Place:
    """Where that key was last named."""
    steps = [step for item in trail.items if isinstance(item, Chunk) for step in item.steps]
    return next(step.place for step in reversed(steps) if getattr(step.statement, "key", None) == key)
