"""What a task is before doit sees it: frozen values that a factory returns.

Factories stay pure and cheap; everything costly hides behind callables (the digest, the actions). This module must
not import doit, so that stages can be tested without it; named tuples, because a start without work may not pay
for attrs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias

Digest: TypeAlias = Mapping[str, str | Mapping[str, str]]
"""What decides whether a task is up to date: part -> digest, or part -> (name -> digest) where a person wants to read
which file or variable it was. Plain JSON."""


class Handle(NamedTuple):
    """An edge to a task. Hand it to the factories that need the task; it realises nothing."""

    name: str

    def __str__(self) -> str:
        return self.name


class Action(NamedTuple):
    """A module-level callable and the values it gets by keyword.

    Beside `arguments` it is given, if it names them: the task's parameters, `targets`, and `stop` (see `graph.stop`;
    taking it promises to return or raise soon after a signal). It returns None, or a JSON mapping: values which
    dependents compare, so equal values leave them up to date. `{"fresh": False}` in it means: done, but run me again
    next time. A `FleetError` fails the task with that error's exit code and without a traceback.
    """

    call: Callable[..., Mapping[str, Any] | None]
    arguments: Mapping[str, Any] = MappingProxyType({})


class Param(NamedTuple):
    """One option of a task on the command line: `doit <task> --<long>`."""

    name: str
    default: Any = None
    type: type = str
    """`bool` makes a flag, `list` a repeatable option."""
    long: str = ""
    """Empty: the name, with `-` for `_`."""
    short: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()


class TaskSpec(NamedTuple):
    """One realised task."""

    name: str
    actions: tuple[Action, ...] = ()
    needs: tuple[Handle | str, ...] = ()
    """Tasks that run before; a string may name a task of the user's own dodo.py. When one of ours ran again with
    another result, this task is out of date."""
    setup: tuple[Handle | str, ...] = ()
    """Tasks that run before this one, but only if this one is out of date."""
    digest: Digest | Callable[[], Digest] | None = None
    """Asked for once, when doit wants to know whether the task is up to date. None: only `needs` decide; a task
    without either is always out of date."""
    lost: Callable[[], str] | None = None
    """Asked when all else says that the task is up to date: why it must run all the same, or nothing. For results that are
    kept elsewhere and may be gone."""
    always: bool = False
    """A task that informs: never up to date, nothing is remembered of it."""
    if_fresh: Action | None = None
    """Called instead of the actions when the task was selected by name and is up to date: says the result again."""
    targets: tuple[str | Path, ...] = ()
    """Files that must exist for the task to be up to date; `clean` removes them."""
    clean: tuple[Action, ...] = ()
    """What `doit clean` does besides; an action may take `dryrun`. With any given, targets are theirs to remove."""
    params: tuple[Param, ...] = ()
    positional: str = ""
    """Name of the actions' argument that receives positional arguments as a list of strings."""
    doc: str = ""
    verbosity: int | None = None

    def evolve(self, **changes: Any) -> Self:
        """The same task with other values."""
        return self._replace(**changes)

    @property
    def edges(self) -> tuple[str, ...]:
        """Names of all tasks this one may bring into a run."""
        return tuple(str(edge) for edge in (*self.needs, *self.setup))
