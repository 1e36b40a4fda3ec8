"""The JSON schema of the settings tables, for editors that complete and check TOML.

It describes what may be written, not what it becomes. The names of open sets are those installed here.
"""

from __future__ import annotations

from typing import Any, Final

from pipeline.settings.container import NAME, Container
from pipeline.settings.declaration import Declaration, Member, Nested
from pipeline.settings.documentation import docstrings, summary
from pipeline.settings.extension import Extension
from pipeline.settings.kinds import Context, Schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(fleet: Extension) -> Schema:
    """Return the schema of fleet.toml, which is that of `[tool.doit-fleet]` too."""
    context = fleet.scope.ledger.context
    settings = {
        name: _member(type(fleet), member, context) for name, member in fleet.declares().items() if name != "profiles"
    }
    overrides = {"type": "object", "properties": settings, "additionalProperties": False}
    profiles = {"type": "object", "additionalProperties": {"$ref": "#/$defs/overrides"}}
    refer = {name: {"$ref": f"#/$defs/overrides/properties/{name}"} for name in settings}
    return {
        "$schema": DIALECT,
        "title": "doit-fleet settings",
        "type": "object",
        "properties": {**refer, "extends": _extends(), "profiles": profiles},
        "additionalProperties": False,
        "$defs": {"overrides": overrides},
    }


def _extends() -> Schema:
    digest = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
    table: dict[str, Any] = {
        "type": "object",
        "properties": {"path": {"type": "string"}, "url": {"type": "string"}, "sha256": digest},
        "oneOf": [{"required": ["path"]}, {"required": ["url", "sha256"]}],
        "additionalProperties": False,
    }
    one = [{"type": "string"}, table]
    return {"description": "Shared team files below the project's own settings.", "anyOf": [*one, _list_of(one)]}


def _list_of(forms: list[Any]) -> Schema:
    return {"type": "array", "items": {"anyOf": forms}}


def _member(owner: type[Extension], member: Member, context: Context) -> Schema:
    if isinstance(member, Declaration):
        doc = docstrings(owner).get(member.name, "")
        return {"description": doc, **member.kind.schema(context)} if doc else member.kind.schema(context)
    if isinstance(member, Nested) and issubclass(member.kind, Container):
        element = _table(member.kind.element, context)
        names = {"pattern": f"^{NAME}$"}
        return {
            "description": summary(member.kind),
            "type": "object",
            "propertyNames": names,
            "additionalProperties": element,
        }
    assert isinstance(member, Nested)
    return _table(member.kind, context)


def _table(kind: type[Extension], context: Context) -> Schema:
    properties = {name: _member(kind, member, context) for name, member in kind._members.items()}
    return {"description": summary(kind), "type": "object", "properties": properties, "additionalProperties": False}
