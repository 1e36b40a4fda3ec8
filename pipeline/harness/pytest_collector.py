"""Collect one file, or everything, when asked; find a test again by its node id and occurrence.

An index would not do: workers may see lists of different length. Knows the channel only through what it returns.
"""

from __future__ import annotations

import contextlib
import re
import sys
from time import perf_counter
from typing import Any

import pytest
from _pytest.outcomes import Exit
from _pytest.warnings import catch_warnings_for_item

from .pytest_describe import describe
from .pytest_text import plain
from .pytest_walk import Walk, surroundings


class Collector:
    """What has been collected so far in this harness."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        self.whole = ""
        self.session: Any = None
        self._items: dict[tuple[str, str, int], Any] = {}
        """By file, node id and occurrence."""
        self._alike: dict[tuple[str, str, int], list[Any]] = {}
        """Those with a backslash, by a node id that has one for each row of them."""
        self._answers: dict[str, dict[str, Any]] = {}
        self._errors: dict[str, list[tuple[str, str]]] = {}
        self._file = ""
        self._deselected = 0
        self._finished = False
        self._unimported: list[str] | None = None

    def heard_report(self, report: Any) -> None:
        """Keep what could not be collected, under the file being collected or, in the walk, its own place."""
        if not report.failed:
            return
        file = self._file or str(report.nodeid).partition("::")[0] or "."
        self._errors.setdefault(file, []).append((str(report.nodeid), plain(report.longreprtext)))
        if not self._file:
            self.walk.note(file)

    def heard_deselected(self, count: int) -> None:
        """Count tests that plug-ins took out."""
        self._deselected += count

    def collect(self, file: str) -> dict[str, Any]:
        """Collect one file of the walk; the fields of `collected`. A second request gets the first answer."""
        if file not in self._answers:
            if file in self.walk.needs:
                self.collect(self.walk.needs[file])
            self._answers[file] = self._answer(file, [file])
        return self._answers[file]

    def collect_all(self) -> dict[str, Any]:
        """Collect every file, then show the whole list to the plug-ins once."""
        if "" not in self._answers:
            self._answers[""] = self._answer("", list(self.walk.stops))
        return self._answers[""]

    def import_next(self) -> bool:
        """Import one more module that another harness collects; False when none is left.

        A plain session has imported every test file before its first test, and tests come to rely on what that leaves
        behind: submodules that are attributes now, registries that are filled. What such an import raises is told by
        the harness that collects the file.
        """
        if self._unimported is None:
            self._unimported = [] if self.whole else [file for file in self.walk.stops if file not in self._answers]
            self._unimported.reverse()
        while self._unimported:
            file = self._unimported.pop()
            if file not in self._answers:
                self._import(file)
                return True
        return False

    def _import(self, file: str) -> None:
        for stop in self.walk.stops[file]:
            if isinstance(stop.node, pytest.Module):
                with surroundings(stop), contextlib.suppress(BaseException):
                    stop.node.obj  # noqa: B018 # pytest imports a module when it is first asked for.

    def collect_in_run(self, file: str) -> None:
        """Collect a stolen file (or, if the list must be whole, everything) while tests run."""
        config = self.session.config
        with catch_warnings_for_item(config=config, ihook=config.hook, when="collect", item=None):
            if self.whole:
                self.collect_all()
            else:
                self.collect(file)

    def known(self, file: str, native: str, occurrence: int) -> Any:
        """The test of that name if it has been collected already.

        pytest escapes ids of parameters again for each class that inherits them, so that their backslashes double in
        the order in which files are collected, which is another one in each harness.
        """
        item = self._items.get((file, native, occurrence))
        if item is None and "\\" in native:
            alike = self._alike.get((file, one_backslash(native), occurrence), ())
            return alike[0] if len(alike) == 1 else None
        return item

    def has_to_collect(self, file: str) -> bool:
        """Whether looking for a test of that file means to import it first."""
        return ("" if self.whole else file) not in self._answers

    def finish(self) -> None:
        """Tell plug-ins, once, that tests are about to run."""
        if not self._finished:
            self._finished = True
            self.session.config.hook.pytest_collection_finish(session=self.session)

    def _answer(self, file: str, files: list[str]) -> dict[str, Any]:
        began = perf_counter()
        before = self._deselected
        items: list[Any] = []
        for each in files:
            items += self._generate(each)
        items = self._modify(items, file)
        tests = self._index(items)
        errors = [error for each in [*files, file] for error in self._errors.pop(each, ())]
        return {
            "file": file,
            "tests": tests,
            "errors": errors,
            "deselected": self._deselected - before,
            "seconds": round(perf_counter() - began, 6),
        }

    def _generate(self, file: str) -> list[Any]:
        session = self.session
        items: list[Any] = []
        self._file = file
        try:
            for stop in self.walk.stops.get(file, ()):
                session._collection_cache = {}
                with surroundings(stop):
                    items += type(session).genitems(session, stop.node)
        except (KeyboardInterrupt, SystemExit, Exit) as error:
            self._errors.setdefault(file, []).append((file, f"{type(error).__name__} while collecting: {error}"))
        finally:
            session._collection_cache = {}
            self._file = ""
        return items

    def _modify(self, items: list[Any], file: str) -> list[Any]:
        session = self.session
        all_before = session.items
        session.items = items
        try:
            session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=items)
        except BaseException as error:
            text = f"pytest_collection_modifyitems failed: {type(error).__name__}: {error}"
            self._errors.setdefault(file, []).append((file, text))
            if isinstance(error, Exception):
                sys.excepthook(type(error), error, error.__traceback__)
        session.items = all_before + items
        session.testscollected = len(session.items)
        return items

    def _index(self, items: list[Any]) -> list[Any]:
        seen: dict[tuple[str, str], int] = {}
        tests = []
        files: dict[Any, str] = {}
        for item in items:
            native = item.nodeid
            path = item.path
            file = files.get(path)
            if file is None:
                file = files[path] = self.walk.file_of(item)
            occurrence = seen.get((file, native), 0)
            seen[file, native] = occurrence + 1
            self._items[file, native, occurrence] = item
            if "\\" in native:
                self._alike.setdefault((file, one_backslash(native), occurrence), []).append(item)
            unit, exclusive = describe(item)
            tests.append([native, occurrence, unit, exclusive, file])
        return tests


def one_backslash(native: str) -> str:
    """The node id with one backslash for each row of them."""
    return re.sub(r"\\+", r"\\", native)


def chain_to(collector: Collector, file: str, native: str, occurrence: int) -> list[Any] | None:
    """The nodes a coming test stands on, as far as they are known without importing anything."""
    item = collector.known(file, native, occurrence)
    if item is not None:
        return list(item.listchain())
    return collector.walk.chain_of(file)
