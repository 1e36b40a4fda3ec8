"""The schema in docs/plan.md describes what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.logic.plan_codec import to_json
from tests.logic.suites import a_test, planned

DOCUMENT = Path(__file__).parents[2] / "docs" / "plan.md"
TESTS = [a_test("t1"), a_test("t2", unit="u", exclusive="db"), a_test("t3", suite="other")]


@pytest.fixture(scope="module")
def schema() -> Any:
    """The one JSON block of the document."""
    return json.loads(DOCUMENT.read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0])


def test_a_plan_fits_the_schema_and_has_its_keys_in_order(schema: Any) -> None:
    """Other tools can rely on it."""
    plan = json.loads(to_json(planned(TESTS, 2)))

    jsonschema.validate(plan, schema)
    assert list(plan) == schema["required"]


def test_the_schema_refuses_what_is_no_plan(schema: Any) -> None:
    """A schema that fits everything describes nothing."""
    plan = json.loads(to_json(planned(TESTS, 2)))
    plan["tests"][0][2] = 7

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plan, schema)
