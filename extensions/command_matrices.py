"""From the settings of matrices to their rows: files read, filters laid over, what matches nothing refused.

Filters of one `doit` (`select.only`, `select.no`) hold for all suites at once: each side must match in one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from pipeline.errors import UsageError
from pipeline.frameworks import command_rows
from pipeline.logic.matrix.checking import Unmet, unmet
from pipeline.logic.matrix.dependencies import waits_of
from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.places import MatrixError, Place
from pipeline.logic.matrix.statements import Block, Choice, Selection

if TYPE_CHECKING:
    from extensions.fleet import Fleet
    from pipeline.logic.matrix.nodes import Tree
    from pipeline.logic.matrix.rows import Row as MatrixRow
    from pipeline.model.commands import Row


class Asked:
    """What one `doit` asks of all matrices together."""

    def __init__(self) -> None:
        self._unmet: dict[tuple[str, str], Unmet] = {}
        self._met: set[tuple[str, str]] = set()
        self._empty: MatrixError | None = None

    def note(self, tree: Tree, selected: Sequence[Selection]) -> None:
        """What of the selection a matrix meets."""
        places = {each.place for each in selected}
        missing = {(each.said, each.alternative): each for each in unmet(tree) if each.place in places}
        sides = {
            (f"{each.choice.value} {each.filter.text}", side.text)
            for each in selected
            for side in each.filter.alternatives
        }
        self._unmet |= missing
        self._met |= sides - missing.keys()

    def note_empty(self, error: MatrixError) -> None:
        """A matrix none of whose rows was asked for."""
        self._empty = error

    def refuse(self, *, found: bool) -> None:
        """Raise `MatrixError` for a filter that matches nothing anywhere, or for all of them when nothing was `found`."""
        for key, each in self._unmet.items():
            if key not in self._met:
                raise each.error()
        if not found and self._empty is not None:
            raise self._empty


@frozen(kw_only=True)
class Source:
    """A suite's matrix as the settings say."""

    matrix: Matrix
    """With the filters of the suite itself."""
    selected: tuple[Selection, ...]
    """What this `doit` asks for besides."""
    written: Matrix
    """Without any of these filters."""
    files: frozenset[str] = frozenset()
    """That were read for it, relative to the suite's root."""

    @property
    def whole(self) -> Matrix:
        """With all filters."""
        return evolve(self.matrix, blocks=(*self.matrix.blocks, Block(self.selected)))


def source_of(name: str, settings: Any) -> Source | None:
    """The matrix of a suite, if it has one. Raises `UsageError`."""
    told = settings.matrix.get()
    selected = tuple(_filters(settings.select))
    if not told:
        _refuse_useless(name, settings)
        return None
    root = Path(settings.root.get())
    filters = Block(tuple(_filters(settings)))
    blocks, files = _blocks(name, settings, root)
    matrix = Matrix(
        blocks=(*blocks, filters),
        defaults=settings.matrix_defaults.get(),
        expanded=settings.matrix_expand.get(),
        strict=settings.matrix_strict.get(),
    )
    return Source(matrix=matrix, selected=selected, written=evolve(matrix, blocks=blocks, defaults=False), files=files)


def rows_of(source: Source, asked: Asked) -> tuple[list[Row], Mapping[str, MatrixRow]]:
    """The rows that are asked for, and what they were in the matrix, by name. Raises `UsageError`."""
    source.matrix.tree()
    if not source.selected:
        return _frozen(list(source.matrix.rows()), source.matrix.tree())
    tree = source.whole.unchecked_tree()
    asked.note(tree, source.selected)
    try:
        return _frozen(list(source.whole.unchecked_rows()), tree)
    except MatrixError as error:
        if not _is_empty(source):
            raise
        asked.note_empty(error)
        return [], {}


def add_values(source: Source, names: Collection[str], known: set[str]) -> None:
    """Add to `known` the names of values of rows, whichever are selected, until all `names` are there or no row is left.

    A row that is not selected may be a broken one: what is behind it stays unknown.
    """
    from pipeline.logic.matrix.expanding import expand

    missing = set(names) - known
    rows = expand(source.written.unchecked_tree())
    while missing:
        try:
            row = next(rows, None)
        except MatrixError:
            return
        if row is None:
            return
        known.update(row.values)
        missing -= row.values.keys()


