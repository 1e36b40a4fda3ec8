"""Reads the words that select tasks: names, patterns, targets, and tasks' own options between them.

Knows doit's grammar of task arguments; an unknown word becomes an error that helps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os.path import exists

from doit.cmdparse import CmdOption, CmdParseError, TaskParse  # type: ignore[import-untyped]
from doit.task import Task  # type: ignore[import-untyped]

from pipeline.errors import UsageError
from pipeline.graph.catalog import suggest
from pipeline.graph.closure import Closure


def reach_words(words: Sequence[str], closure: Closure, *, options: bool, known: Iterable[str]) -> list[str]:
    """Realise what the words select; returns them with targets of ours replaced by the names of their tasks.

    `options`: words after a task's name may be its own arguments. Raises `UsageError` for a word that is neither task
    nor target.
    """
    rest = list(words)
    read: list[str] = []
    while rest:
        word = rest.pop(0)
        names = list(_names(word, closure))
        if not names:
            raise _unknown(word, [*closure.names(), *known])
        closure.reach(names)
        read.append(closure.target_of_ours(word) or word)
        if options and word in closure.tasks:
            own = len(rest) - len(_without_options(closure.tasks[word], rest))
            read, rest = read + rest[:own], rest[own:]
    return read


def _names(word: str, closure: Closure) -> Iterator[str]:
    if "*" in word:
        yield from closure.matching(word)
    elif closure.knows(word):
        yield word
    elif (owner := closure.owner(word)) is not None:
        yield owner
    else:
        yield from closure.creators()


def _without_options(task: Task, words: list[str]) -> list[str]:
    parser = TaskParse([CmdOption(option) for option in (*task.params, *task.creator_params)])
    try:
        rest: list[str] = parser.parse(words)[1]
    except CmdParseError:
        return []  # Parsed again by doit, which reports it.
    return [] if task.pos_arg is not None else rest


def _unknown(word: str, known: list[str]) -> UsageError:
    if exists(word.partition("::")[0]):
        hint = f"tasks are named here; to choose tests, say select={word}"
    else:
        hint = "`doit list` names the tasks, `doit help` the commands"
    return UsageError(f"there is no task {word!r}{suggest(word, known)}", hint=hint)
