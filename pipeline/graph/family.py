"""Many tasks from one factory: a family of a million members costs nothing until members are selected.

Knows nothing of other tasks; the catalog asks it for its members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from pipeline.graph.task import Handle, TaskSpec


class Family(NamedTuple):
    """A registration of tasks `name:<key>`."""

    name: str
    keys: Callable[[], Iterable[str]]
    factory: Callable[[str], TaskSpec]
    doc: str = ""
    after: Handle | None = None
    has: Callable[[str], bool] | None = None
    whole: Callable[[], TaskSpec] | None = None
    """Makes the task of the family's own name, where one task does at once what all members do one by one."""
    exists: Callable[[], bool] | None = None

    def contains(self, key: str) -> bool:
        """Whether there is such a member; lists the keys only when no cheaper check was registered."""
        return self.has(key) if self.has is not None else key in self.keys()

    def member(self, task: str) -> Callable[[], TaskSpec] | None:
        """The factory of the task `name:<key>`, or None when there is no such member."""
        key = task.partition(":")[2]
        return (lambda: self.factory(key)) if self.contains(key) else None

    def members(self) -> Iterator[str]:
        """Full names of all members."""
        return (f"{self.name}:{key}" for key in self.keys())

    def matching(self, pattern: str) -> Iterator[str]:
        """Members whose full name matches; the keys are not asked for when none can."""
        fixed = pattern.partition("*")[0]
        if fixed.startswith(f"{self.name}:") or f"{self.name}:".startswith(fixed):
            yield from (name for name in self.members() if fnmatchcase(name, pattern))
