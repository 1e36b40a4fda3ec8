"""`explain`: which variant set each value of a test, or which filter dropped it. Prints nothing but its answer.

Must not know where matrices come from: it is handed a function that has them, by suite.
"""

from __future__ import annotations

import json as codec
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, Param, TaskSpec
from pipeline.stages import remarks
from pipeline.stages.doctor import JSON

if TYPE_CHECKING:  # What explains is imported where it is used.
    from pipeline.logic.matrix.explaining import Dropped, Kept
    from pipeline.logic.matrix.nodes import Tree

DOC = (
    "say which variant set each value of a test, or which filter dropped it; without --test, name the rows of matrices"
)
TEST = Param(name="test", default="", help="suite::name, the name or short name of a row, or a filter: linux..ide")

Trees = Callable[[], Mapping[str, "Tree"]]
"""The matrices of suites that have one."""
Answer = Sequence["Kept | Dropped"]


def register(catalog: Catalog, trees: Trees) -> Handle:
    """Add the task."""
    action = Action(explain, {"trees": trees})
    return catalog.add(
        "explain", lambda: TaskSpec(name="explain", actions=(action,), params=(JSON, TEST), always=True), doc=DOC
    )


def explain(trees: Trees, json: bool, test: str) -> None:
    """Print what is known of a test, or all names. Raises `UsageError` when no matrix ever had it."""
    if not test:
        listed = named(trees())
        print(codec.dumps(listed, indent=2) if json else names_as_text(listed))
        return
    answers = asked(trees(), test)
    print(codec.dumps({"tests": as_json(answers)}, indent=2) if json else as_text(answers))


def named(trees: Mapping[str, Tree]) -> dict[str, Any]:
    """`{tests: [{suite, name, shortname}], remarks: [{suite, place, said}]}`: rows that run, and what matches nothing."""
    from pipeline.logic.matrix.checking import unmet
    from pipeline.logic.matrix.expanding import expand

    _refuse_none(trees)
    rows = [
        {"suite": suite, "name": row.name, "shortname": row.shortname}
        for suite, tree in trees.items()
        for row in expand(tree)
    ]
    return {"tests": rows, "remarks": remarks.as_json({suite: unmet(tree) for suite, tree in trees.items()})}


def names_as_text(listed: Mapping[str, Any]) -> str:
    """A name a line, then remarks."""
    lines = [f"{row['suite']}::{row['name']}" for row in listed["tests"]]
    lines += [f"remark: {each['place']}: {each['said']}" for each in listed["remarks"]]
    return "\n".join(lines) or "no row runs"


def _refuse_none(trees: Mapping[str, Tree]) -> None:
    if not trees:
        raise UsageError("no suite has a matrix", hint="only tests that are rows of a matrix can be explained")


def asked(trees: Mapping[str, Tree], test: str) -> dict[str, Answer]:
    """The answer of each suite that knows the test. Raises the last suite's `UsageError` when none does."""
    from pipeline.logic.matrix.explaining import explain as explain_row

    suite, separator, name = test.partition("::")
    chosen = {suite: trees[suite]} if separator and suite in trees else dict(trees)
    _refuse_none(chosen)
    wanted = name if separator else test
    found: dict[str, Answer] = {}
    unknown: UsageError | None = None
    for each, tree in chosen.items():
        try:
            found[each] = explain_row(tree, wanted)
        except UsageError as error:
            unknown = error
    if not found and unknown is not None:
        raise unknown
    return found


def as_text(answers: Mapping[str, Answer]) -> str:
    """For people: the value that counts, then those it overwrote; or what dropped it."""
    from pipeline.logic.matrix.explaining import Kept

    lines: list[str] = []
    for suite, rows in answers.items():
        for row in rows:
            lines += _kept(suite, row) if isinstance(row, Kept) else _dropped(suite, row)
    return "\n".join(lines)


def _kept(suite: str, kept: Kept) -> list[str]:
    row = kept.row
    lines = [f"{suite}::{row.name} runs" + (f" as {row.shortname!r}" if row.shortname != row.name else "")]
    lines += [f"  after {dependency!r}" for dependency in row.dependencies]
    for key in sorted(row.values):
        lines.append(f"  {key} = {row.values[key]}")
        for setting in reversed(kept.settings.get(key, ())):
            where = f" in {setting.variant}" if setting.variant else ""
            lines.append(f"      {setting.place}{where}: {setting.statement}")
    return lines


def _dropped(suite: str, dropped: Dropped) -> list[str]:
    return [f"{suite}::{dropped.name} does not run", *(f"  {each.place}: {each.said}" for each in dropped.reasons)]


def as_json(answers: Mapping[str, Answer]) -> list[dict[str, Any]]:
    """`[{suite, name, runs, …}]`: values with `set_by` from the first statement to the one that counts, or `dropped_by`."""
    from pipeline.logic.matrix.explaining import Kept

    return [
        {"suite": suite, **(_kept_json(row) if isinstance(row, Kept) else _dropped_json(row))}
        for suite, rows in answers.items()
        for row in rows
    ]


def _kept_json(kept: Kept) -> dict[str, Any]:
    row = kept.row
    values = {
        key: {"value": value, "set_by": [_told(each) for each in kept.settings.get(key, ())]}
        for key, value in row.values.items()
    }
    names = {"name": row.name, "shortname": row.shortname, "runs": True}
    return {**names, "dependencies": list(row.dependencies), "values": values}


def _told(setting: Any) -> dict[str, Any]:
    return {
        "value": setting.value,
        "statement": setting.statement,
        "variant": setting.variant,
        "place": str(setting.place),
    }


def _dropped_json(dropped: Dropped) -> dict[str, Any]:
    reasons = [{"said": each.said, "place": str(each.place)} for each in dropped.reasons]
    return {"name": dropped.name, "runs": False, "dropped_by": reasons}
