"""The interpreter with the plug-ins: `python -m tests.compatibility.environment` makes it and prints its path.

It lives in the user's cache, named by the digest of requirements.txt and the Python version, or is named by a variable.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

NAMED_BY = "DOIT_FLEET_COMPATIBILITY_PYTHON"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MISSING = "no interpreter with the plug-ins: make it with `python -m tests.compatibility.environment`"


def find() -> Path | None:
    """The interpreter, if there is one."""
    named = os.environ.get(NAMED_BY)
    python = Path(named) if named else _folder() / "bin" / "python"
    return python if python.exists() else None


def make() -> Path:
    """The interpreter, made when it is not there; whole or not at all."""
    found = find()
    if found is not None:
        return found
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    venv.create(folder, with_pip=True, clear=True, symlinks=True)
    built = folder / "bin" / "python-unfinished"
    (folder / "bin" / "python").rename(built)
    try:
        pip = [str(built), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
        subprocess.run(pip, check=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return built.rename(folder / "bin" / "python")


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    named = f"{sys.version_info[:2]}\n{REQUIREMENTS.read_text()}"
    return cache / "doit-fleet" / "compatibility" / hashlib.sha256(named.encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(make())
