"""Fields in the words of a command: `{name}`, `{values.size}`. Each word stays one argument, whatever a field holds.

Texts for a shell have no fields: they are given to it as they stand, and read the same things as variables. Also used on the
agent, which checks every field before anything runs.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Set

PATTERN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
VALUES = "values."
ENVIRONMENT = "env."
ALWAYS = ("name", "suite", "root", "folder", "slot", "worker", "run", "attempt")
"""Fields of every test."""
SOMETIMES = ("file", "line")
"""Fields of tests that are files, or lines of a file."""
OF_SETUPS = ("key", "suite", "root", "folder", "slot", "worker", "run")
"""Fields of a set-up, besides the values that its key and those around it name."""
OF_RUNS = ("suite", "root", "folder", "run")
"""Fields of a set-up that a whole run shares."""
OF_WORKERS = ("slot", "worker", "run")
"""Those of them that no set-up of a whole host has: it stands before there is any worker, or a run."""
VARIABLE = "DOIT_FLEET_"
OTHERWISE_CALLED = {"name": "TEST", "run": "RUN_ID"}
VALUE_VARIABLE = "DOIT_FLEET_VALUE_"


def names(text: str) -> Set[str]:
    """The fields of one word. Raises `ValueError` for braces that are none."""
    found = set()
    for match in PATTERN.finditer(text):
        if match.group() in "{}" or match.group(1) == "":
            raise ValueError("lone brace in %r: write {{ or }} where a brace is meant" % text)
        if match.group(1) is not None:
            found.add(match.group(1))
    return found


def fill(text: str, fields: Mapping[str, str]) -> str:
    """The word with its fields filled in. Raises `KeyError` with the name of a field that is not known."""

    def one(match: Any) -> str:
        name = match.group(1)
        return match.group()[0] if name is None else fields[name]

    return PATTERN.sub(one, text) if "{" in text or "}" in text else text


def words(command: Any) -> List[str]:
    """The words of a command that may have fields: none in a text for the shell."""
    return [] if isinstance(command, str) else list(command)


def arguments(command: Any, fields: Mapping[str, str]) -> List[str]:
    """What to start: a program and its arguments, or the shell with a text. Raises `KeyError` for an unknown field."""
    if isinstance(command, str):
        return ["/bin/sh", "-c", command]
    return [fill(word, fields) for word in command]


def variables(fields: Mapping[str, str]) -> Dict[str, str]:
    """The same fields as environment variables."""
    made = {}
    for name, value in fields.items():
        if name.startswith(VALUES):
            made[value_variable(name[len(VALUES) :])] = value
        elif not name.startswith(ENVIRONMENT):
            made[variable(name)] = value
    return made


def variable(name: str) -> str:
    """The variable that holds a field other than values and the environment's."""
    return VARIABLE + OTHERWISE_CALLED.get(name, name.upper())


def value_variable(name: str) -> str:
    """The variable that holds a value: letters, digits and `_` stay, all else becomes `_`."""
    return VALUE_VARIABLE + re.sub(r"[^A-Za-z0-9_]", "_", name)
