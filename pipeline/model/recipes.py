"""A recipe: a command whose results tests need, with all that decides them. Frozen values; no I/O."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen(kw_only=True)
class Recipe:
    """What is made, of what, and where it is in the image."""

    name: str
    command: tuple[str, ...] = ()
    """One text is a line for the shell, several are a program and its arguments; empty for the results of a task."""
    task: str = ""
    """The user's doit task that makes the outputs instead."""
    inputs: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    """Lines for the shell whose output (versions) counts."""
    outputs: tuple[str, ...] = ()
    target: str = ""
    """Where the outputs are in the image; empty: where they are in the project."""
    cwd: str = "."
    timeout_seconds: float | None = None


@frozen(kw_only=True)
class Made:
    """What became of a recipe: its outputs as one archive, and how it was had: `hit`, `made` or `task`."""

    recipe: Recipe
    key: str
    archive: Path
    """A tar archive of the outputs, by their paths in the project."""
    sha256: str
    how: str
    files: int
    seconds: float
    reason: str = ""
    """Why it was not found in the cache."""
