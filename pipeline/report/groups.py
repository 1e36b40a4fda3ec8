"""Which groups of tests a run has, and when one of them is done. Knows no stream; the moment is each event's own time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from attrs import define, field

from pipeline.model.events import Event, GroupFinished, TestFinished, TestStarted

Key = tuple[str, str]
"""(suite, group)."""


@define
class _Group:
    left: int = 0
    done_before: int = 0
    began: float = 0.0
    counts: dict[str, int] = field(factory=dict)
    workers: dict[str, None] = field(factory=dict)


class Groups:
    """The groups of one run that still have tests to come."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}
        self._groups: dict[Key, _Group] = {}

    def expect(self, tests: Iterable[tuple[str, str, str]], done: Collection[str]) -> None:
        """Take the tests of a run as (id, suite, group), and ids of those that are done already."""
        self._keys.clear()
        self._groups.clear()
        for test, suite, group in tests:
            found = self._groups.setdefault((suite, group), _Group())
            if test in done:
                found.done_before += 1
            else:
                found.left += 1
                self._keys[test] = (suite, group)

    def take(self, event: Event) -> GroupFinished | None:
        """Count an event; what it completes."""
        if type(event) is TestStarted:
            key = self._keys.get(event.test)
            if key is not None and not self._groups[key].began:
                self._groups[key].began = event.time
        elif type(event) is TestFinished:
            key = self._keys.pop(event.result.test, None)  # A test of a lost worker may be told of twice.
            if key is not None:
                return self._finished(key, event)
        return None

    def _finished(self, key: Key, event: TestFinished) -> GroupFinished | None:
        group = self._groups[key]
        verdict = event.result.verdict.value
        group.counts[verdict] = group.counts.get(verdict, 0) + 1
        group.workers[event.worker] = None
        group.left -= 1
        if group.left:
            return None
        del self._groups[key]
        return GroupFinished(
            time=event.time,
            suite=key[0],
            group=key[1],
            counts=group.counts,
            done_before=group.done_before,
            workers=tuple(group.workers),
            seconds=round(max(0.0, event.time - group.began), 3) if group.began else 0.0,
        )
