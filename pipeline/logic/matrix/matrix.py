"""A matrix from its texts to its rows, with everything checked on the way: what callers need, in order.

Pure: what `include` names is read by a callable that is handed in. Filters that match nothing are errors, so is a matrix without rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from attrs import evolve, frozen

from pipeline.logic.matrix.checking import Unmet, refuse, unmet
from pipeline.logic.matrix.compiling import compile_blocks
from pipeline.logic.matrix.expanding import expand
from pipeline.logic.matrix.nodes import Tree
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.rows import Row
from pipeline.logic.matrix.statements import Block, Inclusion, Selection, Statement


@frozen(kw_only=True)
class Matrix:
    """Texts that have been read, one after another: usually a file and then what was selected of it."""

    blocks: tuple[Block, ...]
    defaults: bool = False
    """Whether stanzas with a default yield that variant only, where it has rows."""
    expanded: Collection[str] = ()
    """Axes of which all variants are wanted all the same."""
    strict: bool = False
    """Whether conditions, inner filters and dependencies that match nothing are errors too, not only remarks."""

    def tree(self) -> Tree:
        """The graph that is walked. Raises `MatrixError` for filters that match nothing."""
        made = self._compiled()
        refuse(made, strict=self.strict)
        return made

    def unchecked_tree(self) -> Tree:
        """The same without looking whether filters match."""
        return self._compiled()

    def remarks(self) -> tuple[Unmet, ...]:
        """What matches nothing and is no error: old files are full of names that other files would bring."""
        return tuple(each for each in unmet(self._compiled()) if not each.is_grave)

    def rows(self) -> Iterator[Row]:
        """Rows one by one.

        Raises `MatrixError`: before the first for what `tree` refuses, at one whose name another has, at the end for none at all.
        """
        self.tree()
        yield from self.unchecked_rows()

    def unchecked_rows(self) -> Iterator[Row]:
        """The same without looking whether filters match. Raises `MatrixError` for two of one name, and for none at all."""
        names: set[str] = set()
        for row in expand(self._compiled()):
            if row.name in names:
                hint = "a name is a test's id: give one of the variants another"
                raise MatrixError(Place("<matrix>", 0), f"two rows are called {row.name!r}", hint=hint)
            names.add(row.name)
            yield row
        if not names:
            raise self._emptiness()

    def _compiled(self) -> Tree:
        return compile_blocks(self.blocks, defaults=self.defaults, expanded=self.expanded)

    def _emptiness(self) -> MatrixError:
        """Which of the filters on all rows took the last ones."""
        selections = [each for block in self.blocks for each in _selections(block)]
        for count, selection in enumerate(selections):
            later = frozenset(selections[count + 1 :])
            less = evolve(self, blocks=tuple(_without(block, later) for block in self.blocks))
            if next(expand(less._compiled()), None) is None:
                said = f"{selection.choice.value} {selection.filter.text}"
                before = "together with the filters before it" if count else "together with those inside variants"
                hint = "take one of them out, or 'doit explain' a row that should be there"
                return MatrixError(selection.place, f"filter {said!r} leaves no row, {before}", hint=hint)
        return MatrixError(
            Place("<matrix>", 0),
            "filters inside variants leave no row",
            hint="'doit explain' a row that should be there",
        )


def _selections(block: Block) -> Iterator[Selection]:
    for statement in block.statements:
        if isinstance(statement, Selection):
            yield statement
        elif isinstance(statement, Inclusion):
            yield from _selections(statement.block)


def _without(block: Block, gone: frozenset[Selection]) -> Block:
    """The block without some filters, in what it includes as well."""
    kept: list[Statement] = []
    for statement in block.statements:
        if isinstance(statement, Inclusion):
            statement = evolve(statement, block=_without(statement.block, gone))
        if not (isinstance(statement, Selection) and statement in gone):
            kept.append(statement)
    return Block(tuple(kept))


def selection_texts(only: Sequence[str], no: Sequence[str]) -> str:
    """Filters of settings or arguments as the lines they stand for."""
    return "\n".join((*(f"only {each}" for each in only), *(f"no {each}" for each in no)))
