"""The framework `lines` inside the project's interpreter: standard library only, Python 3.8 syntax, on a channel.

Also a script: evaluates files, or lines such as `sums.lines::2`, on the terminal.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any


def warm(options: dict[str, Any]) -> None:
    """There is nothing to import before the fork."""


def serve(channel: Any, options: dict[str, Any]) -> int:
    """Answer the supervisor until it says `finish` or is gone."""
    began = time.monotonic()
    version = "{}.{}.{}".format(*sys.version_info[:3])
    channel.say("hello", pid=os.getpid(), python=version, framework="lines", facts={})
    channel.say("files", files=files(options.get("paths") or ["."]), whole="")
    while True:
        command = channel.hear()
        if command is None or command["do"] == "finish":
            break
        if command["do"] == "collect":
            tests = [[native, 0, "", "", command["file"]] for native in natives(command["file"], options.get("ids"))]
            channel.say("collected", file=command["file"], tests=tests, errors=[], deselected=0, seconds=0.0)
        elif command["do"] == "run":
            run(channel, command, began)
    channel.say("bye", code=0)
    channel.flush()
    return 0


def run(channel: Any, command: dict[str, Any], began: float) -> None:
    """Run the tests of a batch in order; a careful batch waits for `go` before each."""
    for i, (native, _, _) in enumerate(command["tests"]):
        while command.get("careful"):
            order = channel.hear()
            if order is None or (order["do"] == "go" and order["i"] == i):
                break
        channel.say("start", batch=command["batch"], i=i, at=time.monotonic() - began)
        started = time.monotonic()
        result = evaluated(native)
        result["seconds"] = time.monotonic() - started
        channel.say("result", batch=command["batch"], i=i, final=True, result=result)
    channel.say("done", batch=command["batch"])


def evaluated(native: str) -> dict[str, Any]:
    """The result of one line, as `pipeline.model.verdicts.Result` without `test`."""
    try:
        good = bool(eval(line(native), {"os": os}))
    except (OSError, IndexError, ValueError):
        return {"verdict": "not-run", "message": "not found"}
    except Exception as error:
        return {"verdict": "error", "message": str(error), "exception": type(error).__name__}
    return {"verdict": "passed"} if good else {"verdict": "failed", "message": f"{line(native)!r} is not true"}


def files(paths: list[str]) -> list[str]:
    """The files named, and those below the folders named, in order."""
    found = [p for path in map(Path, paths) for p in (sorted(path.rglob("*.lines")) if path.is_dir() else [path])]
    return [str(path) for path in found]


def natives(file: str, ids: list[str] | None) -> list[str]:
    """The ids of a file's lines, or those of them that are wanted."""
    count = len(Path(file).read_text("utf-8").splitlines())
    every = [f"{file}::{number}" for number in range(1, count + 1)]
    return every if ids is None else [native for native in every if native in ids]


def line(native: str) -> str:
    """The text of one line. Raises `OSError`, `ValueError` or `IndexError` where there is none."""
    file, _, number = native.rpartition("::")
    return Path(file).read_text("utf-8").splitlines()[int(number) - 1]


if __name__ == "__main__":
    named = [
        native
        for path in sys.argv[1:] or ["."]
        for native in ([path] if "::" in path else [native for file in files([path]) for native in natives(file, None)])
    ]
    verdicts = [evaluated(native)["verdict"] for native in named]
    print("\n".join(f"{native} {verdict}" for native, verdict in zip(named, verdicts)))  # noqa: B905 - Python 3.8 knows no `strict`.
    sys.exit(any(verdict != "passed" for verdict in verdicts))
