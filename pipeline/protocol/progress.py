"""How many tests have a final record, as far as this process knows: live ones of the living, sealed ones of the dead.

A live record may never become durable; then its worker's tombstone takes it back. It must not know why a test is bad.
"""

from __future__ import annotations

from collections.abc import Iterable


class Progress:
    """Counts tests with at least one final record, and those with a bad one."""

    def __init__(self, tests: int) -> None:
        self.tests = tests
        self.done = 0
        self._holders = [0] * tests
        self._live: dict[str, set[int]] = {}
        self._bad: dict[str, set[int]] = {}
        self._settled: set[str] = set()

    @property
    def is_complete(self) -> bool:
        """Whether every test has a final record."""
        return self.done >= self.tests

    @property
    def bad(self) -> int:
        """Tests with a bad final record."""
        return len(set().union(*self._bad.values()))

    def is_done(self, test: int) -> bool:
        """Whether that test has a final record."""
        return self._holders[test] > 0

    def add(self, worker: str, test: int, *, bad: bool) -> None:
        """A living worker has a final record."""
        live = self._live.setdefault(worker, set())
        if worker in self._settled or test in live:
            return
        live.add(test)
        self._hold(test)
        if bad:
            self._bad.setdefault(worker, set()).add(test)

    def settle(self, worker: str, finals: Iterable[int], bad: Iterable[int]) -> None:
        """A worker's journal is sealed: exactly these count."""
        if worker in self._settled:
            return
        self._settled.add(worker)
        self._bad[worker] = set(bad)
        for test in set(finals):
            self._hold(test)
        for test in self._live.pop(worker, set()):
            self._holders[test] -= 1
            self.done -= self._holders[test] == 0

    def _hold(self, test: int) -> None:
        self._holders[test] += 1
        self.done += self._holders[test] == 1
