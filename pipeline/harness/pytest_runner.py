"""Run the tests of the queue one by one, exactly as pytest's own loop would with the whole order known.

Every test that is begun gets a final result, whatever it raises; a second one, only for an error in a tear-down that
had to wait for its successor.
"""

from __future__ import annotations

from os import _exit, environ, getpid
from time import perf_counter
from typing import Any

from .pytest_collector import Collector, chain_to
from .pytest_interrupt import report_interrupt
from .pytest_queue import Entry, Queue
from .pytest_result import bare_result, result_of, split_reruns
from .pytest_successor import is_torn_down_to, keeps_something, late_report, stand_in

ATTEMPT = "DOIT_FLEET_ATTEMPT"
LINGER_SECONDS = 0.1
"""How long a last test with something to tear down waits for its successor. Then all is torn down: its result must hold
every error, and nobody sends more work to a harness before it has heard that result."""


class Runner:
    """The loop. `heard_report` is fed by pytest's hook."""

    def __init__(self, channel: Any, queue: Queue, collector: Collector, born: float) -> None:
        self._channel = channel
        self._queue = queue
        self._collector = collector
        self._born = born
        self._pid = getpid()
        self._reports: list[Any] = []
        self._uncertain = False
        """Whether pytest was told of a stand-in, so that something may have stayed set up."""
        self._last: Any = None
        """The test that ran last, while something may still be set up above it: (entry, item, reports, result)."""

    def heard_report(self, report: Any) -> None:
        """Keep a report of the test that runs."""
        if getpid() != self._pid:
            _exit(0)  # A forked child came back from its test: the parent reports that test.
        self._reports.append(report)

    def run(self, entry: Entry) -> None:
        """Run one test, with its retries, and say what came of it."""
        item = self._prepare(entry)
        if item is None:
            self._say(entry, bare_result("not-run", "not found"))
            return
        started = perf_counter() - self._born
        self._channel.say("start", batch=entry.batch.name, i=entry.i, at=round(started, 6))
        if entry.batch.careful:
            self._queue.wait_for_go(entry)
        failed: list[dict[str, Any]] = []
        for number in range(1, entry.batch.retries + 2):
            result = self._try(entry, item, number)
            if number > entry.batch.retries or result["verdict"] not in ("failed", "error"):
                break
            self._say(entry, result, final=False)
            failed += [*result.pop("earlier", ()), result]
        if failed:
            result["earlier"] = [*failed, *result.get("earlier", ())]
        self._say(entry, result)

    def settle(self, chain: list[Any]) -> None:
        """Tear down whatever a test with that chain does not share; an error there belongs to the last test."""
        if self._last is None:
            return
        entry, item, reports, result = self._last
        self._last = None
        if is_torn_down_to(item, chain):
            return
        report = late_report(item, chain)
        if report is not None:
            self._correct(entry, reports, report, result)

    def _prepare(self, entry: Entry) -> Any | None:
        key = (entry.file, entry.native, entry.occurrence)
        item = self._collector.known(*key)
        if item is not None:
            if self._last is not None:
                self.settle(item.listchain())
            return item
        self.settle(self._collector.walk.chain_of(entry.file) or [])
        if self._collector.has_to_collect(entry.file):
            self._collector.collect_in_run(entry.file)
        return self._collector.known(*key)

    def _try(self, entry: Entry, item: Any, number: int) -> dict[str, Any]:
        if environ.get(ATTEMPT) != str(number):
            environ[ATTEMPT] = str(number)
        if number > 1:
            self.settle(item.listchain())
        reports: list[Any] = []
        self._reports = reports
        started = perf_counter() - self._born
        nextitem = self._next(entry, item, number)
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        except BaseException as error:
            report_interrupt(item, error, reports)
            late = late_report(item, self._chain_after(item, number <= entry.batch.retries))
            if late is not None:
                reports.append(late)
            self._uncertain = True
        if getpid() != self._pid:
            _exit(0)
        try:
            result = self._result(reports, started, number)
        except Exception as error:
            result = bare_result("error", f"pytest's report could not be read: {type(error).__name__}", started)
        if self._uncertain:
            self._last = (entry, item, reports, result)
        self._keep_going(item.session)
        return result

    def _next(self, entry: Entry, item: Any, number: int) -> Any:
        """What comes after this try, as an item for pytest."""
        self._uncertain = False
        has_retries = number <= entry.batch.retries
        following = self._queue.look() if len(self._queue.entries) < 2 else self._queue.entries[0]
        if following is not None and not has_retries:
            known = self._collector.known(following.file, following.native, following.occurrence)
            if known is not None:
                return known
        self._uncertain = True
        return stand_in(item, lambda: self._chain_after(item, has_retries))

    def _chain_after(self, item: Any, has_retries: bool) -> list[Any]:
        """Asked at tear-down: the nodes that must stay set up."""
        if has_retries and any(report.outcome == "failed" for report in self._reports):
            failed_early = any(report.failed and report.when == "setup" for report in self._reports)
            return [] if failed_early else list(item.parent.listchain())
        keeps = keeps_something(item)
        following = self._queue.look(LINGER_SECONDS if keeps else 0.0)
        if following is not None:
            chain = chain_to(self._collector, following.file, following.native, following.occurrence)
            return list(item.session.listchain()) if chain is None else chain
        return [] if keeps or self._queue.is_over else list(item.parent.listchain())

    def _result(self, reports: list[Any], started: float, number: int) -> dict[str, Any]:
        if not reports:
            return bare_result("error", "pytest reported nothing for this test", started)
        *earlier, decisive = split_reruns(reports)
        result = result_of(decisive, started)
        if number + len(earlier) > 1:
            result["tries"] = number + len(earlier)
        if earlier:
            result["earlier"] = [result_of(each, started) for each in earlier]
        return result

    def _say(self, entry: Entry, result: dict[str, Any], final: bool = True) -> None:
        self._channel.say("result", batch=entry.batch.name, i=entry.i, final=final, result=result)
        if final:
            entry.batch.left -= 1
            if entry.batch.left == 0:
                self._channel.say("done", batch=entry.batch.name)

    def _correct(self, entry: Entry, reports: list[Any], report: Any, before: dict[str, Any]) -> None:
        """Say the last test's result again, with its late tear-down in place of the early one."""
        reports = [each for each in split_reruns(reports)[-1] if each.when != "teardown"] + [report]
        result = result_of(reports, before.get("started", 0.0))
        result.update({name: before[name] for name in ("tries", "earlier") if name in before})
        self._channel.say("result", batch=entry.batch.name, i=entry.i, final=True, result=result)

    def _keep_going(self, session: Any) -> None:
        """A test may ask the session to stop; here it goes on, because other tests still need their verdicts."""
        reason = session.shouldstop or session.shouldfail
        if reason:
            self._channel.say("log", level="warning", text=f"a test asked the session to stop ({reason}); it goes on")
            for name in ("shouldstop", "shouldfail"):
                private = "_" + name
                setattr(session, private if hasattr(session, private) else name, False)
