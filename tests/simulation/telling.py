"""What an agent tells of a run, judged against what happened: every birth, end and result once."""

from __future__ import annotations

from collections import Counter

from pipeline.model.events import Event, RunStarted, TestFinished, WorkerEnded, WorkerStarted
from pipeline.protocol.finishing import Ending


class Broken(AssertionError):
    """An invariant does not hold."""


def has_told(told: list[Event], ending: Ending, *, is_alone: bool) -> None:
    """Each birth, end and result is told once; a complete run's results have all been told or counted before."""
    births = Counter(event.worker for event in told if isinstance(event, WorkerStarted))
    ends = Counter(event.worker for event in told if isinstance(event, WorkerEnded))
    results = Counter(
        (event.worker, event.result.test, event.attempt) for event in told if isinstance(event, TestFinished)
    )
    twice = [each for counter in (births, ends, results) for each, count in counter.items() if count > 1]
    if twice:
        raise Broken(f"{twice} are told more than once (hearing)")
    strangers = {worker for worker, _, _ in results} - set(births)
    if strangers:
        raise Broken(f"results of {strangers} are told, but not their births (hearing)")
    before = next(event.done_before for event in told if isinstance(event, RunStarted))
    known = before + len({test for _, test, _ in results})
    if is_alone and ending.reason == "complete" and known < len(ending.merged.outcomes):
        raise Broken(f"{known} of {len(ending.merged.outcomes)} results have been told (hearing)")
