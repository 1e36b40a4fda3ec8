"""A file for each test with what it printed, written when its verdict comes: `<reports>/output/<run>/<suite>/<name>.log`.

A reporter like any other. It writes what the result holds, so it is the same for workers anywhere; where that was cut, the
text says so. Names come from tests and are hostile: they become plain ones here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from pipeline.model.events import Event, RunStarted, TestFinished
from pipeline.model.runs import MergedRun
from pipeline.model.verdicts import Result

FOLDER: Final = "output"
KEPT_RUNS: Final = 5
LONGEST_NAME: Final = 80


class OutputFiles:
    """Writes them for the suites that `wanted` names."""

    name = "output"

    def __init__(self, directory: Path, wanted: Callable[[str], bool]) -> None:
        self._base, self._wanted = directory / FOLDER, wanted
        self._run = ""
        self._written: dict[str, Path] = {}

    def event(self, event: Event) -> None:
        """Write the file of a test that has ended. Raises `OSError`."""
        if type(event) is TestFinished:
            self._write(event.result)
        elif isinstance(event, RunStarted):
            self._begin(event.run)

    def finish(self, run: MergedRun) -> Sequence[str]:
        """Write those of tests that no event told of; the folder, if there is anything in it."""
        self._begin(run.run)
        for outcome in run.outcomes:
            if outcome.result.test not in self._written:
                self._write(outcome.result)
        return (str(self._base / plain_name(run.run)),) if self._written else ()

    def path_of(self, test: str) -> str:
        """The file of a test, relative to the working folder if it is below it; empty: it has none."""
        path = self._written.get(test)
        if path is None:
            return ""
        try:
            return str(path.relative_to(Path.cwd()))
        except (ValueError, OSError):
            return str(path)

    def _begin(self, run: str) -> None:
        if run == self._run:
            return
        self._run = run
        self._written.clear()
        for old in _by_age(self._base, but=run)[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)

    def _write(self, result: Result) -> None:
        suite = result.test.partition("::")[0]
        text = text_of(result) if self._run and self._wanted(suite) else ""
        if not text:
            return
        path = self._base.parent / place_of(self._run, result.test)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
        self._written[result.test] = path


def place_of(run: str, test: str) -> str:
    """Where the file of a test is, relative to the folder of reports."""
    suite, _, native = test.partition("::")
    return f"{FOLDER}/{plain_name(run)}/{plain_name(suite)}/{plain_name(native or suite)}.log"


def existing(directory: Path, run: str) -> Callable[[str], str]:
    """Answers with `place_of` for tests that have such a file, else with nothing."""

    def find(test: str) -> str:
        place = place_of(run, test)
        return place if (directory / place).is_file() else ""

    return find


def text_of(result: Result) -> str:
    """What a test has printed, try by try; empty when that is nothing."""
    parts = []
    for number, each in enumerate((*result.earlier, result), start=1):
        said = "".join(text if text.endswith("\n") else f"{text}\n" for _, text in each.sections if text)
        if result.earlier and said:
            parts.append(f"--- try {number}: {each.verdict.value} ---\n")
        parts.append(said)
    return "".join(parts)


def plain_name(text: str) -> str:
    """A file name for any text; one that had to be changed has a digest, so that no two are the same."""
    plain = re.sub(r"[^A-Za-z0-9._=+-]+", "-", text)[:LONGEST_NAME].strip("-.")
    if plain == text:
        return plain
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}" if plain else digest


def _by_age(base: Path, *, but: str) -> list[Path]:
    try:
        found = [path for path in base.iterdir() if path.is_dir() and path.name != plain_name(but)]
        return sorted(found, key=lambda path: os.stat(path).st_mtime)
    except OSError:  # There is none yet, or another run tidies up.
        return []
