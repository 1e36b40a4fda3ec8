"""Says whether a task is up to date, and why not, in words a person can act on.

A task is fresh when its digest and the results of what it needs are what they were when it last succeeded. The digest
is taken before the task runs: an input edited meanwhile makes the next run stale. Knows no stage.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from doit.dependency import UptodateCalculator  # type: ignore[import-untyped]
from doit.exceptions import InvalidTask  # type: ignore[import-untyped]

from pipeline.errors import FleetError
from pipeline.graph.task import Digest, TaskSpec

DIGEST = "fleet:digest"
NEEDS = "fleet:needs"
STAMP = "fleet:stamp"
NAMED = 5


class DigestFailed(InvalidTask):  # type: ignore[misc]
    """The digest of a task could not be taken; `error` says why."""

    def __init__(self, task: str, error: FleetError) -> None:
        super().__init__(f"{task}: {error}")
        self.error = error


class Freshness(UptodateCalculator):  # type: ignore[misc]
    """doit's up-to-date check for one of our tasks; `reasons` explain the latest answer."""

    def __init__(self, spec: TaskSpec) -> None:
        super().__init__()
        self.spec = spec
        self.reasons: list[str] = []

    def __call__(self, task: Any, values: Mapping[str, Any]) -> bool:
        """Whether the task need not run; also arranges what is remembered if it does and succeeds."""
        digest = self._digest()
        needs = {name: key for edge in self.spec.needs if (key := self._result(name := str(edge))) is not None}
        self.reasons = list(self._why(values, digest, needs))

        def save() -> dict[str, Any]:
            fresh = not self.spec.always and task.values.get("fresh") is not False
            return {DIGEST: digest if fresh else None, NEEDS: needs, STAMP: os.urandom(16).hex()}

        task.value_savers[:] = [save]
        return not self.reasons

    def __repr__(self) -> str:
        return "; ".join(self.reasons) or "up to date"

    def _why(self, values: Mapping[str, Any], digest: Digest, needs: Mapping[str, Any]) -> list[str]:
        if self.spec.always:
            return ["it always runs"]
        if self.spec.digest is None and not self.spec.needs:
            return ["nothing says when it would be up to date"]
        if values.get(DIGEST) is None:
            return ["it has not succeeded since it last had to run" if STAMP in values else "no earlier run is known"]
        reasons = changed_parts(values[DIGEST], digest)
        earlier = values.get(NEEDS, {})
        reasons += [f"{name} ran again" for name in needs if needs[name] != earlier.get(name)]
        reasons += [f"{target} is missing" for target in self.spec.targets if not os.path.exists(target)]
        return reasons or [why for why in (self._lost(),) if why]

    def _digest(self) -> Digest:
        try:
            return (self.spec.digest() if callable(self.spec.digest) else self.spec.digest) or {}
        except FleetError as error:
            raise DigestFailed(self.spec.name, error) from error

    def _lost(self) -> str:
        try:
            return self.spec.lost() if self.spec.lost else ""
        except FleetError as error:
            raise DigestFailed(self.spec.name, error) from error

    def _result(self, name: str) -> Any:
        """What identifies the latest result of a needed task; None for a user's task without a result: order only."""
        task = self.tasks_dict.get(name) if self.tasks_dict else None
        if task is not None and task.has_subtask:
            return {member: self._result(member) for member in sorted(task.task_dep)}
        result = self.get_val(name, "result:")
        return result if result is not None else (self.get_val(name, "_values_:") or {}).get(STAMP)


def changed_parts(before: Digest, now: Digest) -> list[str]:
    """One reason per part that differs, with the names in it where they are known."""
    return [
        _difference(part, before.get(part), now.get(part))
        for part in sorted({*before, *now})
        if before.get(part) != now.get(part)
    ]


def _difference(part: str, before: Any, now: Any) -> str:
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return f"{part} changed"
    names = [_verb(name, before, now) for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{part}: {', '.join(names[:NAMED])}{more}"


def _verb(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    if name not in before:
        return f"{name} added"
    return f"{name} changed" if name in now else f"{name} removed"
