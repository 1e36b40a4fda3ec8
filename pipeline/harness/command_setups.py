"""What tests share: set up once for a worker or a group of tests, one inside the other, torn down for certain.

The last one set up is torn down first; a tear-down runs whatever became of its set-up, at a stop too. Knows no verdicts.
"""

from __future__ import annotations

import contextlib
import os
import signal
from time import monotonic, perf_counter, time_ns
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from . import command_template as template
from .command_place import OUTPUT, Call, Ended, Place, plain_name, remove
from .command_remains import Note, abandoned
from .command_written import Unreadable, exports_of, output_of

EXPORT, MARK = "DOIT_FLEET_EXPORT", "DOIT_FLEET_AGENT"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0
"""Between two looks whether it is ready."""
TERMINATED = (-signal.SIGTERM, 128 + signal.SIGTERM)
Path = Tuple[Tuple[str, str], ...]
"""(name of a set-up, its key), the outermost first."""


class Trouble(NamedTuple):
    """What went wrong with a set-up or a tear-down."""

    message: str
    """One line."""
    details: str
    """With what the command said."""


class Standing:
    """One set-up that has begun."""

    def __init__(self, spec: Mapping[str, Any], key: str, fields: Dict[str, str], env: Dict[str, str]) -> None:
        self.spec, self.key, self.fields = spec, key, fields
        self.env = env
        """What it and those around it export."""
        self.note: Optional[Note] = None
        self.running: Any = None
        self.mark = os.environ.get(MARK, "") if spec["per"] == "run" else ""
        """In the environment of all that it started, where no guard would end that."""

    @property
    def name(self) -> str:
        """For people."""
        return "%r of %r" % (self.spec["name"], self.key) if self.key else repr(self.spec["name"])

    def content(self) -> Dict[str, Any]:
        """What a later harness needs to tear it down."""
        return {"spec": dict(self.spec), "key": self.key, "fields": self.fields, "env": self.env, "mark": self.mark}


