"""The same tests without a supervisor, on the terminal: `python command_plain.py OPTIONS [IDS]`.

OPTIONS is a JSON file of what a harness is given, IDS a file with a native id a line; without it all tests run. For
`workers.count=0` and `doit reproduce`. A script: it loads its siblings under the private name of their folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from typing import Any, Dict, List

PRIVATE = "_doit_fleet_harness"
GOOD = ("passed", "skipped")


class Terminal:
    """Stands for the channel: says results to a person, and has no commands but the end."""

    def __init__(self) -> None:
        self.bad = 0
        self.names: List[str] = []

    def say(self, kind: str, **fields: Any) -> None:
        """Print what a person wants to know."""
        if kind == "log":
            print(fields["text"], file=sys.stderr)
        if kind != "result" or not fields["final"]:
            return
        result = fields["result"]
        for _, text in result.get("sections", ()):
            sys.stdout.write(text if text.endswith("\n") else text + "\n")
        self.bad += result["verdict"] not in GOOD
        print(
            "%-9s %s %s" % (result["verdict"].upper(), self.names[fields["i"]], result.get("message", "")), flush=True
        )

    def pending(self) -> bool:
        """There are never commands."""
        return False

    def hear(self) -> Dict[str, Any]:
        """The end."""
        return {"do": "finish"}

    def flush(self) -> None:
        """Nothing is kept back."""


def run(options: Dict[str, Any], ids: List[str]) -> int:
    """Run the tests named, or all; 0 when all are good."""
    from .command_place import Place
    from .command_runner import Runner
    from .command_session import Halt, HaltingQueue, read, rows_of
    from .command_setups import SetUps

    halt, terminal, frozen = Halt(), Terminal(), read(str(options["rows"]))
    place, queue = Place(options, halt), HaltingQueue(terminal, halt)
    setups = SetUps(place, options["setups"])
    runner = Runner(terminal, queue, place, setups, rows_of(frozen))
    chosen = [test for test in frozen["tests"] if not ids or test[0] in ids]
    if ids:
        chosen.sort(key=lambda test: ids.index(test[0]))
    terminal.names = [test[0] for test in chosen]
    queue.take({"do": "run", "batch": "1", "tests": [[test[0], test[1], test[4]] for test in chosen]})
    queue.is_over = True
    try:
        while queue.entries and not halt.asked:
            runner.run(queue.entries.popleft())
    finally:
        halt.asked = True
        runner.finish()
    return int(terminal.bad > 0 or bool(queue.entries))


def main(arguments: List[str]) -> int:
    """Read the files that the arguments name."""
    with open(arguments[0], encoding="utf-8") as file:
        options = json.load(file)
    ids: List[str] = []
    if len(arguments) > 1:
        with open(arguments[1], encoding="utf-8") as file:
            ids = [line.rstrip("\n") for line in file if line.strip()]
    return run(options, ids)


def load_siblings() -> Any:
    """This module, as part of its folder."""
    folder = os.path.dirname(os.path.abspath(__file__))
    places = [folder]
    spec = importlib.util.spec_from_file_location(
        PRIVATE, os.path.join(folder, "__init__.py"), submodule_search_locations=places
    )
    assert spec is not None
    sys.modules[PRIVATE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(PRIVATE + ".command_plain")


if __name__ == "__main__":
    sys.exit(load_siblings().main(sys.argv[1:]))
