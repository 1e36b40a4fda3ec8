"""Hold what a whole run shares: set it up, say what it exports, tear it down when told to, or when nobody is there any more.

`python command_holding.py`, on the agent's machine. The first line of its input is the order, JSON: `options` (as a harness has them;
`setups` are those of the run), `root`, `run`, `stays`. It answers with a line: `{"exports"}`, or `{"trouble", "details"}` and all is
torn down again. Then the line `end` has it tear down and answer `{"troubles"}`. An input that ends without that line is an agent that
died: all is torn down, unless it `stays` for tests that go on without their agent; then whoever holds the same run next takes it over.
A signal ends what is being set up. A script: it loads its siblings under the private name of their folder.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
from typing import Any, Dict, List, Mapping

PRIVATE, MARK = "_doit_fleet_harness", "DOIT_FLEET_AGENT"
END = "end"


def end_marked(mark: str) -> None:
    """Kill all that carries it, but ourselves."""
    from .relay_house import end_marked as end

    end(mark)


def say(**fields: Any) -> None:
    """Answer; nobody may be listening any more."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(fields).encode("ascii") + b"\n")


def hold(order: Mapping[str, Any], setups: Any, halt: Any) -> List[str]:
    """All of it; what went wrong with tearing down."""
    from .command_session import Halted

    path = tuple((spec["name"], "") for spec in order["options"]["setups"])
    warnings = take_over(order, setups, path)
    trouble = setups.enter(path, {}, again=False)
    if trouble is not None:
        late = leave(setups)
        say(trouble=trouble.message, details="\n".join((trouble.details, *(one.details for one in late))))
        return []
    say(exports=setups.env, warnings=warnings)
    line = ""
    with contextlib.suppress(Halted), halt:
        line = sys.stdin.readline()
    if not line and not halt.asked and order["stays"]:
        setups.keep_for(order["run"])
        return []
    return [one.details for one in leave(setups)]


def leave(setups: Any) -> List[Any]:
    """Tear down everything, and end whatever has detached itself: here is no guard that would."""
    marks = setups.marks
    troubles: List[Any] = setups.leave(())
    for mark in {*marks, os.environ.get(MARK, "")} - {""}:
        end_marked(mark)
    return troubles


def take_over(order: Mapping[str, Any], setups: Any, path: Any) -> List[str]:
    """Go on with what was left for this run; tear down what else was left here. What went wrong with that."""
    kept: List[Dict[str, Any]] = []
    troubles, marks = [], set()
    for content in setups.abandoned():
        if content.get("kept_for") == order["run"]:
            kept.insert(0, content)
        else:
            troubles.append(setups.tear_down_one(content)[1])
            marks.add(content.get("mark", ""))
    if tuple((one["spec"]["name"], one["key"]) for one in kept) == path:
        setups.take_over(kept)
    else:
        troubles += [setups.tear_down_one(content)[1] for content in reversed(kept)]
        marks |= {content.get("mark", "") for content in kept}
    for mark in marks - {""}:
        end_marked(mark)
    return [one.details for one in troubles if one is not None]


def main() -> int:
    """Read the order and carry it out."""
    from .command_place import Place
    from .command_session import Halt
    from .command_setups import SetUps

    order = json.loads(sys.stdin.readline())
    os.chdir(order["root"])
    halt = Halt()
    place = Place(order["options"], halt)
    troubles = hold(order, SetUps(place, order["options"]["setups"]), halt)
    place.close()
    say(troubles=troubles)
    return 0


def load_siblings() -> Any:
    """This module, as part of its folder."""
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PRIVATE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    sys.modules[PRIVATE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(PRIVATE + ".command_holding")


if __name__ == "__main__":
    sys.exit(load_siblings().main())
