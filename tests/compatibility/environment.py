"""The interpreter with the plug-ins: `python -m tests.compatibility.environment` makes it and prints its path.

It lives in the user's cache, named by the digest of requirements.txt and the Python version, or is named by a variable.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

NAMED_BY = "DOIT_FLEET_COMPATIBILITY_PYTHON"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
COMPLETE = "complete"
"""A file that is there once everything is installed."""
MISSING = "no interpreter with the plug-ins: make it with `python -m tests.compatibility.environment`"


def find() -> Path | None:
    """The interpreter, if there is one and it is whole."""
    named = os.environ.get(NAMED_BY)
    if named:
        return Path(named)
    folder = _folder()
    return folder / "bin" / "python" if (folder / COMPLETE).exists() else None


def make() -> Path:
    """The interpreter, made when it is not there."""
    found = find()
    if found is not None:
        return found
    folder = _folder()
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    python = folder / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
    subprocess.run(pip, check=True)
    (folder / COMPLETE).touch()
    return python


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    named = f"{sys.version_info[:2]}\n{REQUIREMENTS.read_text()}"
    return cache / "doit-fleet" / "compatibility" / hashlib.sha256(named.encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(make())
