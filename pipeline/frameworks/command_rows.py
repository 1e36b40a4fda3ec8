"""Rows become tests: names, groups, what stays together, checked in full before anything runs; then one frozen file.

Pure but for reading the lines of a file. The frozen file is read by `harness/command_session.py`; its digest is part of the
run's identity.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import frozen

from pipeline.errors import UsageError
from pipeline.harness import command_template as template
from pipeline.model.commands import Command, Row, SetUp

LONGEST_NAME = 160
FORMAT = 1
SHORT = "shortname"


@frozen(kw_only=True)
class Templates:
    """All texts with fields of a suite."""

    command: Command
    cwd: str = "."
    exclusive: str = ""
    setups: Sequence[SetUp] = ()


@frozen(kw_only=True)
class Selected:
    """Which rows run."""

    wanted: Callable[[Row], bool] = lambda row: True
    """A row that another selected one depends on comes along."""


def matrix_rows(rows: Iterable[Any], waits: Mapping[str, Sequence[str]]) -> list[Row]:
    """Rows of a matrix, which have `name`, `shortname` and `values`; `waits` names the rows that a row waits for, by its name.

    Both as `pipeline.logic.matrix` gives them. The short name is a value, unless the matrix has one of that name.
    """
    return [
        Row(name=row.name, values={SHORT: row.shortname, **row.values}, dependencies=tuple(waits.get(row.name, ())))
        for row in rows
    ]


def table_rows(tables: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Rows as they are written in the settings."""
    return [
        Row(name=one["name"], values=one.get("values", {}), dependencies=tuple(one.get("dependencies", ())))
        for one in tables
    ]


def file_rows(names: Iterable[str]) -> list[Row]:
    """One test for each file; names are relative to the suite's root."""
    return [Row(name=name, file=name) for name in names]


