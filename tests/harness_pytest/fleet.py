"""A very small fleet: two harnesses, files handed out one by one, batches cut and shuffled by a seed.

Just enough of a supervisor to compare a whole suite with plain pytest.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.harness_pytest.driving import Harness

Test = tuple[str, int, str, str, str]


class Fleet:
    """Collects and runs one project; `results` maps (file, node id, occurrence) to the last final result."""

    def __init__(self, folder: Path, args: Sequence[str], *, python: str, seed: int, size: int = 2) -> None:
        self.random = random.Random(seed)
        run = f"compare-{seed}-{id(self)}"
        self.harnesses = [
            Harness(folder, args, python=python, slot=slot, slots=size, run=run, seed=12345) for slot in range(size)
        ]
        self.results: dict[tuple[str, str, int], dict[str, Any]] = {}
        self.tests: list[Test] = []
        self.errors: list[list[str]] = []
        self.logs: list[str] = []
        self.whole = ""

    def run(self) -> Fleet:
        """Walk, collect, run, finish."""
        files = self._walk()
        self._each(self._collect_files, deque(files))
        self._each(self._run_batches, deque(self._cut()))
        for harness in self.harnesses:
            harness.close()
        return self

    def _walk(self) -> list[str]:
        for harness in self.harnesses:
            heard = harness.until("files")
            self.logs += [message["text"] for message in heard if message["say"] == "log"]
        self.whole = heard[-1]["whole"]
        return list(heard[-1]["files"])

    def _each(self, work: Any, share: Any) -> None:
        failures: list[BaseException] = []

        def guarded(harness: Harness) -> None:
            try:
                work(harness, share)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=guarded, args=(harness,)) for harness in self.harnesses]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _collect_files(self, harness: Harness, files: deque[str]) -> None:
        if self.whole:
            harness.send("collect-all")
            self._keep(harness.until("collected")[-1], first=harness is self.harnesses[0])
            return
        while files:
            try:
                harness.send("collect", file=files.popleft())
            except IndexError:
                return
            self._keep(harness.until("collected")[-1])

    def _keep(self, answer: dict[str, Any], first: bool = True) -> None:
        if first:
            self.tests += [tuple(test) for test in answer["tests"]]
            self.errors += answer["errors"]

    def _cut(self) -> list[list[Test]]:
        """Batches of tests of one file that keep units whole, in shuffled order."""
        order: dict[str, int] = {}
        units: dict[tuple[str, str], list[Test]] = {}
        for number, test in enumerate(self.tests):
            key = (test[4] if not test[2].startswith("xdist_group") else "", test[2] or f"#{number}")
            units.setdefault(key, []).append(test)
            order.setdefault(test[4], len(order))
        batches: list[list[Test]] = []
        room = 0
        for unit in units.values():
            if not batches or room <= 0 or batches[-1][-1][4] != unit[0][4]:
                batches.append([])
                room = self.random.choice((1, 5, 20, 100))
            batches[-1] += unit
            room -= len(unit)
        self.random.shuffle(batches)
        return batches

    def _run_batches(self, harness: Harness, batches: deque[list[Test]]) -> None:
        mine: dict[str, list[Test]] = {}
        outstanding = 0

        def claim() -> None:
            nonlocal outstanding
            try:
                batch = batches.popleft()
            except IndexError:
                return
            name = f"{len(mine)}.1"
            mine[name] = batch
            harness.send(
                "run", batch=name, tests=[[t[0], t[1], t[4]] for t in batch], attempt=1, retries=0, careful=False
            )
            outstanding += 1

        claim()
        claim()
        while outstanding:
            message = harness.receive()
            assert message is not None, f"the harness ended: {self.logs} {harness.log.read_text()[-2000:]}"
            if message["say"] == "done":
                outstanding -= 1
                claim()
            self._hear(message, mine)
        harness.send("finish")
        for message in harness.until("bye"):
            self._hear(message, mine)

    def _hear(self, message: dict[str, Any], mine: dict[str, list[Test]]) -> None:
        if message["say"] == "result" and message["final"]:
            test = mine[message["batch"]][message["i"]]
            self.results[test[4], test[0], test[1]] = message["result"]
        elif message["say"] == "log":
            self.logs.append(message["text"])
