"""Tear down what killed harnesses have left standing on this machine: `python command_standing.py FOLDER…`.

Each FOLDER holds notes of `command_remains`; those of living harnesses are locked and stay. Prints a JSON line for each set-up:
`{"name", "trouble"}`. Used by relays when they end, and by `doit sweep`. A script: it loads its siblings under the private
name of their folder.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from typing import Any, Dict, List

PRIVATE = "_doit_fleet_harness"
GRACE_SECONDS = 5.0


class Never:
    """Nobody asks for a stop here."""

    asked = False


def has_notes(folder: str) -> bool:
    """Whether anything is noted there, somebody's or nobody's."""
    try:
        return any(name.endswith(".json") for name in os.listdir(folder))
    except OSError:
        return False


def tear_down_in_child(folders: List[str], env: Dict[str, str]) -> List[Dict[str, Any]]:
    """Do so in a process of its own, where there is anything to do: a tear-down may start others."""
    found = [folder for folder in folders if has_notes(folder)]
    if not found:
        return []
    done = subprocess.run(
        [sys.executable, os.path.abspath(__file__), *found],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def main(folders: List[str]) -> int:
    """Tear down; 0 when all went well."""
    from .command_place import Place
    from .command_remains import abandoned
    from .command_setups import SetUps
    from .relay_house import end_marked

    code, marks = 0, set()
    for folder in folders:
        for content in abandoned(folder):
            root = content["fields"].get("root", "")
            if os.path.isdir(root):
                os.chdir(root)
            options = {"kill_after_seconds": GRACE_SECONDS, "suite": content["fields"].get("suite", "")}
            marks.add(content.get("mark", ""))
            name, trouble = SetUps(Place(options, Never()), []).tear_down_one(content)
            code = code or int(trouble is not None)
            print(json.dumps({"name": name, "trouble": trouble.details if trouble else ""}), flush=True)
    for mark in marks - {""}:
        end_marked(mark)
    return code


def load_siblings() -> Any:
    """This module, as part of its folder."""
    folder = os.path.dirname(os.path.abspath(__file__))
    spec = importlib.util.spec_from_file_location(
        PRIVATE, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    assert spec is not None
    sys.modules[PRIVATE] = importlib.util.module_from_spec(spec)
    return importlib.import_module(PRIVATE + ".command_standing")


if __name__ == "__main__":
    sys.exit(load_siblings().main(sys.argv[1:]))
