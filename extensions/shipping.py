"""Files that tests need wherever they run and that are none of the sources: what frameworks have frozen or generated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.model.suites import Suite
    from pipeline.stages.agent import Framework


def shipped(suites: Sequence[Suite], framework: Callable[[Suite], Framework], root: Path) -> list[str]:
    """Names relative to the project's `root`. Raises `UsageError` for what cannot be elsewhere."""
    found = []
    for suite in suites:
        ships = getattr(framework(suite), "ships", None)
        folder = Path(suite.root)
        found += [(folder / name).relative_to(root).as_posix() for name in (ships(suite) if ships else ())]
    return found
