"""Whether any name at all meets an alternative, filters apart. Polynomial in the size of the graph, not of its rows. Pure."""

from __future__ import annotations

from typing import Final

from pipeline.logic.matrix.filters import Alternative, Block, Label, Seen, decide_alternative
from pipeline.logic.matrix.nodes import Node

MOST_NAMES: Final = 20_000
"""Looked at for a regular expression, which has no shorter way; beyond, it gets the benefit of the doubt."""

State = tuple[Node, tuple[Block, ...], tuple[Label, ...]]
"""(node to enter, blocks still to meet, the last labels before it)."""


def is_met_somewhere(root: Node, alternative: Alternative) -> bool:
    """Whether a path from the root to the end has such a name."""
    if alternative.pattern is not None:
        return _is_found(root, alternative)
    longest = max(len(block) for block in alternative.blocks)
    seen: set[State] = set()
    waiting: list[State] = [(root, alternative.blocks, ())]
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        node, blocks, tail = state
        labels = tail + node.labels
        left = tuple(
            block for block in blocks if decide_alternative(Alternative("", (block,)), _only(labels)) is not True
        )
        if not left:
            return True
        keys = frozenset(key for label in labels for key in label.keys) | node.below
        if all(key in keys for block in left for key in block):
            kept = labels[-(longest - 1) :] if longest > 1 else ()
            waiting += [(child, left, kept) for child in node.children]
    return False


def _only(labels: tuple[Label, ...]) -> Seen:
    return Seen(labels, frozenset(key for label in labels for key in label.keys), frozenset())


def _is_found(root: Node, alternative: Alternative) -> bool:
    waiting: list[tuple[Node, tuple[Label, ...]]] = [(root, ())]
    names = 0
    while waiting and names < MOST_NAMES:
        node, outer = waiting.pop()
        labels = outer + node.labels
        waiting += [(child, labels) for child in node.children]
        if not node.children:
            names += 1
            if decide_alternative(alternative, _only(labels)):
                return True
    return bool(waiting)


def is_begun(root: Node, block: Block) -> bool:
    """Whether a path from below the root begins with these variants, one right after the other."""
    seen: set[tuple[Node, Block]] = set()
    waiting = [(child, block) for child in root.children]
    while waiting:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        node, left = state
        if all(key in (label.name, label.long) for key, label in zip(left, node.labels, strict=False)):
            if len(left) <= len(node.labels):
                return True
            waiting += [(child, left[len(node.labels) :]) for child in node.children]
    return False
