"""Events as plain JSON objects: `{"event": name, "time": …, …fields}`, one a line in `events.jsonl`.

The format is derived from the event classes themselves, so a new event needs no code here. Input is checked field by
field and whatever is no event is a `ValueError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pipeline.model import events
from pipeline.model.codec import (
    as_count,
    as_list,
    as_seconds,
    as_text,
    malformed,
    result_from_json,
    result_to_json,
    shortened,
)

EVENTS: Final[dict[str, type[events.Event]]] = {each.__name__: each for each in events.Event.__subclasses__()}


def event_to_json(event: events.Event) -> dict[str, Any]:
    """Make an object of an event; a result's test id becomes the field `test`."""
    kind = type(event)
    obj: dict[str, Any] = {"event": kind.__name__, "time": event.time}
    for name in _names(kind):
        obj[name] = getattr(event, name)
    if isinstance(event, events.TestFinished):
        obj["test"] = event.result.test
        obj["result"] = result_to_json(event.result)
    return obj


def event_from_json(obj: object) -> events.Event:
    """Check an object and make an event of it. Unknown fields are ignored. Raises `ValueError`."""
    if not isinstance(obj, dict):
        raise malformed("event", "is no object", obj)
    name = obj.get("event")
    kind = EVENTS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"unknown event {shortened(name)} (known: {', '.join(EVENTS)})")
    values: dict[str, Any] = {}
    for field, check in _checks(kind).items():
        if field == "result":
            values[field] = result_from_json(as_text(obj.get("test"), "test"), obj.get(field))
        elif field in obj:
            values[field] = check(obj[field], field)
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"incomplete event {name!r}: {error}") from error


def _names(kind: type[events.Event]) -> tuple[str, ...]:
    """The fields of an event but its time, cached because it is asked for every test."""
    names = _NAMES.get(kind)
    if names is None:
        names = _NAMES[kind] = tuple(each for each in _checks(kind) if each != "time")
    return names


def _checks(kind: type[events.Event]) -> dict[str, Callable[[object, str], Any]]:
    from attrs import fields

    return {each.name: _CHECK_BY_TYPE[str(each.type)] for each in fields(kind)}


def _as_flag(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        raise malformed(name, "is neither true nor false", value)
    return value


def _as_texts(value: object, name: str) -> tuple[str, ...]:
    return tuple(as_text(each, name) for each in as_list(value, name))


def _as_counts(value: object, name: str) -> dict[str, int]:
    if not isinstance(value, dict):
        raise malformed(name, "is no object", value)
    return {as_text(key, name): as_count(each, name) for key, each in value.items()}


_NAMES: dict[type[events.Event], tuple[str, ...]] = {}
_CHECK_BY_TYPE: Final[dict[str, Callable[[object, str], Any]]] = {
    "str": as_text,
    "int": as_count,
    "float": as_seconds,
    "bool": _as_flag,
    "tuple[str, ...]": _as_texts,
    "dict[str, int]": _as_counts,
    "Result": lambda value, _name: value,
}