class SetUps:
    """The set-ups of one harness."""

    def __init__(self, place: Place, specs: Sequence[Mapping[str, Any]]) -> None:
        self._place = place
        self._specs = specs
        self._standing: List[Standing] = []
        self._failed: Dict[Path, Trouble] = {}

    def __bool__(self) -> bool:
        return bool(self._standing)

    def path_of(self, fields: Mapping[str, str]) -> Path:
        """Which set-ups a test with these fields needs. Raises `KeyError` for a field it does not have."""
        return tuple((spec["name"], template.fill(spec["key"], fields)) for spec in self._specs)

    @property
    def env(self) -> Dict[str, str]:
        """What those that stand export."""
        return self._standing[-1].env if self._standing else {}

    @property
    def path(self) -> Path:
        """Those that stand."""
        return tuple((one.spec["name"], one.key) for one in self._standing)

    def enter(self, path: Path, fields: Mapping[str, str], *, again: bool) -> Optional[Trouble]:
        """Set up what is missing, after `leave`. One that has failed fails at once for further tests, unless `again`."""
        for depth in range(len(self._standing), len(path)):
            known = self._failed.get(path[: depth + 1])
            trouble = (
                known if known is not None and not again else self._set_up(self._specs[depth], path[depth], fields)
            )
            if trouble is not None:
                if known is None or again:
                    late = self._tear_down_last() if len(self._standing) > depth else None
                    trouble = (
                        trouble if late is None else trouble._replace(details=trouble.details + "\n" + late.details)
                    )
                    self._failed[path[: depth + 1]] = trouble
                return trouble
        return None

    def leave(self, path: Path) -> List[Trouble]:
        """Tear down what a test with that path does not share; the last one set up first."""
        self._failed = {failed: trouble for failed, trouble in self._failed.items() if path[: len(failed)] == failed}
        troubles = []
        while self._standing and self.path != path[: len(self._standing)]:
            trouble = self._tear_down_last()
            if trouble is not None:
                troubles.append(trouble)
        return troubles

    def tear_down_abandoned(self) -> List[Trouble]:
        """Tear down what killed harnesses have left standing on this machine."""
        troubles = []
        for content in self.abandoned():
            _, trouble = self.tear_down_one(content)
            if trouble is not None:
                troubles.append(trouble)
        return troubles

    def abandoned(self) -> Iterator[Dict[str, Any]]:
        """What is noted of those that nobody holds, the last first; a note is gone once the next one is asked for."""
        return abandoned(self._place.options["folder_of_notes"])

    @property
    def marks(self) -> Set[str]:
        """Those of all that stand."""
        return {one.mark for one in self._standing}

    def take_over(self, contents: Sequence[Mapping[str, Any]]) -> None:
        """Go on with what somebody has left standing, the outermost first."""
        for content in contents:
            one = Standing(content["spec"], content["key"], content["fields"], content["env"])
            one.mark = content.get("mark", "")
            one.note = Note(self._place.options["folder_of_notes"], one.content())
            self._standing.append(one)

    def keep_for(self, run: str) -> None:
        """Leave all standing for whoever goes on with that run."""
        for one in self._standing:
            if one.note is not None:
                one.note.write({**one.content(), "kept_for": run})
        self._standing.clear()

    def tear_down_one(self, content: Mapping[str, Any]) -> Tuple[str, Optional[Trouble]]:
        """Tear down what a note tells of; its name for people, and what went wrong."""
        one = Standing(content["spec"], content["key"], content["fields"], content["env"])
        return one.name, self._tear_down(one)

    def _set_up(self, spec: Mapping[str, Any], step: Tuple[str, str], fields: Mapping[str, str]) -> Optional[Trouble]:
        common = self._place.fields()
        mark = "setup-%s-%x" % (common["worker"], time_ns())  # Another harness may still tidy up a dead one's.
        folder = self._place.folder(plain_name("%s-%s" % step, mark))
        known = {name: fields[name] for name in spec["fields"]}
        one = Standing(spec, step[1], {**common, **known, "key": step[1], "folder": folder}, dict(self.env))
        one.note = (
            Note(self._place.options["folder_of_notes"], one.content())
            if spec["teardown"] or spec["per"] == "run"
            else None
        )
        self._standing.append(one)
        output = os.path.join(folder, OUTPUT)
        ended = self._run(one, output) if spec["command"] else Ended(0, 0.0)
        if ended.status == 0:
            return self._take_exports(one) or self._await_ready(one, output)
        return _trouble("set-up %s: %s" % (one.name, ended.text), output)

    def _run(self, one: Standing, output: str) -> Ended:
        """Its processes stay until it is torn down."""
        began = perf_counter()
        env = {**one.env, EXPORT: os.path.join(one.fields["folder"], "export")}
        call = Call(one.spec["command"], one.fields, env, output, one.spec["timeout_seconds"])
        running = self._place.begin(call)
        if isinstance(running, Ended):
            return running
        one.running = running
        return self._place.await_end(running, call, began)

    def _take_exports(self, one: Standing) -> Optional[Trouble]:
        try:
            exports = exports_of(os.path.join(one.fields["folder"], "export"))
        except Unreadable as error:
            return _trouble("set-up %s: %s" % (one.name, error), "")
        one.env.update(exports)
        if one.note is not None and exports:
            one.note.write(one.content())
        return None

    def _await_ready(self, one: Standing, output: str) -> Optional[Trouble]:
        if not one.spec["ready"]:
            return None
        limit, pause = one.spec["ready_timeout_seconds"], FIRST_PAUSE_SECONDS
        until = monotonic() + limit
        while True:
            left = max(0.1, until - monotonic())
            ended = self._place.perform(Call(one.spec["ready"], one.fields, one.env, output, left))
            if ended.status == 0:
                return None
            if self._place.halt.asked:
                return _trouble("set-up %s: stopped" % one.name, output)
            if monotonic() + pause > until:
                return _trouble("set-up %s: not ready after %g s (%s)" % (one.name, limit, ended.text), output)
            self._pause(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _pause(self, seconds: float) -> None:
        until = monotonic() + seconds
        while monotonic() < until and not self._place.halt.asked:
            self._place.bell.wait(until - monotonic())

    def _tear_down_last(self) -> Optional[Trouble]:
        return self._tear_down(self._standing.pop())

    def _tear_down(self, one: Standing) -> Optional[Trouble]:
        folder = one.fields["folder"]
        trouble = None
        if one.spec["teardown"]:
            with contextlib.suppress(OSError):
                os.makedirs(folder, exist_ok=True)  # Should a test have removed it.
            output = os.path.join(folder, "teardown.log")
            limit = one.spec["teardown_timeout_seconds"]
            call = Call(one.spec["teardown"], one.fields, one.env, output, limit, heeds_halt=False)
            was_asked = self._place.halt.asked
            ended = self._place.perform(call)
            is_met = (ended.status != 0 and not was_asked) or ended.status in TERMINATED
            if self._place.halt.asked and is_met:
                ended = self._place.perform(call)  # A stop is a TERM to us, then to all that runs, and so to this.
            if ended.status != 0:
                trouble = _trouble("tear-down %s: %s" % (one.name, ended.text), output)
        if one.running is not None:
            one.running.end(self._place.grace)
        if one.note is not None:
            one.note.remove()
        remove(folder)
        return trouble


def _trouble(message: str, output: str) -> Trouble:
    said = output_of(output).rstrip() if output else ""
    return Trouble(message, "%s\n%s" % (message, said) if said else message)
