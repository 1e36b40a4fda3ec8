"""Pods, Jobs and their events as a real cluster (1.34) told them, shortened to what is read; see `recorded.jsonl`.

Each case is one pod or Job that a test's cluster was asked for; its name says what was wrong with it.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

Object = dict[str, Any]


@frozen
class Case:
    """What was told."""

    pod: Object | None
    job: Object | None
    events: list[Object]


def recorded(name: str) -> Case:
    """A case; it may be changed."""
    told = copy.deepcopy(_all()[name])
    return Case(told.get("pod"), told.get("job"), told["events"])


def pod_of(name: str) -> Object:
    """A case's pod; it may be changed."""
    pod = recorded(name).pod
    assert pod is not None
    return pod


@cache
def _all() -> dict[str, Any]:
    text = Path(__file__).with_name("recorded.jsonl").read_text("utf-8")
    return {told["case"]: told for told in map(json.loads, text.splitlines())}
