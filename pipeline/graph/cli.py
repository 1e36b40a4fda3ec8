"""The script `doit-fleet` and `python -m pipeline`: doit with our loader, from any sub-directory of a project.

Finds the project; everything else is doit's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from doit.doit_cmd import DoitMain  # type: ignore[import-untyped]

from pipeline.errors import EXIT_USAGE, FleetError, UsageError, call_command
from pipeline.graph.dump import DumpDB
from pipeline.graph.loader import CatalogLoader
from pipeline.graph.project import find_root
from pipeline.graph.run import Run

PLACED = ("-f", "-d", "-k", "--file", "--dir", "--seek-file")
"""Options with which a person says where the dodo.py or the project is; then we do not look for it."""


OURS: Mapping[str, type] = {"run": Run, "dumpdb": DumpDB}


class FleetMain(DoitMain):  # type: ignore[misc]
    """doit's command line with our `run`, and a `dumpdb` that can read our state."""

    BIN_NAME = "doit-fleet"
    DOIT_CMDS = (*(command for command in DoitMain.DOIT_CMDS if command.get_name() not in OURS), *OURS.values())

    @staticmethod
    def print_version() -> None:
        """Print our version and doit's."""
        from importlib.metadata import version  # Only for this answer.

        print(f"doit-fleet {version('doit-fleet')} (doit {version('doit')}, Python {sys.version.split()[0]})")


def main(
    argv: Sequence[str], loader: CatalogLoader | Callable[[], CatalogLoader], *, platform: str = sys.platform
) -> int:
    """Run one command line; returns the exit code, with usage errors as 3."""
    _open_missing_streams()
    call_command(FleetMain.BIN_NAME)
    try:
        _refuse_windows(platform)
        if "" in argv:
            raise UsageError("an argument is empty", hint="is a variable of your script unset?")
        made = loader if isinstance(loader, CatalogLoader) else loader()
        if not any(word.split("=")[0] in PLACED for word in argv):
            os.chdir(find_root(Path.cwd()))
        return int(_configured(made).run(list(argv)) or 0)
    except FleetError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return error.exit_code if isinstance(error, UsageError) else EXIT_USAGE
    finally:
        call_command("doit")


def _configured(loader: CatalogLoader) -> FleetMain:
    try:
        # doit hands the loader its configuration only if there is any; the loader puts our defaults into it.
        return FleetMain(loader, extra_config={"GLOBAL": {"loader": "fleet"}})
    except ValueError as error:  # No TOML, or no UTF-8; doit reads the file in its constructor and does not catch that.
        raise UsageError(f"pyproject.toml: {error}", hint="doit-fleet reads its settings from this file") from error


def _open_missing_streams() -> None:
    """Give a closed standard stream (`>&-`) the null device, lest a file of ours gets its number and tests write there."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest free number, which is this one.
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))


def _refuse_windows(platform: str) -> None:
    if platform == "win32":
        raise UsageError(
            "doit-fleet does not run on Windows itself", hint="use WSL: `wsl --install`, then run it there"
        )
