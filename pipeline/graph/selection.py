"""Which tasks a doit command is about: by name, by pattern, by target; or all of them, or only their names.

Knows doit's commands and their options, and nothing of how tasks are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

BY_SELECTION = ("run", "clean", "forget", "strace")
BY_ARGUMENTS = ("info", "ignore", "help", "list", "reset-dep")
ALL_WITHOUT_ARGUMENTS = ("reset-dep",)
EXECUTING = ("run", "strace")


class Selection(NamedTuple):
    """What the loader has to realise."""

    words: tuple[str, ...] = ()
    """As typed: names, patterns, targets, and between them tasks' own options and arguments."""
    everything: bool = False
    names_only: bool = False
    members: bool = True
    """Whether selecting a family means its members too."""


def select(command: str, options: Mapping[str, Any], chosen: Sequence[str] | None, args: Sequence[str]) -> Selection:
    """Read a command line. `chosen` is doit's `sel_tasks`: arguments, else the default tasks, else None."""
    rule = _RULES.get(command)
    if rule is not None and (decided := rule(options, args)) is not None:
        return decided
    if command in BY_ARGUMENTS:
        return Selection(words=tuple(args), everything=not args and command in ALL_WITHOUT_ARGUMENTS)
    return Selection(everything=True) if chosen is None else Selection(words=tuple(chosen))


def _list(options: Mapping[str, Any], args: Sequence[str]) -> Selection | None:
    members = bool(options.get("subtasks"))
    if args:
        return Selection(words=tuple(args), members=members)
    details = members or options.get("status") or options.get("list_deps")
    return Selection(everything=True, names_only=not details, members=members)


def _clean(options: Mapping[str, Any], args: Sequence[str]) -> Selection | None:
    return Selection(everything=True) if options.get("cleanall") else None


def _forget(options: Mapping[str, Any], args: Sequence[str]) -> Selection | None:
    nothing = options.get("forget_all") or (not args and options.get("forget_disable_default"))
    return Selection() if nothing else None


def _complete(options: Mapping[str, Any], args: Sequence[str]) -> Selection | None:
    return Selection(everything=True, names_only=True)


_RULES: Mapping[str, Callable[[Mapping[str, Any], Sequence[str]], Selection | None]] = {
    "list": _list,
    "clean": _clean,
    "forget": _forget,
    "tabcompletion": _complete,
}
