"""Claims about the one JSON form of results, which channel, journal and reports share."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.codec import result_from_json, result_to_json
from pipeline.model.verdicts import Phase, Result, Verdict

TEXTS = st.text(max_size=20)
SECONDS = st.floats(min_value=0, max_value=1e6)
PHASES = st.builds(Phase, when=TEXTS, outcome=TEXTS, seconds=SECONDS, details=TEXTS)
PLAIN = st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS, max_size=2)
FIELDS: dict[str, Any] = {
    "test": st.just("unit::t"),
    "verdict": st.sampled_from(Verdict),
    "started": SECONDS,
    "seconds": SECONDS,
    "phases": st.lists(PHASES, max_size=3).map(tuple),
    "message": TEXTS,
    "exception": TEXTS,
    "sections": st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple),
    "properties": st.lists(st.tuples(TEXTS, PLAIN), max_size=2).map(tuple),
    "tries": st.integers(0, 9),
}
FLAT = st.builds(Result, **FIELDS)
RESULTS = st.builds(Result, **FIELDS, earlier=st.lists(FLAT, max_size=2).map(tuple))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*FIELDS, "earlier"]), inner),
    max_leaves=12,
)


@given(RESULTS)
def test_every_result_comes_back_equal(result: Result) -> None:
    """Whatever a harness can report is the same value behind the channel."""
    text = json.dumps(result_to_json(result))

    assert result_from_json("unit::t", json.loads(text)) == result


@given(JSON, st.sampled_from([each.value for each in Verdict]))
def test_hostile_input_is_a_value_error_or_a_result(obj: object, verdict: str) -> None:
    """No JSON value makes the reader fail in another way."""
    if isinstance(obj, dict):
        obj["verdict"] = verdict
    try:
        result = result_from_json("unit::t", obj)
    except ValueError:
        return

    assert math.isfinite(result.seconds)
    assert result.seconds >= 0


@pytest.mark.parametrize(
    "obj",
    [
        None,
        [],
        {},
        {"verdict": "fine"},
        {"verdict": ["passed"]},
        {"verdict": "passed", "seconds": "1"},
        {"verdict": "passed", "seconds": float("nan")},
        {"verdict": "passed", "seconds": 10**400},
        {"verdict": "passed", "tries": True},
        {"verdict": "passed", "message": None},
        {"verdict": "passed", "phases": [["call"]]},
        {"verdict": "passed", "sections": [["only a title"]]},
        {"verdict": "passed", "properties": {"a": 1}},
    ],
)
def test_a_field_of_another_type_is_refused(obj: object) -> None:
    """What is no result is named as such at the edge, and goes no further."""
    with pytest.raises(ValueError, match=r"result|verdict|seconds|tries|message|phase|section|properties"):
        result_from_json("unit::t", obj)


def test_time_that_runs_backwards_counts_as_none() -> None:
    """A test that plays with clocks costs no more than its own duration."""
    result = result_from_json("unit::t", {"verdict": "passed", "seconds": -3})

    assert result.seconds == 0.0


def test_a_result_that_says_nothing_is_short() -> None:
    """Fields with their default are left out, because there is one result for every test."""
    assert result_to_json(Result(test="unit::t", verdict=Verdict.PASSED)) == {"verdict": "passed"}


def test_a_property_that_is_no_number_can_be_written_as_json() -> None:
    """`record_property("ratio", nan)` must not make reports that strict readers refuse."""
    result = result_from_json("unit::t", {"verdict": "passed", "properties": [["ratio", float("nan")], ["n", 2]]})

    assert result.properties == (("ratio", "nan"), ("n", 2))
