"""The agent's side of pytest: how its harness is started, what a person types to repeat a test, what a source means to it.

Must not know launchers, stores or settings objects: it is given a suite as plain values.
"""

from __future__ import annotations

import configparser
import fnmatch
import glob
import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.model.runs import Conclusion
from pipeline.model.suites import HarnessSpec, Suite
from pipeline.model.tests import Test

name = "pytest"
wanted: Mapping[str, int] = {"pytest": 7}


def harness(suite: Suite, *, run: str, slots: int, seed: int) -> HarnessSpec:
    """How to start the harnesses of a suite; the options are those that `harness/pytest_session.py` documents."""
    return HarnessSpec(
        suite=suite.name,
        python=suite.interpreter.path,
        cwd=suite.root,
        env=suite.env,
        module="pytest_session",
        options={
            "args": arguments(suite),
            "invocation": suite.invocation,
            "slots": slots,
            "run": run,
            "seed": seed,
        },
    )


def arguments(suite: Suite) -> list[str]:
    """The command line that selects the suite's tests, as pytest reads it."""
    chosen = [*suite.args]
    if suite.keyword:
        chosen += ["-k", suite.keyword]
    if suite.marks:
        chosen += ["-m", suite.marks]
    return chosen + ([from_root(suite, native) for native in suite.ids] if suite.ids is not None else list(suite.paths))


def from_root(suite: Suite, native: str) -> str:
    """A node id as one types it in the suite's root: pytest names tests from its rootdir, which may lie above."""
    file, colons, rest = native.partition("::")
    root = Path(suite.root)
    above = next((folder for folder in (root, *root.parents) if (folder / file).exists()), root)
    return native if above == root else f"{os.path.relpath(above / file, root)}{colons}{rest}"


def reproduce(suite: Suite, test: Test) -> str:
    """A line for a shell that runs one test with plain pytest, from the suite's root, needing nothing of ours."""
    start = ["pytest"] if suite.invocation == "pytest" else [suite.interpreter.path, "-m", "pytest"]
    return shlex.join([*start, *suite.args, from_root(suite, test.native)])


def replay(suite: Suite, natives: Sequence[str], file: Path) -> list[str]:
    """A command that runs tests in a given order; newer versions read the ids from `file`, so that many fit."""
    ids = [from_root(suite, native) for native in natives]
    file.write_text("".join(f"{each}\n" for each in ids if "\n" not in each), encoding="utf-8")
    version = tuple(int(part) for part in suite.interpreter.packages["pytest"].split(".")[:2])
    return [suite.interpreter.path, "-m", "pytest", *suite.args, *([f"@{file}"] if version >= (8, 2) else ids)]


def foreground(suite: Suite) -> list[str]:
    """A command that runs the suite in one process."""
    script = Path(suite.interpreter.path).parent / "pytest"
    by_name = suite.invocation == "pytest" and script.exists()
    return [*([str(script)] if by_name else [suite.interpreter.path, "-m", "pytest"]), *arguments(suite)]


def carries(suite: Suite) -> tuple[str, ...]:
    """Files, as patterns relative to the suite's root, that a worker elsewhere sends home for `conclude`."""
    return (f"{data_file(Path(suite.root))}.*",)


def data_file(folder: Path) -> str:
    """Where coverage keeps its data, relative to the folder; its own name where its configuration says none below it."""
    found = ""
    for candidate, section in ((".coveragerc", "run"), ("setup.cfg", "coverage:run"), ("tox.ini", "coverage:run")):
        parser = configparser.RawConfigParser(strict=False)
        parser.read(folder / candidate, encoding="utf-8")
        found = found or parser.get(section, "data_file", fallback="")
    pyproject = folder / "pyproject.toml"
    if not found and pyproject.is_file():
        tool = tomllib.loads(pyproject.read_text("utf-8")).get("tool", {})
        found = str(tool.get("coverage", {}).get("run", {}).get("data_file", ""))
    plain = os.path.normpath(found) if found and "$" not in found else ".coverage"
    return ".coverage" if os.path.isabs(plain) or plain.startswith("..") else plain


