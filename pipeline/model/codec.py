"""Results as plain JSON objects, for the channel, the journal and `events.jsonl`; see `event_codec` for events.

Written by hand, because it runs once or more for every test. What comes in is hostile: each field is checked, and
whatever is no result is a `ValueError`, never another exception.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pipeline.model.verdicts import Phase, Result, Verdict

MOST_NESTING: Final = 20
VERDICTS: Final = {verdict.value: verdict for verdict in Verdict}


def result_to_json(result: Result) -> dict[str, Any]:
    """Make an object of a result, without its test id and without fields that hold their default."""
    obj: dict[str, Any] = {"verdict": result.verdict.value}
    if result.started:
        obj["started"] = result.started
    if result.seconds:
        obj["seconds"] = result.seconds
    if result.phases:
        obj["phases"] = [_phase_to_json(phase) for phase in result.phases]
    if result.message:
        obj["message"] = result.message
    if result.exception:
        obj["exception"] = result.exception
    if result.sections:
        obj["sections"] = [list(section) for section in result.sections]
    if result.properties:
        obj["properties"] = [list(pair) for pair in result.properties]
    if result.tries != 1:
        obj["tries"] = result.tries
    if result.earlier:
        obj["earlier"] = [result_to_json(earlier) for earlier in result.earlier]
    return obj


def result_from_json(test: str, obj: object) -> Result:
    """Check an object and make the result of that test of it. Unknown keys are ignored. Raises `ValueError`."""
    result = _flat_result(test, obj)
    assert isinstance(obj, dict)
    earlier = obj.get("earlier")
    if not earlier:
        return result
    from attrs import evolve

    return evolve(result, earlier=tuple(_flat_result(test, each) for each in as_list(earlier, "earlier")))


def _flat_result(test: str, obj: object) -> Result:
    """A result without its earlier tries: those have none of their own, so no input can nest deeply."""
    if not isinstance(obj, dict):
        raise malformed(f"result of {test!r}", "is no object", obj)
    verdict = obj.get("verdict")
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        raise ValueError(f"unknown verdict of {test!r}: {shortened(verdict)} (known: {', '.join(VERDICTS)})")
    get = obj.get
    return Result(
        test=test,
        verdict=VERDICTS[verdict],
        started=as_seconds(get("started", 0.0), "started"),
        seconds=as_seconds(get("seconds", 0.0), "seconds"),
        phases=tuple(_phase_from_json(each) for each in as_list(get("phases", ()), "phases")),
        message=as_text(get("message", ""), "message"),
        exception=as_text(get("exception", ""), "exception"),
        sections=tuple(_section_from_json(each) for each in as_list(get("sections", ()), "sections")),
        properties=tuple(_property_from_json(each) for each in as_list(get("properties", ()), "properties")),
        tries=as_count(get("tries", 1), "tries"),
    )


def as_text(value: object, name: str) -> str:
    """Check a string. Raises `ValueError`."""
    if not isinstance(value, str):
        raise malformed(name, "is no text", value)
    return value


def as_seconds(value: object, name: str) -> float:
    """Check a finite number; less than zero becomes zero, because tests may play with clocks. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise malformed(name, "is no number", value)
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise malformed(name, "is no finite number", value)
    return max(0.0, seconds)


def as_count(value: object, name: str) -> int:
    """Check a whole number of at least zero. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise malformed(name, "is no whole number", value)
    return value


def as_list(value: object, name: str) -> list[Any] | tuple[Any, ...]:
    """Check a JSON array. Raises `ValueError`."""
    if not isinstance(value, list | tuple):
        raise malformed(name, "is no array", value)
    return value


def malformed(name: str, claim: str, value: object) -> ValueError:
    """The error for a field that is not what it must be."""
    return ValueError(f"{name} {claim}: {shortened(value)}")


def shortened(value: object) -> str:
    """Show a hostile value in a message: its type and its first characters at most."""
    text = repr(value[:60]) if isinstance(value, str) else type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


def _phase_to_json(phase: Phase) -> dict[str, Any]:
    obj: dict[str, Any] = {"when": phase.when, "outcome": phase.outcome, "seconds": phase.seconds}
    if phase.details:
        obj["details"] = phase.details
    return obj


def _phase_from_json(obj: object) -> Phase:
    if not isinstance(obj, dict):
        raise malformed("phase", "is no object", obj)
    return Phase(
        when=as_text(obj.get("when"), "when"),
        outcome=as_text(obj.get("outcome"), "outcome"),
        seconds=as_seconds(obj.get("seconds", 0.0), "seconds"),
        details=as_text(obj.get("details", ""), "details"),
    )


def _section_from_json(obj: object) -> tuple[str, str]:
    pair = as_list(obj, "section")
    if len(pair) != 2:
        raise ValueError(f"section has {len(pair)} parts instead of 2")
    return as_text(pair[0], "section title"), as_text(pair[1], "section text")


def _property_from_json(obj: object) -> tuple[str, Any]:
    pair = as_list(obj, "property")
    if len(pair) != 2:
        raise ValueError(f"property has {len(pair)} parts instead of 2")
    return as_text(pair[0], "property name"), _finite(pair[1])


def _finite(value: Any, depth: int = 0) -> Any:
    """A JSON value without the numbers that JSON does not have; they, and what nests too deeply, become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | dict) and depth >= MOST_NESTING:
        return f"<{type(value).__name__} nested too deeply>"
    if isinstance(value, list):
        return [_finite(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {str(key): _finite(each, depth + 1) for key, each in value.items()}
    return value
