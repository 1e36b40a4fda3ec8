"""Run the tests of the queue one by one: set up what they share, start the command, judge it, tear down, keep what is wanted.

Every test that is begun gets a final result, unless everything is to stop: then it has none and runs again elsewhere.
"""

from __future__ import annotations

import os
import shlex
from time import perf_counter
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Set, Tuple

from . import command_result
from . import command_template as template
from .command_place import OUTPUT, Call, Place, plain_name, remove, unlock
from .command_setups import SetUps, Trouble
from .command_written import Unreadable, is_shortened, matching, metrics_of, output_of, results_of
from .pytest_queue import Entry, Queue

LINGER_SECONDS = 0.1
"""How long a last test with something to tear down waits for its successor. Then its result is said and all stays as it is:
what comes next, or the end, decides; an error in that late tear-down is a warning."""
GOOD = ("passed", "skipped")
Key = Tuple[str, int]


class Row(NamedTuple):
    """One test, as the agent has frozen it."""

    values: Mapping[str, str]
    file: str
    line: str
    needs: List[Key]
    """Tests that must not have failed before in this harness."""


class Fields(Dict[str, str]):
    """Fields of a test; `env.X` is looked up in the environment that it will have."""

    env: Mapping[str, str] = {}

    def __missing__(self, name: str) -> str:
        if name.startswith(template.ENVIRONMENT):
            variable = name[len(template.ENVIRONMENT) :]
            for environment in (self.env, os.environ):
                if variable in environment:
                    return environment[variable]
        raise KeyError(name)