def line_rows(root: Path, name: str, said: str = "") -> list[Row]:
    """One test for each line that is neither empty nor a comment (`#`). Raises `UsageError` that begins with where that was `said`."""
    try:
        text = (root / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        where = f"{said}: " if said else ""
        why = f"{error.strerror}: {error.filename!r}" if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"{where}cannot read the lines of {name!r}: {why}", hint="names are relative to the suite's root"
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    return [Row(name=_name_of_line(line), line=line, file=name) for line in lines if line and not line.startswith("#")]


def freeze(suite: str, rows: Sequence[Row], templates: Templates, selected: Selected) -> bytes:
    """Check everything and write it down. Raises `UsageError` that names the row and what is wrong with it."""
    _check_names(suite, rows)
    _check_templates(suite, rows, templates)
    chosen = _chosen(suite, rows, selected.wanted)
    all_steps = {id(row): _steps(templates.setups, row, suite) for row in chosen}
    ordered = _ordered(suite, chosen, all_steps)
    units, unsplit = _units(ordered), _unsplit_depth(templates.setups)
    tests, told, seen = [], [], dict[str, int]()
    for row in ordered:
        occurrence = seen.get(row.name, 0)
        seen[row.name] = occurrence + 1
        steps = all_steps[id(row)]
        unit = units.get(row.name) or "/".join(steps[:unsplit])
        exclusive = template.fill(templates.exclusive, fields_of(row, suite)) if templates.exclusive else ""
        tests.append([row.name, occurrence, unit, exclusive, steps[0] if steps else row.file or suite])
        told.append([dict(row.values), row.file, row.line, [[need, 0] for need in row.dependencies]])
    frozen_ = {"format": FORMAT, "tests": tests, "rows": told, "deselected": len(rows) - len(chosen)}
    return json.dumps(frozen_, separators=(",", ":")).encode("ascii")


def digest(frozen_: bytes) -> str:
    """16 hexadecimal digits that name a frozen file."""
    return hashlib.sha256(frozen_).hexdigest()[:16]


def fields_of(row: Row, suite: str) -> dict[str, str]:
    """The fields of a test that are known before it runs."""
    fields = {"name": row.name, "suite": suite}
    fields.update({name: text for name, text in (("file", row.file), ("line", row.line)) if text})
    fields.update((template.VALUES + name, value) for name, value in row.values.items())
    return fields


def key_fields(setups: Sequence[SetUp], position: int) -> list[str]:
    """Fields of tests that a set-up may use: those that its key and those around it name, equal for the whole group."""
    return sorted({name for one in setups[: position + 1] for name in template.names(one.key)})


def _name_of_line(line: str) -> str:
    name = "".join(sign if sign.isprintable() else " " for sign in line)
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[:LONGEST_NAME]}… {hashlib.sha256(line.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _check_names(suite: str, rows: Sequence[Row]) -> None:
    seen: set[str] = set()
    for row in rows:
        if not row.name or not row.name.isprintable():
            raise UsageError(f"suite {suite!r}: {row.name!r} is no name for a test (it must be one line)")
        if row.name in seen and not row.line:
            raise UsageError(f"suite {suite!r}: two rows are called {row.name!r}", hint="rename one of them")
        seen.add(row.name)
        twice = _variable_that_comes_twice(tuple(row.values))
        if twice:
            raise UsageError(f"suite {suite!r}: two values of row {row.name!r} become the variable {twice!r}")
        if "\0" in "".join((*row.values.values(), row.line, row.file)):
            raise UsageError(f"suite {suite!r}: a value of row {row.name!r} holds a zero byte")


@lru_cache(maxsize=1000)
def _variable_that_comes_twice(names: tuple[str, ...]) -> str:
    """Rows of a suite mostly have the same names."""
    variables = [template.value_variable(name) for name in names]
    return next((each for at, each in enumerate(variables) if each in variables[:at]), "")


def _check_templates(suite: str, rows: Sequence[Row], templates: Templates) -> None:
    running = {*template.ALWAYS}
    wanted = {
        "command": _names(suite, "command", *template.words(templates.command), templates.cwd) - running,
        "exclusive": _names(suite, "exclusive", templates.exclusive) - {"suite"},
    }
    for one in templates.setups:
        wanted[f"setups.{one.name}.key"] = _names(suite, f"setups.{one.name}.key", one.key) - {"suite"}
    for position, one in enumerate(templates.setups):
        fields_of_all = template.OF_RUNS if one.per == "run" else template.OF_SETUPS
        known = {*fields_of_all, *key_fields(templates.setups, position)}
        known -= {*template.OF_WORKERS} if one.per == "host" else set()
        for part, command in (("command", one.command), ("ready", one.ready), ("teardown", one.teardown)):
            place = f"setups.{one.name}.{part}"
            check_shell(suite, place, command)
            _refuse(suite, place, "", _names(suite, place, *template.words(command)) - known, known)
    check_shell(suite, "command", templates.command)
    kinds = {(tuple(row.values), bool(row.file), bool(row.line)): row for row in reversed(rows)}
    for row in kinds.values():
        fields = fields_of(row, suite)
        for place, names in wanted.items():
            _refuse(suite, place, row.name, names - fields.keys(), fields)


def check_shell(suite: str, place: str, command: Command) -> None:
    """Refuse what looks like a field in a text for the shell, where it would be none."""
    if not isinstance(command, str):
        return
    known = (*template.ALWAYS, *template.SOMETIMES, "key")
    for name in known:
        at = command.find(f"{{{name}}}")
        if at > 0 and command[at - 1] == "$":
            continue
        if at >= 0 or f"{{{template.VALUES}" in command:
            variable = template.variable(name)
            raise UsageError(
                f"suite {suite!r}: {place} is a text for the shell, which has no fields",
                hint=f'use variables there, like "${variable}" and "${template.VALUE_VARIABLE}<name>", or write a list of words'
                + (': ["sh", "-c", "{line}"] runs each line' if name == "line" and at >= 0 else ""),
            )


def _names(suite: str, place: str, *texts: str) -> set[str]:
    try:
        found = {name for text in texts for name in template.names(text)}
    except ValueError as error:
        raise UsageError(f"suite {suite!r}: {place}: {error}") from error
    return {name for name in found if not name.startswith(template.ENVIRONMENT)}


def _refuse(suite: str, place: str, row: str, unknown: set[str], known: Iterable[str]) -> None:
    if unknown:
        where = f" for row {row!r}" if row else ""
        told = ", ".join(f"{{{name}}}" for name in sorted({*known, *(template.ALWAYS if row else ())}))
        raise UsageError(
            f"suite {suite!r}: {place} has the field {{{sorted(unknown)[0]}}}, which is not known{where}",
            hint=f"known: {told}, and {{env.NAME}}; {{{{ and }}}} stand for braces",
        )


def _chosen(suite: str, rows: Sequence[Row], wanted: Callable[[Row], bool]) -> list[Row]:
    """The selected rows and whatever they depend on, in order."""
    by_name = {row.name: row for row in rows}
    names: set[str] = set()
    waiting = [row.name for row in rows if wanted(row)]
    while waiting:
        name = waiting.pop()
        if name in names:
            continue
        names.add(name)
        for need in by_name[name].dependencies:
            if need not in by_name:
                raise UsageError(f"suite {suite!r}: row {name!r} depends on {need!r}, which is no row of it")
            waiting.append(need)
    return [row for row in rows if row.name in names]


def _ordered(suite: str, rows: Sequence[Row], all_steps: Mapping[int, tuple[str, ...]]) -> list[Row]:
    """Tests of one group behind each other, and each behind what it depends on; else as they came.

    Raises `UsageError` for a circle.
    """
    places: dict[tuple[str, ...], int] = {}
    for row in rows:
        steps = all_steps[id(row)]
        for depth in range(1, len(steps) + 1):
            places.setdefault(steps[:depth], len(places))
    ranks = {steps: [places[steps[: at + 1]] for at in range(len(steps))] for steps in set(all_steps.values())}
    grouped = sorted(rows, key=lambda row: ranks[all_steps[id(row)]])
    return _behind_their_needs(suite, grouped)


def _behind_their_needs(suite: str, rows: Sequence[Row]) -> list[Row]:
    from graphlib import CycleError, TopologicalSorter

    if not any(row.dependencies for row in rows):
        return list(rows)
    try:
        TopologicalSorter({row.name: row.dependencies for row in rows}).prepare()
    except CycleError as error:
        circle = " -> ".join(map(repr, error.args[1]))
        raise UsageError(f"suite {suite!r}: rows depend on each other in a circle: {circle}") from error
    by_name = {row.name: row for row in rows}
    ordered: dict[int, Row] = {}
    for row in rows:
        waiting = [row]
        while waiting:
            needs = [by_name[need] for need in waiting[-1].dependencies if id(by_name[need]) not in ordered]
            if needs:
                waiting += reversed(needs)
            else:
                last = waiting.pop()
                ordered.setdefault(id(last), last)
    return list(ordered.values())


def _units(rows: Sequence[Row]) -> dict[str, str]:
    """Rows that depend on each other, by any way, are one unit: one worker runs them, in order."""
    parents: dict[str, str] = {}

    def top(name: str) -> str:
        while parents.setdefault(name, name) != name:
            name = parents[name]
        return name

    for row in rows:
        for need in row.dependencies:
            parents[top(row.name)] = top(need)
    return {name: f"needs {top(name)}" for name in list(parents)}


def _steps(setups: Sequence[SetUp], row: Row, suite: str) -> tuple[str, ...]:
    """The groups that a test is in, the outermost first."""
    if not setups:
        return ()
    fields = fields_of(row, suite)
    return tuple(f"{one.name}={template.fill(one.key, fields)}" for one in setups if one.per == "group")


def _unsplit_depth(setups: Sequence[SetUp]) -> int:
    """Down to which group, the outermost counted as 1, a test's groups must not be split; 0: all may be."""
    groups = [one for one in setups if one.per == "group"]
    return max((at for at, one in enumerate(groups, start=1) if not one.may_split), default=0)
