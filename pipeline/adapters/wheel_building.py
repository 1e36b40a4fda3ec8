"""Build a wheel with an interpreter's own pip: from a source distribution, or of what is resolved fresh. Keeps nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pipeline.adapters.wheel_index import bare
from pipeline.errors import EngineError

SHOWN = 1500
"""Characters of a failed build's output that are told."""


def build_wheel(python: str, requirement: str, folder: Path, cwd: Path) -> Path:
    """The wheel of a requirement, URL, file or folder, alone. Raises `EngineError` with the end of what pip said."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [python, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", str(folder), requirement]
    environment = {
        **os.environ,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "SOURCE_DATE_EPOCH": "315532800",
    }
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise EngineError(f"cannot start {python!r}: {error}") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        tail = (done.stderr or done.stdout).strip()[-SHOWN:]
        raise EngineError(
            f"no wheel could be built of {bare(requirement)!r}: {tail}",
            hint="pin a version that has wheels for the image's Python, or give the interpreter pip and a compiler",
        )
    return wheels[0]
