"""The folder that becomes a virtual environment of an image: its skeleton, its byte-code, its entries.

Laid out as https://docs.python.org/3/library/venv.html does. Knows neither wheels nor locks.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.adapters.layer_trees import tree_entries
from pipeline.errors import EngineError
from pipeline.model.environments import VirtualEnvironment
from pipeline.model.layer_entries import LayerEntry

SCRIPT = Path(__file__).parent.parent / "harness" / "compile_environment.py"


def inside(folder: Path, path: str) -> Path:
    """Where a path of the image lies while the layer is made."""
    return folder / path.lstrip("/")


def lay_skeleton(folder: Path, venv: VirtualEnvironment) -> None:
    """Make the folders, links and `pyvenv.cfg` of an empty environment."""
    inside(folder, venv.packages).mkdir(parents=True)
    root = inside(folder, venv.prefix)
    (root / "bin").mkdir()
    (root / "lib64").symlink_to("lib")
    (root / "bin" / "python").symlink_to(venv.base)
    for name in (f"python{venv.version[0]}", f"python{venv.short}"):
        (root / "bin" / name).symlink_to("python")
    lines = (
        f"home = {os.path.dirname(venv.base)}",
        "include-system-site-packages = false",
        f"version = {'.'.join(map(str, venv.version))}",
        f"executable = {venv.base}",
    )
    (root / "pyvenv.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")


def compile_sources(sources: Sequence[Path], python: str, *, at: tuple[Path, str], processes: int) -> int:
    """Byte-compile files; how many. `at`: the folder they are in, and where that will be in the image.

    Raises `EngineError` when the interpreter does not do it.
    """
    folder, place = at
    lines = [json.dumps([str(source), place + str(source)[len(str(folder)) :]]) + "\n" for source in sources]
    shares = [lines[start::processes] for start in range(processes)]
    with ThreadPoolExecutor(max_workers=processes) as pool:
        return sum(pool.map(lambda share: _compile(python, "".join(share)), shares))


def _compile(python: str, lines: str) -> int:
    environment = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [python, "-s", "-S", str(SCRIPT)], input=lines, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        raise EngineError(f"byte-compiling dependencies failed with {python!r}: {done.stderr.strip()[-500:]}")
    return int(done.stdout)


def environment_entries(folder: Path, venv: VirtualEnvironment) -> Sequence[LayerEntry]:
    """All that the folder holds below the environment's prefix."""
    return list(tree_entries(inside(folder, venv.prefix), venv.prefix))