class Runner:
    """One harness's loop over tests."""

    def __init__(self, channel: Any, queue: Queue, place: Place, setups: SetUps, rows: Mapping[Key, Row]) -> None:
        self._channel, self._queue, self._place, self._setups, self._rows = channel, queue, place, setups, rows
        self._terms = place.options
        self._born = perf_counter()
        self._bad: Set[Key] = set()
        self._leaves_something = any(place.options[wish] for wish in ("keep", "metrics", "results"))

    def run(self, entry: Entry) -> None:
        """Run one test, with its retries, and say what came of it."""
        row = self._rows.get((entry.native, entry.occurrence))
        if row is None:
            self._say(entry, command_result.bare("not-run", "not found"))
            return
        self._channel.say("start", batch=entry.batch.name, i=entry.i, at=self._now())
        if entry.batch.careful:
            self._queue.wait_for_go(entry)
        self._channel.flush()  # A command may take hours, and somebody counts them.
        if not self._place.halt.asked:
            result = self._decided(entry, row)
            if result is not None:
                if result["verdict"] not in GOOD:
                    self._bad.add((entry.native, entry.occurrence))
                self._say(entry, result)

    def finish(self) -> None:
        """Tear down everything."""
        self._warn(self._setups.leave(()))
        self._place.close()

    def _decided(self, entry: Entry, row: Row) -> Optional[Dict[str, Any]]:
        failed = next((need[0] for need in row.needs if need in self._bad), None)
        if failed is not None:
            return command_result.bare("skipped", "it needs %r, which was not good" % failed, self._now())
        earlier: List[Dict[str, Any]] = []
        number = 1
        while True:
            try:
                result = self._try(entry, row, number)
            except OSError as error:  # A full disk, say: no reason to take the harness along.
                result = command_result.bare("error", "its folder cannot be used: %s" % error, self._now())
            if result is None:
                return None
            if number > entry.batch.retries or result["verdict"] not in ("failed", "error"):
                break
            self._say(entry, result, final=False)
            earlier.append(result)
            number += 1
        self._tear_down(entry, row, result)
        if earlier:
            result.update(earlier=earlier, tries=number)
        return result

    def _fields(self, entry: Entry, row: Row) -> Fields:
        fields = Fields(self._place.fields())
        fields["name"] = entry.native
        if row.file:
            fields["file"] = row.file
        if row.line:
            fields["line"] = row.line
        fields.update((template.VALUES + name, value) for name, value in row.values.items())
        return fields

    def _try(self, entry: Entry, row: Row, number: int) -> Optional[Dict[str, Any]]:
        """One try; None when everything is to stop."""
        started, began = self._now(), perf_counter()
        fields = self._fields(entry, row)
        path = self._setups.path_of(fields)
        has_entered = self._setups.path == path
        self._warn(self._setups.leave(path))
        trouble = self._setups.enter(path, fields, again=number > 1)
        seconds = perf_counter() - began
        if self._place.halt.asked:
            return None
        if trouble is not None:
            return command_result.not_set_up(trouble.message, trouble.details, seconds, started)
        result = self._call(entry, fields, number)
        if result is not None and path and not has_entered:
            command_result.add_phase(result, "setup", seconds)
        return result

    def _call(self, entry: Entry, fields: Fields, number: int) -> Optional[Dict[str, Any]]:
        folder = self._place.folder(_folder_name(entry, number)) if self._leaves_something else self._place.scratch()
        fields.update(folder=folder, attempt=str(number))
        fields.env = self._setups.env
        output = os.path.join(folder, OUTPUT)
        terms = self._terms
        started = self._now()
        call = Call(terms["command"], fields, fields.env, output, terms["timeout_seconds"], terms["cwd"])
        ended = self._place.perform(call)
        result = command_result.called(ended, output_of(output), shown(terms["command"], fields), terms, started)
        if self._place.halt.asked and result["verdict"] not in GOOD:
            remove(folder)  # Whoever stops us stops it, too: that says nothing of the test.
            return None
        self._read(folder, result)
        is_long = is_shortened(output)
        if is_long and not self._leaves_something:
            folder = self._moved(folder, _folder_name(entry, number))
        if is_long:
            where = os.path.relpath(os.path.join(folder, OUTPUT), self._place.root)
            result["sections"].append([command_result.WHOLE, where])
        self._keep(folder, is_long)
        return result

    def _moved(self, scratch: str, name: str) -> str:
        """A folder of the test's own, with all that it has said."""
        folder = self._place.folder(name)
        os.replace(os.path.join(scratch, OUTPUT), os.path.join(folder, OUTPUT))
        return folder

    def _read(self, folder: str, result: Dict[str, Any]) -> None:
        """What a good test was to write it must have written; of others, what there is."""
        metrics: List[Tuple[str, Any]] = []
        results: List[Any] = []
        try:
            metrics = metrics_of(folder, self._terms["metrics"])
            results = results_of(folder, self._terms["results"])
        except Unreadable as error:
            if result["verdict"] == "passed":
                command_result.spoil(result, "call", str(error))
        command_result.add_written(result, metrics, results)

    def _keep(self, folder: str, is_long: bool) -> None:
        """Leave what the settings name, an output that no report holds whole, and nothing else."""
        if is_long and not self._leaves_something:
            return
        if not self._leaves_something:
            _drop(os.path.join(folder, OUTPUT))  # What else there is goes before the next test.
            return
        kept = {name for pattern in self._terms["keep"] for name in matching(folder, pattern)}
        kept |= {OUTPUT} if is_long else set()
        if not kept:
            remove(folder)
            return
        unlock(folder)
        for where, folders, names in os.walk(folder, topdown=False):
            for name in [*names, *folders]:
                path = os.path.join(where, name)
                if os.path.relpath(path, folder) not in kept:
                    _drop(path)

    def _tear_down(self, entry: Entry, row: Row, result: Dict[str, Any]) -> None:
        """Tear down what the next test does not share, if it is known by now which one that is."""
        if not self._setups:
            return
        following = self._queue.look(LINGER_SECONDS)
        if following is None and not self._queue.is_over:
            return
        began = perf_counter()
        before = self._setups.path
        troubles = self._setups.leave(self._path_of(following))
        for trouble in troubles:
            command_result.spoil(result, "teardown", trouble.message, trouble.details, perf_counter() - began)
        if not troubles and self._setups.path != before:
            command_result.add_phase(result, "teardown", perf_counter() - began)

    def _path_of(self, following: Optional[Entry]) -> Any:
        row = self._rows.get((following.native, following.occurrence)) if following is not None else None
        if following is None or row is None:
            return ()
        return self._setups.path_of(self._fields(following, row))

    def _warn(self, troubles: List[Trouble]) -> None:
        for trouble in troubles:
            self._channel.say("log", level="warning", text=trouble.details)

    def _now(self) -> float:
        return round(perf_counter() - self._born, 6)

    def _say(self, entry: Entry, result: Dict[str, Any], final: bool = True) -> None:
        self._channel.say("result", batch=entry.batch.name, i=entry.i, final=final, result=result)
        if final:
            entry.batch.left -= 1
            if entry.batch.left == 0:
                self._channel.say("done", batch=entry.batch.name)


def _folder_name(entry: Entry, number: int) -> str:
    parts = ["%d" % (entry.occurrence + 1)] * (entry.occurrence > 0) + ["try%d" % number] * (number > 1)
    return plain_name(entry.native, "-".join(parts))


class _Shown(Dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "{%s}" % name


def shown(command: Any, fields: Mapping[str, str]) -> str:
    """A command as a person would type it; fields that are not known here stay as they are."""
    if isinstance(command, str):
        return command
    return " ".join(shlex.quote(word) for word in template.arguments(command, _Shown(fields)))


def _drop(path: str) -> None:
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    except OSError:
        pass  # A folder with something to keep.
