"""Avocado-VT's own parser, run as it is: `python -m tests.matrix.peer` fetches it and prints where it lies.

It is taken from its package on the index, without installing it, and kept in the engines' folder, which containers and pods see;
or a variable names a checkout, whose self-tests have more inputs.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.engines import places

NAMED_BY = "DOIT_FLEET_AVOCADO_VT"
PACKAGE = "avocado-framework-plugin-vt==113.0"
PARSER = "virttest/cartesian_config.py"
MISSING = f"no parser of Avocado-VT: fetch it with `python -m tests.matrix.peer`, or name a checkout in {NAMED_BY}"

Rows = Iterator[dict[str, Any]]


class Peer:
    """The parser in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        spec = importlib.util.spec_from_file_location("cartesian_config_of_avocado_vt", folder / PARSER)
        assert spec is not None
        assert spec.loader is not None
        self._module = importlib.util.module_from_spec(spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Its released texts have escapes that newer interpreters warn of.
            spec.loader.exec_module(self._module)

    def rows(
        self,
        *texts: str,
        file: Path | None = None,
        defaults: bool = False,
        expanded: Sequence[str] = (),
    ) -> Rows:
        """Rows of a file and of texts, without the two maps of files that only its own loader reads."""
        parser = self._module.Parser(str(file) if file else None, defaults=defaults, expand_defaults=list(expanded))
        for text in texts:
            parser.parse_string(text)
        for row in parser.get_dicts():
            yield {key: value for key, value in row.items() if not key.endswith("_name_map_file")}


def find() -> Peer | None:
    """The parser, if it is there."""
    folder = Path(os.environ.get(NAMED_BY) or _folder())
    return Peer(folder) if (folder / PARSER).is_file() else None


def make() -> Path:
    """The folder, filled when it is not there."""
    folder = _folder()
    if not (folder / PARSER).is_file():
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, PACKAGE]
            subprocess.run(pip, check=True)
            (wheel,) = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                configs = [name for name in archive.namelist() if name.startswith("virttest/shared/cfg/")]
                archive.extractall(folder, [*configs, PARSER])
    return folder


def _folder() -> Path:
    return places.home() / "built" / PACKAGE.replace("==", "-")


if __name__ == "__main__":
    print(make())
