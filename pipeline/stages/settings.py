"""`settings`: the value of each setting, where it came from and what it overrides. Prints nothing but its answer.

Must not know the settings objects: it is handed a function that describes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages.doctor import JSON

DOC = "show settings: value, where it came from, what it overrides"
SCHEMA = Param(name="schema", default=False, type=bool, help="print the JSON schema of the settings, for editors")

Describe = Callable[[str | None, bool], str]
"""(name of a setting or table or None, as JSON) to text."""


def register(catalog: Catalog, describe: Describe, schema: Callable[[], str]) -> Handle:
    """Add the task."""
    action = Action(show, {"describe": describe, "describe_schema": schema})
    return catalog.add(
        "settings",
        lambda: TaskSpec(name="settings", actions=(action,), params=(JSON, SCHEMA), positional="names", always=True),
        doc=DOC,
    )


def show(
    describe: Describe, describe_schema: Callable[[], str], names: Sequence[str] | None, json: bool, schema: bool
) -> None:
    """Print the settings whose names are given, or all."""
    if schema:
        print(describe_schema())
        return
    for name in names or (None,):
        print(describe(name, json))
