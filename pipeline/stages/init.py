"""`doit-fleet init`: write into a project what makes plain `doit` and `./doitw` work there, and say what was written.

Nothing of the user's is destroyed: files are appended to or created, never rewritten; running it twice changes nothing.
"""

from __future__ import annotations

import configparser
import tomllib
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.graph.catalog import Catalog
from pipeline.graph.task import Action, Handle, TaskSpec

TEMPLATE = Path(__file__).parent / "templates" / "doitw"
TOML_LINES = '\n[tool.doit]\nloader = "fleet"\n'
INI_LINES = "[GLOBAL]\nloader = fleet\n"


DOC = "write into this project what makes plain `doit` and ./doitw work here"


def register(catalog: Catalog, root: Path) -> Handle:
    """Add the task."""
    action = Action(_say, {"root": root})
    return catalog.add("init", lambda: TaskSpec(name="init", actions=(action,), always=True), doc=DOC)


def _say(root: Path) -> None:
    print("\n".join(init(root)))


def init(root: Path) -> list[str]:
    """Write the lines and the wrapper into `root`; sentences that say what was done and why.

    Raises `UsageError` when the project already names another loader or its files cannot be read or written.
    """
    try:
        return [_write_loader(root), _write_wrapper(root)]
    except OSError as error:
        raise UsageError(
            f"cannot write into {str(root)!r}: {error}", hint="make the folder writable, or run elsewhere"
        ) from error


def _write_loader(root: Path) -> str:
    project = root / "pyproject.toml"
    if project.is_file():
        return _append_to_pyproject(project)
    config = root / "doit.cfg"
    if not config.exists():
        config.write_text(INI_LINES, encoding="utf-8")
        return "doit.cfg: written; plain `doit` now runs the fleet's tasks here, with no dodo.py needed"
    parser = configparser.ConfigParser()
    parser.read_string(config.read_text("utf-8"))
    _check_loader(parser.get("GLOBAL", "loader", fallback=None), config)
    if parser.has_option("GLOBAL", "loader"):
        return "doit.cfg: has the loader already; left as it is"
    raise UsageError(f"{str(config)!r} has no loader", hint="add the line `loader = fleet` below [GLOBAL]")


def _append_to_pyproject(path: Path) -> str:
    text = path.read_text("utf-8")
    try:
        table = tomllib.loads(text).get("tool", {}).get("doit")
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{str(path)!r} is no valid TOML: {error}") from error
    if table is None:
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if text.endswith("\n") or not text else "\n") + TOML_LINES)
        return 'pyproject.toml: added [tool.doit] loader = "fleet"; plain `doit` now runs the fleet\'s tasks here'
    _check_loader(table.get("loader"), path)
    if table.get("loader") == "fleet":
        return "pyproject.toml: has the loader already; left as it is"
    raise UsageError(f"{str(path)!r} has a [tool.doit] without a loader", hint='add the line `loader = "fleet"` to it')


def _check_loader(found: object, path: Path) -> None:
    if found not in (None, "fleet"):
        raise UsageError(
            f"{str(path)!r} names the doit loader {found!r}",
            hint="use the script `doit-fleet`, which needs no set-up, or change the loader to 'fleet'",
        )


def _write_wrapper(root: Path) -> str:
    path = root / "doitw"
    wanted = TEMPLATE.read_text("utf-8").replace("@VERSION@", version("doit-fleet"))
    if path.exists():
        same = path.read_text("utf-8", "replace") == wanted
        return "doitw: is there already; left as it is" + ("" if same else " (it differs from the one of this version)")
    path.write_text(wanted, encoding="utf-8")
    path.chmod(0o755)
    return "doitw: written; `./doitw` installs this version of doit-fleet once and runs it, like gradlew; commit it"