def trees_of(fleet: Fleet) -> dict[str, Tree]:
    """By suite, with all filters. Raises `MatrixError` for those that match nothing: of a suite in it, of this `doit` in all."""
    found, asked = _sources(fleet), Asked()
    for source in found.values():
        source.matrix.tree()
    trees = {name: source.whole.unchecked_tree() for name, source in found.items()}
    for name, source in found.items():
        asked.note(trees[name], source.selected)
    asked.refuse(found=True)
    return trees


def remarks_of(fleet: Fleet) -> list[dict[str, Any]]:
    """`[{suite, place, said}]`: what matches nothing in the suites' matrices and is no error. Raises `UsageError`."""
    from pipeline.stages.remarks import as_json

    sources = _sources(fleet)
    return as_json({name: source.matrix.remarks() for name, source in sources.items()})


def _sources(fleet: Fleet) -> dict[str, Source]:
    suites = {name: fleet.suites[name] for name in fleet.suites.chosen()}
    found = {name: source_of(name, one) for name, one in suites.items() if one.framework.get() == "command"}
    return {name: source for name, source in found.items() if source is not None}


def is_selecting(settings: Any) -> bool:
    """Whether this `doit` asks for rows of matrices, and so for nothing else."""
    return bool(settings.select.only.get())


def where(rows: Mapping[str, MatrixRow], row: str, value: str) -> str:
    """Where a value of a row was written last, if that is known."""
    told = rows[row].provenance().get(value) if row in rows else None
    return str(told[-1].place) if told else ""


def _frozen(rows: list[MatrixRow], tree: Tree) -> tuple[list[Row], Mapping[str, MatrixRow]]:
    return command_rows.matrix_rows(rows, waits_of(tree, rows)), {row.name: row for row in rows}


def _is_empty(source: Source) -> bool:
    from pipeline.logic.matrix.expanding import expand

    return next(expand(source.whole.unchecked_tree()), None) is None


def _filters(settings: Any) -> Iterator[Selection]:
    from pipeline.logic.matrix.words import filter_of

    for choice in (Choice.ONLY, Choice.NO):
        setting = getattr(settings, choice.value)
        for text in setting.get():
            place = Place(written_at(setting), 0)
            yield Selection(choice=choice, filter=filter_of(text, place), place=place)


def written_at(setting: Any) -> str:
    """Where a setting was written, and which one it was there: mostly a suite's selection is that of all suites."""
    name, origin = setting.name, setting.provenance()
    while origin.origins:
        name, origin = origin.origins[0]
    return f"{origin.place} ({name})" if name not in str(origin.place) else str(origin.place)


def _blocks(name: str, settings: Any, root: Path) -> tuple[tuple[Block, ...], frozenset[str]]:
    from pipeline.adapters.matrix_files import MatrixFiles
    from pipeline.logic.matrix.reading import read_text
    from pipeline.logic.matrix.tables import read_tables

    told, place = settings.matrix.get(), f"{settings.matrix.provenance().place}"
    files = MatrixFiles(root, [root / folder for folder in settings.matrix_search.get()])
    if isinstance(told, Mapping):
        return (read_tables(told, f"{place} suites.{name}.matrix"),), frozenset()
    if isinstance(told, str) and "\n" in told:
        return (read_text(told, f"<{place} suites.{name}.matrix>", files),), frozenset(files.names)
    found = [files.read(root / each) for each in ([told] if isinstance(told, str) else told)]
    blocks = tuple(read_text(text, file, files) for file, text in found)
    return blocks, frozenset(files.names)


def _refuse_useless(name: str, settings: Any) -> None:
    for one in ("only", "no", "matrix_search", "matrix_expand"):
        if getattr(settings, one).get():
            raise UsageError(f"suite {name!r} has {one!r}, but no matrix", hint=f'suites.{name}.matrix = "tests.cfg"')
