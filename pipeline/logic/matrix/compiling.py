"""From statements to the graph of nodes. Pure; nothing is multiplied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import groupby

from attrs import define, field

from pipeline.logic.matrix.filters import Label
from pipeline.logic.matrix.nodes import Choosing, Chunk, Item, Node, Rule, Tree
from pipeline.logic.matrix.statements import (
    Assignment,
    Block,
    Choice,
    Condition,
    Deletion,
    Either,
    Inclusion,
    Operator,
    Selection,
    Stanza,
    Suffix,
    Variant,
)
from pipeline.logic.matrix.values import BOUNDS, RESERVED, Key, Step

Content = Step | Choosing


def compile_blocks(blocks: Sequence[Block], *, defaults: bool = False, expanded: Collection[str] = ()) -> Tree:
    """The graph of texts one after another (a file, then what was selected).

    With `defaults`, each stanza that marks a default yields the rows of that variant only, if it has any; not so the axes in
    `expanded`.
    """
    made = _Compiler(defaults, frozenset(expanded))
    start = _Open("")
    for block in blocks:
        start = made.extend(start, block)
    return Tree(root=start.close(), has_suffixes=made.has_suffixes, has_bounds=made.has_bounds)


@define
class _Open:
    """A node that is still being written."""

    variant: str
    children: tuple[Node, ...] = ()
    content: list[Content] = field(factory=list)
    rules: list[Rule] = field(factory=list)
    joins: list[Rule] = field(factory=list)
    takes_one: bool = False

    def close(self, variant: Variant | None = None, *, is_default: bool = False, in_short: bool = False) -> Node:
        labels: tuple[Label, ...] = variant.labels if variant else ()
        items = chunked(self.content)
        return Node(
            labels=labels,
            text=".".join(label.long for label in labels),
            short=".".join(label.name for label in labels) if in_short else "",
            keys=frozenset(key for label in labels for key in label.keys),
            dependencies=variant.dependencies if variant else (),
            items=items,
            rules=tuple(self.rules),
            joins=tuple(self.joins),
            is_open=any(isinstance(item, Choosing) for item in items),
            children=self.children,
            below=_below(self.children),
            is_common=not self.variant,
            is_default=is_default,
            has_default=self.takes_one and any(child.is_default for child in self.children),
            place=variant.place if variant else None,
        )


def chunked(content: Sequence[Content]) -> tuple[Item, ...]:
    """Steps between conditions as one chunk for each stretch of constants, and for each stretch of others."""
    found: list[Item] = []
    for kind, group in groupby(content, key=_kind):
        if kind is None:
            found += [item for item in group if isinstance(item, Choosing)]
            continue
        steps = tuple(item for item in group if isinstance(item, Step))
        found.append(Chunk(steps, _constants(steps) if kind else None))
    return tuple(found)


def _kind(content: Content) -> bool | None:
    return content.is_plain if isinstance(content, Step) else None


def _constants(steps: Sequence[Step]) -> dict[Key, str]:
    said = [step.statement for step in steps]
    return {each.key: each.value for each in said if isinstance(each, Assignment) and each.key not in RESERVED}


def _below(children: tuple[Node, ...]) -> frozenset[str]:
    if len(children) == 1 and not children[0].labels:
        return children[0].below
    return frozenset().union(*(child.below for child in children), *(child.keys for child in children))


@define
class _Compiler:
    defaults: bool
    expanded: frozenset[str]
    has_suffixes: bool = False
    has_bounds: bool = False

    def extend(self, node: _Open, block: Block) -> _Open:
        """Add statements; after a stanza they are another node's."""
        for statement in block.statements:
            if isinstance(statement, Stanza):
                if not statement.variants:
                    continue
                node = self.stanza(statement, node.close(), node.variant)
            elif isinstance(statement, Inclusion):
                node = self.extend(node, statement.block)
            elif isinstance(statement, Either):
                base = (node.close(),)
                sides = [self.extend(_Open(node.variant, base), each).close() for each in statement.blocks]
                node = _Open(node.variant, tuple(sides))
            elif isinstance(statement, Selection):
                rule = Rule(statement.choice, statement.filter, statement.place)
                (node.joins if rule.choice is Choice.JOIN else node.rules).append(rule)
            elif isinstance(statement, Condition):
                node.content.append(self.condition(statement, node.variant))
            else:
                node.content.append(self.step(statement, node.variant))
        return node

    def step(self, statement: Assignment | Deletion | Suffix, variant: str) -> Step:
        self.has_suffixes |= isinstance(statement, Suffix)
        self.has_bounds |= isinstance(statement, Assignment) and statement.key.endswith(BOUNDS)
        return Step(statement, variant)

    def condition(self, statement: Condition, variant: str) -> Choosing:
        said = f"[{'!' if statement.is_negated else ''}{statement.filter.text}]"
        inner = self.extend(_Open(f"{variant} {said}".lstrip()), statement.block)
        items = chunked(inner.content)
        return Choosing(statement.filter, statement.is_negated, items, tuple(inner.rules), statement.place)

    def stanza(self, stanza: Stanza, base: Node, outer: str) -> _Open:
        children: list[Node] = []
        found_default = stanza.axis in self.expanded
        for variant in stanza.variants:
            marked = variant.is_marked or variant.name in stanza.defaults
            is_default = self.defaults and marked and not found_default
            found_default |= is_default
            node = self.variant(stanza, variant, base, outer)
            made = node.close(variant, is_default=is_default, in_short=not marked)
            children.insert(0 if is_default else len(children), made)
        return _Open(outer, tuple(children), takes_one=self.defaults)

    def variant(self, stanza: Stanza, variant: Variant, base: Node, outer: str) -> _Open:
        name = ".".join(label.long for label in variant.labels)
        node = _Open(f"{outer}.{name}" if outer else name, (base,))
        if stanza.axis:
            axis = Assignment(key=stanza.axis, operator=Operator.SET, value=variant.name, place=variant.place)
            node.content.append(self.step(axis, node.variant))
        node = self.extend(node, variant.block)
        if stanza.axis and stanza.axis in self.expanded:
            node.takes_one = False  # What is nested in a variant of an expanded axis is expanded with it.
        return node
