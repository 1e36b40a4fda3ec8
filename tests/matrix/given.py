"""Texts as matrices and rows, in one line each."""

from __future__ import annotations

from textwrap import dedent

from pipeline.logic.matrix.matrix import Matrix
from pipeline.logic.matrix.reading import read_text
from pipeline.logic.matrix.rows import Row


def matrix(*texts: str, defaults: bool = False, expanded: tuple[str, ...] = (), strict: bool = False) -> Matrix:
    """Texts one after another, each indented as it is in the test."""
    blocks = tuple(read_text(dedent(text)) for text in texts)
    return Matrix(blocks=blocks, defaults=defaults, expanded=expanded, strict=strict)


def rows(*texts: str, defaults: bool = False, expanded: tuple[str, ...] = ()) -> list[Row]:
    """All rows of these texts."""
    return list(matrix(*texts, defaults=defaults, expanded=expanded).rows())


def names(*texts: str) -> list[str]:
    """Their names."""
    return [row.name for row in rows(*texts)]


def values(*texts: str) -> dict[str, str]:
    """The values of the one row there is."""
    (row,) = rows(*texts)
    return dict(row.values)


TWO_BY_TWO = """
    variants os:
        - linux:
            image = linux.img
        - windows:
            image = windows.img
    variants:
        - boot:
        - install:
"""
