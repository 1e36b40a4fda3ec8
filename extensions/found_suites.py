"""Turn the suites' settings into plain values: interpreters found, selections applied, secrets looked up.

The only reader of the suites' settings beside `describe`. Starts interpreters only when nothing is remembered of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve

from extensions.fleet import Fleet
from pipeline.errors import UsageError
from pipeline.model.suites import Interpreter, Suite
from pipeline.settings.secret import Secret

Generate = Callable[[Any], None]
"""Has the outputs of a recipe made."""
OF_COMMANDS = ("command", "rows", "files", "lines", "matrix", "only", "no", "types", "metrics", "results", "keep")
"""Settings that say nothing for other frameworks."""
FindInterpreter = Callable[[str, Path, Mapping[str, int]], Interpreter]
"""(setting `python` or empty, the suite's root, distributions wanted) to an interpreter."""


def found_suites(
    fleet: Fleet,
    find: FindInterpreter,
    wanted: Callable[[str], Mapping[str, int]],
    failed: Mapping[str, Sequence[str]],
    generate: Generate,
) -> tuple[Suite, ...]:
    """All suites that the selection leaves. `failed`: native ids of bad verdicts by suite. Raises `UsageError`.

    `generate` is called for suites of commands whose tests are made by one.
    """
    expanded = (suite for name in fleet.suites.chosen() for suite in _expand(fleet, name, find, wanted, failed))
    suites = _with_commands(fleet, [suite for suite in expanded if suite.ids != ()], generate)
    if not suites and fleet.select.only.get():
        raise UsageError("no suite has a matrix, so 'select.only' selects nothing", hint="select.keyword, select.paths")
    if not suites:
        raise UsageError("no suite has any of the selected paths or ids", hint="paths are relative to the suite's root")
    return tuple(suites)


def _expand(
    fleet: Fleet,
    name: str,
    find: FindInterpreter,
    wanted: Callable[[str], Mapping[str, int]],
    failed: Mapping[str, Sequence[str]],
) -> list[Suite]:
    settings = fleet.suites[name]
    root = Path(settings.root.get())
    if not root.is_dir():
        raise UsageError(f"suite {name!r}: its root {str(root)!r} is no folder")
    paths = _paths(settings, root)
    if paths is None:
        return []
    pythons = settings.python.get() or ("",)
    found = [_interpreter(settings, find, python, root, wanted) for python in pythons]
    names = names_of_versions(name, found) if len(found) > 1 else [name]
    return [
        _suite(fleet, settings, one, root, interpreter, paths, failed)
        for one, interpreter in zip(names, found, strict=True)
    ]


def _interpreter(
    settings: Any, find: FindInterpreter, python: str, root: Path, wanted: Callable[[str], Mapping[str, int]]
) -> Interpreter:
    """The project's; commands are also started by ours, for nothing of theirs is imported."""
    framework = settings.framework.get()
    try:
        return find(python, root, wanted(framework))
    except UsageError:
        if python or framework != "command":
            raise
        return find(sys.executable, root, {})


def names_of_versions(name: str, found: Sequence[Interpreter]) -> list[str]:
    """A name for each interpreter's suite: with its version, and a number where a version comes again."""
    names: list[str] = []
    for interpreter in found:
        versioned = f"{name}-py{interpreter.version[0]}.{interpreter.version[1]}"
        again = sum(one.version[:2] == interpreter.version[:2] for one in found[: len(names)])
        names.append(f"{versioned}-{again + 1}" if again else versioned)
    return names


def _suite(
    fleet: Fleet,
    settings: Any,
    name: str,
    root: Path,
    interpreter: Interpreter,
    paths: tuple[str, ...],
    failed: Mapping[str, Sequence[str]],
) -> Suite:
    select, exclude = settings.select, settings.exclude
    return Suite(
        name=name,
        framework=settings.framework.get(),
        root=str(root),
        interpreter=interpreter,
        paths=paths,
        args=(*settings.args.get(), *_left_out(exclude, name)),
        invocation=settings.invocation.get(),
        env={key: _value(value, fleet) for key, value in settings.env.get().items()},
        keyword=both(select.keyword.get(), exclude.keyword.get()),
        marks=both(select.marks.get(), exclude.marks.get()),
        ids=_ids(select, name, failed),
        timeout_seconds=settings.timeout_seconds.get(),
        slow_after_seconds=settings.slow_after_seconds.get(),
        retries=settings.retries.get(),
        pool=settings.pool.get(),
        xdist=settings.xdist.get(),
        outputs=_outputs(settings, name),
    )


def _with_commands(fleet: Fleet, suites: Sequence[Suite], generate: Generate) -> list[Suite]:
    """Suites of commands with their tests, any other as it is; without those of whose rows none is selected."""
    if not any(suite.framework == "command" for suite in suites) and not fleet.select.only.get():
        for suite in suites:
            _refuse_commands(fleet, suite)
        return list(suites)
    from extensions import command_suites
    from extensions.command_matrices import Asked, is_selecting

    asked, kept = Asked(), []
    for suite in suites:
        settings = fleet.suites[_told(fleet, suite)]
        if suite.framework != "command":
            _refuse_commands(fleet, suite)
            kept += [] if is_selecting(settings) else [suite]
            continue
        chosen = command_suites.wanted_by(settings, suite.ids)
        build = Path(fleet.project.build_dir.get())
        terms = command_suites.command_terms(suite.name, settings, build, generate, chosen, asked)
        kept += [] if terms is None else [evolve(suite, command=terms)]
    asked.refuse(found=bool(kept))
    return kept


def _told(fleet: Fleet, suite: Suite) -> str:
    """The name that a suite has in the settings."""
    return suite.name if suite.name in fleet.suites.known() else suite.name.rpartition("-py")[0]


def _refuse_commands(fleet: Fleet, suite: Suite) -> None:
    """Raise `UsageError` when a suite of another framework has settings of commands."""
    name = _told(fleet, suite)
    for one in OF_COMMANDS:
        if getattr(fleet.suites[name], one).get():
            raise UsageError(
                f"suite {name!r} has {one!r}, but its framework is {suite.framework!r}",
                hint=f'suites.{name}.framework = "command"',
            )


def _outputs(settings: Any, name: str) -> tuple[str, ...]:
    patterns = tuple(settings.outputs.get())
    for pattern in patterns:
        if pattern.startswith("/") or ".." in pattern.split("/") or not pattern.strip("/."):
            raise UsageError(
                f"suite {name!r}: outputs has {pattern!r}", hint="patterns are relative to the suite's root, below it"
            )
    return patterns


def both(select: str, exclude: str) -> str:
    """One expression that selects with the one and leaves out what matches the other."""
    if not exclude:
        return select
    return f"({select}) and not ({exclude})" if select else f"not ({exclude})"


def _paths(settings: Any, root: Path) -> tuple[str, ...] | None:
    """The suite's paths, or those selected that it has; None when it has none of them."""
    selected: tuple[str, ...] = settings.select.paths.get()
    if not selected or settings.framework.get() == "command":
        return tuple(settings.paths.get())
    own = tuple(path for path in selected if (root / path.partition("::")[0]).exists())
    return own or None


def _left_out(exclude: Any, suite: str) -> tuple[str, ...]:
    args = [f"--deselect={path}" if "::" in path else f"--ignore={path}" for path in exclude.paths.get()]
    args += [f"--deselect={native}" for native in _read_ids(exclude.ids_file.get(), suite) or ()]
    return tuple(args)


def _ids(select: Any, suite: str, failed: Mapping[str, Sequence[str]]) -> tuple[str, ...] | None:
    ids = _read_ids(select.ids_file.get(), suite)
    if select.last_failed.get() and any(failed.values()):
        bad = tuple(failed.get(suite, ()))
        return bad if ids is None else tuple(native for native in ids if native in bad)
    return ids


def _read_ids(file: Path | None, suite: str) -> tuple[str, ...] | None:
    if file is None:
        return None
    try:
        from pipeline.logic.group_files import parse_ids  # Here, because few suites are selected by a file.

        ids = parse_ids(file.read_text("utf-8", "surrogateescape"))
    except OSError as error:
        raise UsageError(f"cannot read the file of test ids {str(file)!r}: {error}") from error
    return tuple(native.removeprefix(f"{suite}::") for native in ids)


def environment_of(fleet: Fleet, suite: str) -> dict[str, str]:
    """The variables that a suite's tests have, secrets too; none of a suite that the settings do not know."""
    name = suite if suite in fleet.suites.known() else suite.rpartition("-py")[0]
    if name not in fleet.suites.known():
        return {}
    return {key: _value(value, fleet) for key, value in fleet.suites[name].env.get().items()}


def _value(value: str | Secret, fleet: Fleet) -> str:
    return value.reveal(fleet.environment, fleet.home) if isinstance(value, Secret) else value


def file_of(test: str, suites: Sequence[Suite], root: Path) -> str:
    """A test's file, relative to the project; empty when it is in no suite."""
    name, _, native = test.partition("::")
    suite = next((suite for suite in suites if suite.name == name), None)
    if suite is None:
        return ""
    path = Path(suite.root) / native.partition("::")[0]
    return str(path.relative_to(root)) if root in path.parents else str(path)
