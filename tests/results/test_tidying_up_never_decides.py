"""What is removed after a run, because it is old, never decides how the run ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from extensions.agent import LocalAgent
from pipeline.errors import EngineError
from pipeline.model.runs import MergedRun


@pytest.mark.parametrize("error", [EngineError("the disk is full"), FileNotFoundError("somebody was faster")])
def test_what_cannot_be_removed_is_a_warning(error: Exception) -> None:
    """Another command may tidy up the same folders at the same time."""

    def prune(*_: object) -> None:
        raise error

    told: list[str] = []
    results = SimpleNamespace(remember=lambda *_: None, prune=prune)
    agent: Any = SimpleNamespace(
        results=results,
        inputs=lambda: SimpleNamespace(identity=""),
        history=lambda: SimpleNamespace(learn=lambda *_, **__: None),
        branches=lambda: [""],
        store=lambda: None,
        wait=lambda _: None,
        _warn=told.append,
    )

    LocalAgent.learn(cast("LocalAgent", agent), MergedRun(run="r", plan=""))

    assert len(told) == 1
    assert str(error) in told[0]
