"""Where engines keep what they need: a folder outside the work tree. Knows no engine.

`$DOIT_FLEET_ENGINES_HOME`, else `$XDG_CACHE_HOME/doit-fleet/engines`, else `~/.cache/doit-fleet/engines`. In it: a folder
per shared engine, `own/` with a folder per private one, `built/` with programs and `images/` with file systems, both kept by digest.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMED_BY = "DOIT_FLEET_ENGINES_HOME"
PRIVATE_NAMED_BY = "DOIT_FLEET_OWN_ENGINES_HOME"


def home() -> Path:
    """The folder of all engines."""
    named = os.environ.get(NAMED_BY)
    if named:
        return Path(named).absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache.absolute() / "doit-fleet" / "engines"


def private() -> Path:
    """The folder of private engines: `$DOIT_FLEET_OWN_ENGINES_HOME` where the other cannot be written, as in pods."""
    named = os.environ.get(PRIVATE_NAMED_BY)
    return Path(named).absolute() if named else home() / "own"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Alone in that folder, among processes and threads; waits for whoever is there. A killed holder leaves no lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
