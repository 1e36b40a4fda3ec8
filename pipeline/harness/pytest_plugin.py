"""The plug-in that joins pytest's hooks to the channel: it says hello, lets pytest walk, then serves until `finish`.

Each hook only hands on. Nothing here may raise: an error of ours must not look like one of the user's.
"""

from __future__ import annotations

import platform
import traceback
from collections.abc import Iterator
from os import getpid
from time import perf_counter
from typing import Any

import pytest

from . import pytest_coverage, pytest_settle, pytest_terminal, pytest_xdist
from .pytest_collector import Collector
from .pytest_describe import EXCLUSIVE, MARKERS
from .pytest_queue import Queue
from .pytest_result import is_subtest
from .pytest_runner import Runner
from .pytest_successor import exception_name
from .pytest_walk import Walk
from .pytest_whole import reason_for_whole


class FleetPlugin:
    """One harness's session. Hooks are found by their names."""

    def __init__(self, channel: Any, options: dict[str, Any], startup: Any) -> None:
        self.has_walked = False
        self._channel = channel
        self._options = options
        self._startup = startup
        self._facts: dict[str, Any] = {}
        self._walk = Walk()
        self._collector = Collector(self._walk)
        self._queue = Queue(channel)
        self._runner: Any = None
        self._has_subtests = False
        pytest_xdist.export(options)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> Iterator[None]:
        """Keep coverage from erasing what other harnesses have measured."""
        pytest_coverage.keep_data(early_config)
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_cmdline_main(self, config: Any) -> Iterator[None]:
        """Settle options once all of them are known."""
        self._startup.stop_listening()
        try:
            self._facts = pytest_settle.settle_options(config, self._options)
            if not config.pluginmanager.hasplugin("xdist"):
                config.pluginmanager.register(pytest_xdist.Fixtures(), "doit-fleet-xdist-fixtures")
        except Exception:
            self._startup.notes.append(traceback.format_exc())
        outcome: Any = yield
        if outcome.excinfo is not None:
            self._startup.notes.append(f"{outcome.excinfo[0].__name__}: {outcome.excinfo[1]}")

    def pytest_configure(self, config: Any) -> None:
        """Know our own markers, even under --strict-markers."""
        for line in MARKERS:
            if line.startswith(EXCLUSIVE) or not config.pluginmanager.hasplugin("xdist"):
                config.addinivalue_line("markers", line)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionstart(self, session: Any) -> Iterator[None]:
        """Look like a worker to plug-ins that ask when the session starts; then say hello."""
        pytest_coverage.hand_over(session.config)
        pytest_xdist.pose_as_worker(session.config, self._options)
        outcome: Any = yield
        if outcome.excinfo is None:
            self._begin(session)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_collection(self, session: Any) -> Iterator[None]:
        """Let pytest walk, stopped at each file; then collect what is asked for, until tests are to run."""
        with self._walk.stopping_at_files(session):
            outcome: Any = yield
        if outcome.excinfo is None and self._runner is not None:
            self._shielded(self._serve_collection)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        """Run what the queue holds instead of all that was collected."""
        self._shielded(self._serve_runs)
        return True

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what tells something; subtests fail their test only inside the status hook, so call that first."""
        if report.outcome != "passed":
            self._has_subtests |= is_subtest(report)
        elif is_subtest(report):
            return
        elif self._has_subtests and report.when == "call":
            config = self._collector.session.config
            config.hook.pytest_report_teststatus(report=report, config=config)
        self._runner.heard_report(report)

    def pytest_exception_interact(self, call: Any, report: Any) -> None:
        """Remember which exception a report is about."""
        report.fleet_exception = exception_name(call.excinfo.value)

    def pytest_collectreport(self, report: Any) -> None:
        """Hand on what could not be collected."""
        self._collector.heard_report(report)

    def pytest_deselected(self, items: Any) -> None:
        """Count what plug-ins take out."""
        self._collector.heard_deselected(len(items))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: Any) -> Iterator[None]:
        """Save what was measured before the session had started."""
        yield
        pytest_coverage.save_early(session.config)

    def _begin(self, session: Any) -> None:
        config = session.config
        pytest_terminal.silence(config)
        self._collector.session = session
        self._runner = Runner(self._channel, self._queue, self._collector, perf_counter())
        self._facts.update(pytest_coverage.facts(config))
        self._channel.say(
            "hello",
            pid=getpid(),
            python=platform.python_version(),
            framework="pytest " + pytest.__version__,
            facts=self._facts,
        )
        self._channel.flush()

    def _serve_collection(self) -> None:
        queue = self._queue
        self._collector.whole = reason_for_whole(self._collector.session.config)
        self.has_walked = True
        self._channel.say("files", files=list(self._walk.stops), whole=self._collector.whole)
        has_answered = False
        while not queue.entries and not queue.is_over:
            if has_answered and not self._channel.pending() and self._collector.import_next():
                continue  # While nobody asks for anything; what is left then is imported before the first test.
            queue.hear()
            has_answered = has_answered or bool(queue.to_collect)
            self._collect_asked()
        while queue.entries and self._collector.import_next():
            pass

    def _serve_runs(self) -> None:
        queue, session = self._queue, self._collector.session
        session.testsfailed = 0
        self._collector.finish()
        while queue.heed() or not queue.is_over:
            if queue.to_collect:
                self._collect_asked()
            elif queue.entries:
                self._runner.run(queue.entries.popleft())
            else:
                queue.hear()
        self._runner.settle([])

    def _collect_asked(self) -> None:
        while self._queue.to_collect:
            command = self._queue.to_collect.popleft()
            is_one = command["do"] == "collect"
            answer = self._collector.collect(command["file"]) if is_one else self._collector.collect_all()
            self._channel.say("collected", **answer)

    def _shielded(self, serve: Any) -> None:
        try:
            serve()
        except BaseException:
            self._startup.notes.append(traceback.format_exc())
            self._queue.is_over = True
            self._queue.entries.clear()
