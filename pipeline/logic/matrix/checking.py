"""What cannot be meant: filters and dependencies that no name can ever meet. Pure; no row is made for it.

A filter is judged alone, as if no other filter were there: what another one has dropped already is no mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from attrs import frozen

from pipeline.logic.matrix.filters import Alternative, Block, Filter
from pipeline.logic.matrix.nearest import nearest
from pipeline.logic.matrix.nodes import Choosing, Item, Node, Rule, Tree
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.reaching import is_begun, is_met_somewhere
from pipeline.logic.matrix.statements import Choice


class Kind(Enum):
    """Where something that is never met stands, which decides how bad that is."""

    SELECTION = "selection"
    """A filter on all rows: `only` and `no` outside of any variant."""
    INNER = "inner"
    """A filter inside a variant or a condition."""
    CONDITION = "condition"
    DEPENDENCY = "dependency"


@frozen(kw_only=True)
class Unmet:
    """One side of a filter, or one dependency, that no name can meet."""

    kind: Kind
    said: str
    """The whole statement as it was written."""
    alternative: str
    is_grave: bool
    """Whether it is a mistake whatever else is read: it drops every row, or selects what is not there."""
    near: str
    place: Place

    def error(self) -> MatrixError:
        """What to raise for it."""
        return MatrixError(self.place, str(self), hint=_HINTS[self.kind])

    def __str__(self) -> str:
        whole = self.alternative == self.said.removeprefix("only ").removeprefix("no ").removeprefix("join ")
        what = f"{self.said!r}" if whole else f"{self.alternative!r} in {self.said!r}"
        return f"{_VERBS[self.kind].format(what)}{self.near}"


_VERBS = {
    Kind.SELECTION: "filter {} matches nothing",
    Kind.INNER: "filter {} matches nothing",
    Kind.CONDITION: "condition {} matches nothing",
    Kind.DEPENDENCY: "dependency {} names no variant",
}
_HINTS = {
    Kind.SELECTION: "names are matched whole, outer variants (declared last) first: outer.inner, or outer..inner in any order",
    Kind.INNER: "a filter inside a variant sees the names of other stanzas, whether they stand above or below it",
    Kind.CONDITION: "write the names of variants, or take the block out",
    Kind.DEPENDENCY: "a dependency is a variant of the same stanza, and of those before it with dots: sibling.inner",
}


def unmet(tree: Tree) -> Iterator[Unmet]:
    """Everything that can never be met, outer nodes first."""
    above = _keys_above(tree.root)
    for node, outer in above.items():
        if node.rules or node.joins or node.is_open:
            yield from _of_node(tree, node, frozenset(outer) | node.keys | node.below)
    yield from _dependencies(above)


def _of_node(tree: Tree, node: Node, known: frozenset[str]) -> Iterator[Unmet]:
    kind = Kind.SELECTION if node.is_common else Kind.INNER
    for rule in (*node.rules, *node.joins):
        yield from _of_rule(tree, kind, rule, known)
    yield from _of_items(tree, node.items, known)


def refuse(tree: Tree, *, strict: bool = False) -> None:
    """Raise `MatrixError` for all grave ones together; with `strict`, for all there are."""
    found = [each for each in unmet(tree) if strict or each.is_grave]
    if len(found) == 1:
        raise found[0].error()
    if found:
        others = "".join(f"\n  {each.place}: {each}" for each in found[1:])
        raise MatrixError(found[0].place, f"{found[0]}{others}", hint=_HINTS[found[0].kind])


def _of_items(tree: Tree, items: Iterable[Item], known: frozenset[str]) -> Iterator[Unmet]:
    for item in items:
        if isinstance(item, Choosing):
            said = f"{'!' if item.is_negated else ''}{item.filter.text}"
            for alternative, near in _dead(item.filter, known):
                yield Unmet(
                    kind=Kind.CONDITION,
                    said=said,
                    alternative=alternative.text,
                    is_grave=False,
                    near=near,
                    place=item.place,
                )
            for rule in item.rules:
                yield from _of_rule(tree, Kind.INNER, rule, known)
            yield from _of_items(tree, item.items, known)


def _of_rule(tree: Tree, kind: Kind, rule: Rule, known: frozenset[str]) -> Iterator[Unmet]:
    dead = dict(_dead(rule.filter, known))
    if kind is Kind.SELECTION:
        unreached = [
            each for each in rule.filter.alternatives if each not in dead and not is_met_somewhere(tree.root, each)
        ]
        dead |= dict.fromkeys(unreached, "")
    is_whole = len(dead) == len(rule.filter.alternatives)
    is_grave = kind is Kind.SELECTION or (is_whole and rule.choice is not Choice.NO)
    for alternative, near in dead.items():
        yield Unmet(
            kind=kind, said=str(rule), alternative=alternative.text, is_grave=is_grave, near=near, place=rule.place
        )


def _dead(wanted: Filter, known: frozenset[str]) -> Iterator[tuple[Alternative, str]]:
    """Alternatives with a variant that is not known, and what may have been meant."""
    for alternative in wanted.alternatives:
        missing = [key for block in alternative.blocks for key in block if key not in known]
        if missing:
            yield alternative, nearest(missing[0], _plain(known))


def _dependencies(nodes: Iterable[Node]) -> Iterator[Unmet]:
    """Dependencies of variants that begin no name next to theirs; what several variants say is looked up once."""
    for parent in nodes:
        wanted = dict.fromkeys(block for child in parent.children for block in child.dependencies)
        unmet_blocks = {block for block in wanted if not is_begun(parent, block)}
        for child in parent.children if unmet_blocks else ():
            for block in child.dependencies:
                if block in unmet_blocks:
                    yield _unmet_dependency(child, block, parent)


def _unmet_dependency(node: Node, block: Block, parent: Node) -> Unmet:
    missing = [key for key in block if key not in parent.below]
    near = nearest(missing[0], _plain(parent.below)) if missing else ""
    said, place = ".".join(block), node.place or Place("<matrix>", 0)
    return Unmet(kind=Kind.DEPENDENCY, said=said, alternative=said, is_grave=False, near=near, place=place)


def _plain(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if not key.startswith("(")]


def _keys_above(root: Node) -> dict[Node, set[str]]:
    """For each node, outer ones first, the keys that may stand before it."""
    above: dict[Node, set[str]] = {node: set() for node in _outer_first(root)}
    for node, outer in above.items():
        for child in node.children:
            above[child] |= outer
            above[child] |= node.keys
    return above


def _outer_first(root: Node) -> list[Node]:
    """Every node after all of its parents."""
    done: dict[Node, None] = {}
    waiting: list[tuple[Node, bool]] = [(root, False)]
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            done[node] = None
        elif node not in done:
            waiting.append((node, True))
            waiting += [(child, False) for child in node.children if child not in done]
    return list(done)[::-1]
