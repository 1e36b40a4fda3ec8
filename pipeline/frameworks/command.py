"""The agent's side of commands: how their harness is started, what a person types to repeat a test, what is kept and sent.

Must not know launchers, stores or settings objects: it is given a suite as plain values.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import asdict

from pipeline.errors import UsageError
from pipeline.frameworks.command_rows import key_fields
from pipeline.harness import command_plain, command_runner, command_session
from pipeline.harness import command_template as template
from pipeline.harness.command_place import OUTPUT
from pipeline.model.commands import CommandTerms, SetUp
from pipeline.model.runs import Conclusion
from pipeline.model.suites import HarnessSpec, Suite
from pipeline.model.tests import Test
from pipeline.ports import Known

name = "command"
wanted: Mapping[str, int] = {}
KEPT_RUNS, KEPT_TESTS = 5, 20
"""Of so many earlier runs the folders of tests stay; so many frozen files."""


def harness(suite: Suite, *, run: str, slots: int, seed: int) -> HarnessSpec:
    """How to start the harnesses of a suite."""
    return HarnessSpec(
        suite=suite.name,
        python=suite.interpreter.path,
        cwd=suite.root,
        env=suite.env,
        module="command_session",
        options={**options(suite), "slots": slots, "stop_seconds": _terms(suite).stop_seconds},
    )


def options(suite: Suite) -> dict[str, object]:
    """What `harness/command_session.py` is given; paths are absolute."""
    terms = _terms(suite)
    return {
        "suite": suite.name,
        "rows": os.path.join(suite.root, terms.rows),
        "folder_of_runs": os.path.join(suite.root, terms.folder, "runs"),
        "folder_of_notes": os.path.join(suite.root, terms.folder, "standing"),
        "command": terms.command,
        "cwd": terms.cwd,
        "good_codes": list(terms.good_codes),
        "skip_codes": list(terms.skip_codes),
        "timeout_seconds": suite.timeout_seconds,
        "kill_after_seconds": terms.kill_after_seconds,
        "keep": list(terms.keep),
        "metrics": list(terms.metrics),
        "results": list(terms.results),
        "setups": _told(terms.of_workers),
        "host_setups": _told(terms.of_hosts),
    }


def held_options(suite: Suite) -> dict[str, object]:
    """What `harness/command_holding.py` is given of what a run shares."""
    terms = _terms(suite)
    notes = os.path.join(suite.root, terms.folder, "standing-run")
    return {**options(suite), "setups": _told(terms.of_run), "folder_of_notes": notes}


def _told(setups: Sequence[SetUp]) -> list[dict[str, object]]:
    return [{**asdict(one), "fields": key_fields(setups, at)} for at, one in enumerate(setups)]


def known(suite: Suite) -> Known:
    """The frozen tests: no harness need be started to hear of them. Groups are dealt out, so that each has a worker of its own."""
    terms = _terms(suite)
    frozen = command_session.read(os.path.join(suite.root, terms.rows))
    groups = list(frozen["groups"]) if any(one.per == "group" for one in terms.setups) else []
    return Known(tests=frozen["tests"], deselected=frozen["deselected"], files=groups)


def reproduce(suite: Suite, test: Test) -> str:
    """A line for a shell that runs one test's command as it is, from the suite's root; what it shares is not set up."""
    rows = _rows(os.path.join(suite.root, _terms(suite).rows))
    row = rows.get((test.native, test.occurrence)) or rows.get((test.native, 0))
    if row is None:
        return ""
    terms = _terms(suite)
    folder = f"{terms.folder}/by-hand"
    fields = command_runner.Fields({"name": test.native, "suite": suite.name, "root": suite.root})
    fields.update(slot="0", worker="gw0", run="by-hand", attempt="1", folder=folder)
    fields.update({key: text for key, text in (("file", row.file), ("line", row.line)) if text})
    fields.update((template.VALUES + key, value) for key, value in row.values.items())
    line = _by_hand(terms.command, fields)
    prefix = f"mkdir -p {shlex.quote(folder)} && " if folder in line else ""
    cwd = command_runner.shown((terms.cwd,), fields)
    return prefix + (line if cwd == "." else f"(cd {cwd} && {line})")


def _by_hand(command: str | tuple[str, ...], fields: command_runner.Fields) -> str:
    """One line, whatever is in the command; of variables those that it names."""
    if not isinstance(command, str):
        return command_runner.shown(command, fields)
    variables = template.variables(fields)
    named = [f"{key}={shlex.quote(value)}" for key, value in variables.items() if key in command]
    text = shlex.quote(command.strip())
    if "\n" in text:
        escaped = command.strip().replace("\\", "\\\\").replace("\n", "\\n")
        text = f'"$(printf %b {shlex.quote(escaped)})"'
    return " ".join([*(["env", *named] if named else []), "sh", "-c", text])


def replay(suite: Suite, natives: Sequence[str], file: Path) -> list[str]:
    """A command that runs tests in a given order with all that they share, in one process."""
    file.write_text("".join(f"{each}\n" for each in natives), encoding="utf-8")
    return [*foreground(suite), str(file)]


def foreground(suite: Suite) -> list[str]:
    """A command that runs the suite in one process, which is the only one of its run and its host, and sets up what these share."""
    terms = _terms(suite)
    given = Path(suite.root, terms.folder, "options.json")
    alone = {**options(suite), "setups": _told((*terms.of_run, *terms.of_hosts, *terms.of_workers))}
    given.write_text(json.dumps(alone), encoding="utf-8")
    return [suite.interpreter.path, str(command_plain.__file__), str(given)]


def carries(suite: Suite) -> tuple[str, ...]:
    """What tests keep, and outputs that no report holds whole, as patterns relative to the suite's root: workers elsewhere send
    it home."""
    terms = _terms(suite)
    if not _is_below(terms):
        return ()
    return tuple(f"{terms.folder}/runs/*/*/{pattern}" for pattern in dict.fromkeys((*terms.keep, OUTPUT)))


def ships(suite: Suite) -> tuple[str, ...]:
    """Files beside the sources that workers elsewhere need, relative to the suite's root. Raises `UsageError`."""
    terms = _terms(suite)
    if not _is_below(terms):
        raise UsageError(
            f"suite {suite.name!r}: project.build_dir is outside the suite's root, so its tests cannot be in images",
            hint="name a folder of the project: project.build_dir",
        )
    return (terms.rows, *terms.shipped)