def prepare(suite: Suite, facts: Mapping[str, Any]) -> None:
    """Remove the coverage data of earlier runs, unless they are to be appended to."""
    told = facts.get("cov")
    if told and not told["options"].get("cov_append"):
        data = Path(told["data_file"])
        for stale in [data, *data.parent.glob(f"{glob.escape(data.name)}.*")]:
            stale.unlink(missing_ok=True)


def conclude(suite: Suite, facts: Mapping[str, Any], command: Callable[[Sequence[str], str], str]) -> Conclusion:
    """Combine and report coverage where the suite measured it; an objection when it is under its limit."""
    told = facts.get("cov")
    if not told:
        return Conclusion()
    script = Path(__file__).parent.parent / "harness" / "pytest_coverage_report.py"
    if "homes" in facts:
        told = {**told, **_brought(Path(told["data_file"]).parent, facts["homes"])}
    printed = command([suite.interpreter.path, str(script), json.dumps(told)], suite.root)
    *lines, answer = printed.rstrip("\n").split("\n")
    objection = json.loads(answer)["objection"]
    return Conclusion(text="\n".join(lines), objections=(objection,) if objection else ())


def _brought(folder: Path, homes: Mapping[str, Any]) -> dict[str, Any]:
    """Where workers elsewhere have sent their data files, and which of their paths are which here.

    `homes`: `folders`, what each worker has sent of the project; `here` and `there`, the project's root here and wherever
    workers were.
    """
    below = os.path.relpath(folder, homes["here"])
    return {
        "folders": [os.path.join(one, below) for one in homes["folders"]],
        "paths": [homes["here"], *homes["there"]],
    }


def condemns(suite: Suite, path: Path) -> bool:
    """Whether a source that is no valid syntax makes this suite red for certain.

    True for files named like tests below the suite's paths. Where a conftest.py above decides by itself what to
    ignore, nothing is certain before collection: then False, and collection tells.
    """
    folder = Path(suite.root)
    if folder not in path.parents:
        return False
    options = read_options(folder)
    tops = [folder / one.split("::")[0] for one in suite.paths or _words(options.get("testpaths", "")) or ["."]]
    if not any(top == path or top in path.parents for top in tops):
        return False
    if "--ignore" in str(options.get("addopts", "")) or any("--ignore" in one for one in suite.args):
        return False
    above = [parent / "conftest.py" for parent in path.parents if parent == folder or folder in parent.parents]
    if any(_decides_itself(conftest) for conftest in above) or _is_left_out(path, folder, options):
        return False
    patterns = _words(options.get("python_files", "")) or ["test_*.py", "*_test.py"]
    return any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)


def read_options(folder: Path) -> Mapping[str, Any]:
    """The ini options of the first of pytest's own files that has them, in pytest's order; empty if none has."""
    for candidate, section in (
        ("pytest.ini", "pytest"),
        (".pytest.ini", "pytest"),
        ("tox.ini", "pytest"),
        ("setup.cfg", "tool:pytest"),
    ):
        path = folder / candidate
        if path.is_file():
            parser = configparser.RawConfigParser(strict=False)
            parser.read_string(path.read_text("utf-8", "replace"))
            if parser.has_section(section):
                return dict(parser.items(section))
        if candidate == ".pytest.ini" and (found := _from_pyproject(folder / "pyproject.toml")) is not None:
            return found
    return {}


def _from_pyproject(path: Path) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("pytest")
    if not isinstance(table, dict):
        return None
    found: Mapping[str, Any] = table.get("ini_options", table)
    return found


def _words(value: str | Sequence[str]) -> list[str]:
    return value.split() if isinstance(value, str) else [str(one) for one in value]


def _decides_itself(conftest: Path) -> bool:
    if not conftest.is_file():
        return False
    text = conftest.read_text("utf-8", "replace")
    return bool(re.search(r"collect_ignore|pytest_ignore_collect|pytest_collect_file", text))


def _is_left_out(path: Path, folder: Path, options: Mapping[str, Any]) -> bool:
    left_out = _words(options.get("norecursedirs", "")) or [
        "*.egg",
        ".*",
        "_darcs",
        "build",
        "CVS",
        "dist",
        "node_modules",
        "venv",
        "{arch}",
    ]
    parts = path.relative_to(folder).parts[:-1]
    return any(fnmatch.fnmatch(part, pattern) for part in parts for pattern in left_out)
