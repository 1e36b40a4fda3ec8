"""The names that somebody may have meant."""

from __future__ import annotations

import pytest

from pipeline.logic.matrix.nearest import nearest


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("linus", ["linux", "windows", "line"], " (nearest: 'linux', 'line')"),
        ("q", ["b", "a", "b"], " (known: a, b)"),
        ("q", [], ""),
        ("q", [f"n{number}" for number in range(13)], " (none of 13 names is near)"),
        ("q", [f"n{number}" for number in range(12)], f" (known: {', '.join(sorted(f'n{n}' for n in range(12)))})"),
    ],
)
def test_near_names_then_few_then_how_many(name: str, known: list[str], said: str) -> None:
    """A message stays short however large the matrix is."""
    assert nearest(name, known) == said