def condemns(suite: Suite, path: Path) -> bool:
    """No source is a test by its syntax."""
    return False


def prepare(suite: Suite, facts: Mapping[str, Any]) -> None:
    """Remove the folders of tests of runs that are long over, and frozen files that were not used for long."""
    folder = Path(suite.root, _terms(suite).folder)
    for old in _by_age(folder.glob("runs/*"))[:-KEPT_RUNS]:
        shutil.rmtree(old, ignore_errors=True)
    for old in _by_age(folder.glob("tests-*.json"))[:-KEPT_TESTS]:
        old.unlink(missing_ok=True)


def _by_age(paths: Iterable[Path]) -> list[Path]:
    try:
        return sorted(paths, key=lambda path: path.stat().st_mtime)
    except OSError:  # Another run tidies up.
        return []


def conclude(suite: Suite, facts: Mapping[str, Any], command: Callable[[Sequence[str], str], str]) -> Conclusion:
    """Nothing is left to do: metrics and results are in the outcomes, and reports read them there."""
    return Conclusion()


def _terms(suite: Suite) -> CommandTerms:
    if suite.command is None:
        raise UsageError(f"suite {suite.name!r} is given as no suite of commands")
    return suite.command


def _is_below(terms: CommandTerms) -> bool:
    return not terms.folder.startswith(("..", "/"))


@lru_cache(maxsize=8)
def _rows(path: str) -> Mapping[tuple[str, int], command_runner.Row]:
    return command_session.rows_of(command_session.read(path))
