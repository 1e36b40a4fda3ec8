"""What is known of the latest runs without asking the store: whether the inputs were green, which tests failed last.

A small JSON file, replaced whole. Losing it costs a run, never a verdict. Knows no settings.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from pipeline.model.runs import MergedRun

MOST_RESULTS = 1_000
"""How many inputs' results are remembered."""


@frozen(kw_only=True)
class Remark:
    """The result of one run, as far as it can be said again."""

    identity: str
    run: str
    exit_code: int
    counts: Mapping[str, int]
    ended: float
    """Wall clock, seconds since the epoch."""
    seconds: float
    is_mixed: bool = False


class Remembered:
    """The file `results.json` in a folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "results.json"

    def result(self, identity: str) -> Remark | None:
        """The latest result of runs with these inputs."""
        found = next((one for one in self._read()["results"] if one["identity"] == identity), None)
        return Remark(**found) if found else None

    def failed(self) -> dict[str, list[str]]:
        """Native ids by suite whose latest verdict was bad."""
        failed: dict[str, list[str]] = self._read()["failed"]
        return failed

    def too_old(self, runs: Sequence[str], *, keep: int, days: int) -> list[str]:
        """Runs beyond the newest `keep` ones that ended more than `days` ago; a run never heard of counts as old."""
        ended = {one["run"]: one["ended"] for one in self._read()["results"]}
        old = sorted(runs, key=lambda run: -ended.get(run, 0.0))[keep:]
        return [run for run in old if ended.get(run, 0.0) < time.time() - days * 86_400]

    def learn(self, remark: Remark, run: MergedRun) -> None:
        """Take over a run."""
        told = self._read()
        others = [one for one in told["results"] if one["identity"] != remark.identity]
        told["results"] = [asdict(remark), *others][:MOST_RESULTS]
        told["failed"] = _failed(told["failed"], run)
        self._write(told)

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self._path.read_text("utf-8"))
            if isinstance(told["results"], list) and isinstance(told["failed"], dict):
                return {"results": told["results"], "failed": told["failed"]}
        except (OSError, ValueError, KeyError, TypeError):
            pass  # Nothing is known then, which is always safe.
        return {"results": [], "failed": {}}

    def _write(self, told: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=self._path.parent, delete=False) as file:
            json.dump(told, file)
        os.replace(file.name, self._path)


def _failed(before: Mapping[str, Sequence[str]], run: MergedRun) -> dict[str, list[str]]:
    bad = {(suite, native): None for suite, known in before.items() for native in known}
    for outcome in run.outcomes:
        suite, _, native = outcome.result.test.partition("::")
        key = (suite, native)
        if outcome.result.verdict.is_good:
            bad.pop(key, None)
        else:
            bad[key] = None
    found: dict[str, list[str]] = {}
    for suite, native in bad:
        found.setdefault(suite, []).append(native)
    return found
