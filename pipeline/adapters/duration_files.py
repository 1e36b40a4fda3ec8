"""Durations in other tools' files: pytest-split's `.test_durations` and JUnit XML. Both are hostile input.

It translates files into plain mappings and back; where durations are kept is not known here.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.parsers import expat

from pipeline.errors import UsageError
from pipeline.model.tests import Test

Address = tuple[str, str]
"""JUnit's `classname` and `name`."""


def read_test_durations(path: str | os.PathLike[str]) -> dict[str, float]:
    """Seconds by node id from a file of pytest-split (a JSON object). Raises `UsageError`."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{os.fspath(path)!r} cannot be read as durations: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{os.fspath(path)!r} holds no JSON object of node ids and seconds")
    return {node: float(seconds) for node, seconds in content.items() if _is_duration(seconds)}


def write_test_durations(path: str | os.PathLike[str], seconds: Mapping[str, float]) -> None:
    """Write seconds by node id as pytest-split does: sorted, four spaces, whole or not at all."""
    temporary = f"{os.fspath(path)}.{os.getpid()}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(dict(seconds), file, sort_keys=True, indent=4)
    os.replace(temporary, path)


def read_junit(path: str | os.PathLike[str]) -> dict[Address, float]:
    """Seconds by (classname, name); of cases that occur again, the last. Skipped ones are left out.

    Raises `UsageError`, also for any document type declaration: that is how XML attacks its readers.
    """
    cases = _Cases()
    try:
        with open(path, "rb") as file:
            cases.parser.ParseFile(file)
    except (OSError, expat.ExpatError) as error:
        raise UsageError(f"{os.fspath(path)!r} cannot be read as JUnit XML: {error}") from error
    except _Doctype:
        raise UsageError(f"{os.fspath(path)!r} declares a document type, which no JUnit report does") from None
    return cases.seconds


def by_test(
    tests: Iterable[Test], seconds: Mapping[Address, float], address: Callable[[str], Address]
) -> dict[str, float]:
    """JUnit seconds by test id, for those tests that a report knows.

    `address` gives what a framework writes for a native id; for pytest it is `report.addresses.pytest_names`.
    """
    addresses = ((test.id, address(test.native)) for test in tests)
    return {test: seconds[found] for test, found in addresses if found in seconds}


class _Doctype(Exception):
    """A document type declaration was met."""


class _Cases:
    """Collects test cases while expat reads."""

    def __init__(self) -> None:
        self.seconds: dict[Address, float] = {}
        self._case: Address | None = None
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start

    def _doctype(self, *_: Any) -> None:
        raise _Doctype

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "testcase":
            self._case = (attributes.get("classname", ""), attributes.get("name", ""))
            try:
                seconds = float(attributes.get("time", "").replace(",", ""))
            except ValueError:
                return
            if _is_duration(seconds):
                self.seconds[self._case] = seconds
        elif tag == "skipped" and self._case is not None:
            self.seconds.pop(self._case, None)


def _is_duration(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
