"""Finds where a project is: its root from any sub-directory, and its dodo.py as doit's options `-f -d -k` ask for it.

Reads file names and one table of pyproject.toml; knows no setting.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import UsageError

TABLES = ("doit", "doit-fleet")
MARKS = ("pyproject.toml", "dodo.py", "setup.py", "setup.cfg", "tox.ini", "pytest.ini")
LESSER_MARKS = (".git", ".venv", "venv")
"""What tells where a project is when it has no file of configuration at all."""


def find_root(start: Path) -> Path:
    """The nearest folder that is set up for us, else the nearest that looks like a project, else `start`.

    Set up: it has fleet.toml, or pyproject.toml with a table `tool.doit` or `tool.doit-fleet`. A repository or an
    environment marks a project without any configuration. The search ends at the root of the repository.
    """
    folders = _up_to_repository(start.absolute())
    chosen = next((folder for folder in folders if _is_set_up(folder)), None)
    return chosen or _nearest(folders, MARKS) or _nearest(folders, LESSER_MARKS) or start


def _nearest(folders: Sequence[Path], marks: Sequence[str]) -> Path | None:
    return next((folder for folder in folders if any((folder / mark).exists() for mark in marks)), None)


def _up_to_repository(start: Path) -> list[Path]:
    folders = [start, *start.parents]
    end = next((i for i, folder in enumerate(folders) if (folder / ".git").exists()), len(folders))
    return folders[: end + 1]


def _is_set_up(folder: Path) -> bool:
    if (folder / "fleet.toml").is_file():
        return True
    try:
        data = (folder / "pyproject.toml").read_bytes()
    except OSError:
        return False
    return b"doit" in data and _has_table(data)


def _has_table(data: bytes) -> bool:
    import tomllib  # Only when the file speaks of doit at all.

    try:
        tool = tomllib.loads(data.decode("utf-8")).get("tool", {})
    except ValueError:
        return True  # Whoever reads it properly will say what is wrong with it.
    return isinstance(tool, dict) and any(table in tool for table in TABLES)


class Dodo:
    """Where to run, and which dodo.py to import, if any; both absolute."""

    def __init__(self, folder: Path, file: Path | None) -> None:
        self.folder = folder
        self.file = file

    @classmethod
    def locate(cls, name: str, folder: str | None, seek: bool) -> Dodo:
        """Read doit's options: `-f name`, `-d folder`, `-k`. The default dodo.py may be missing, a named one not."""
        file = Path(os.path.abspath(name))
        if seek and not os.path.isabs(name):
            here = Path.cwd()
            file = next((up / name for up in (here, *here.parents) if (up / name).exists()), file)
        if folder is not None and not os.path.isdir(folder):
            raise UsageError(f"the folder {folder!r} of option -d does not exist")
        if not file.exists():
            if name != "dodo.py":
                raise UsageError(f"there is no dodo file {name!r}", hint="use -f to name the file")
            return cls(Path(folder or ".").absolute(), None)
        return cls(Path(folder).absolute() if folder is not None else file.parent, file)
