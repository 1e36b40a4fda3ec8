"""From the settings of a suite of commands to its plain values: rows made, checked and frozen into a file of their own.

Runs the suite's `generate` command when nothing was made of equal inputs before.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extensions.command_matrices import Asked, Source, add_values, is_selecting, rows_of, source_of, where, written_at
from pipeline.errors import UsageError
from pipeline.frameworks import command_rows
from pipeline.frameworks.command_types import check_names, typed
from pipeline.model.commands import CommandTerms, Row, SetUp

if TYPE_CHECKING:
    from pipeline.model.recipes import Recipe
    from pipeline.model.suites import Suite

Generate = Callable[["Recipe"], None]
"""Has the outputs of a recipe made, or brought back from the cache."""


def command_terms(
    name: str, settings: Any, build: Path, generate: Generate, wanted: Callable[[Row], bool], asked: Asked
) -> CommandTerms | None:
    """All that such a suite says, with its tests frozen below `build`; None when none of them was asked for.

    Raises `UsageError`, `EngineError`.
    """
    root = Path(settings.root.get())
    if not settings.command.get():
        raise UsageError(f"suite {name!r} has no command", hint=f'suites.{name}.command = ["./run", "{{name}}"]')
    recipe = _recipe(name, settings.generate)
    if recipe is not None:
        generate(recipe)
    rows, shipped, defined_by = _rows(name, settings, root, asked)
    if not rows and is_selecting(settings):
        return None
    setups = [_set_up(name, settings.setups[one]) for one in settings.setups.names()]
    _refuse_inner_hosts(name, [one for one in setups if one.per != "run"])
    templates = command_rows.Templates(
        command=settings.command.get(), cwd=settings.cwd.get(), exclusive=settings.exclusive.get(), setups=setups
    )
    content = command_rows.freeze(name, rows, templates, command_rows.Selected(wanted=wanted))
    folder = build / "command" / name
    return CommandTerms(
        command=settings.command.get(),
        rows=os.path.relpath(_written(folder, content), root),
        folder=os.path.relpath(folder, root),
        cwd=settings.cwd.get(),
        good_codes=tuple(settings.good_codes.get()),
        skip_codes=tuple(settings.skip_codes.get()),
        kill_after_seconds=settings.kill_after_seconds.get(),
        keep=_below(name, "keep", settings.keep.get()),
        metrics=_below(name, "metrics", settings.metrics.get()),
        results=_below(name, "results", settings.results.get()),
        setups=tuple(setups),
        shipped=shipped,
        shipped_digest=_digest(root, shipped),
        defined_by=defined_by,
    )


def wanted_by(settings: Any, ids: Sequence[str] | None) -> Callable[[Row], bool]:
    """Whether a row is selected: by ids, by paths or names (patterns), by words of its name."""
    select, exclude = settings.select, settings.exclude
    _refuse_marks(settings)
    chosen = None if ids is None else frozenset(ids)
    paths, left_out = select.paths.get(), exclude.paths.get()
    keyword, never = select.keyword.get(), exclude.keyword.get()

    def wanted(row: Row) -> bool:
        return (
            (chosen is None or row.name in chosen)
            and (not paths or _matches(row, paths))
            and not _matches(row, left_out)
            and (not keyword or keyword.lower() in row.name.lower())
            and not (never and never.lower() in row.name.lower())
        )

    return wanted


def _refuse_marks(settings: Any) -> None:
    for selection in (settings.select, settings.exclude):
        if selection.marks.get():
            raise UsageError("tests that are commands have no marks", hint="select them by paths, names or keyword")


def _matches(row: Row, patterns: Sequence[str]) -> bool:
    names = [row.name, *([row.file] if row.file else [])]
    return any(
        name == pattern or fnmatchcase(name, pattern) or name.startswith(pattern.rstrip("/") + "/")
        for pattern in patterns
        for name in names
    )


def _recipe(name: str, told: Any) -> Recipe | None:
    command = told.command.get()
    if not command:
        return None
    from pipeline.model.recipes import Recipe

    if not told.outputs.get():
        raise UsageError(f"suite {name!r}: generate has no outputs", hint=f'suites.{name}.generate.outputs = ["plans"]')
    return Recipe(
        name=f"generate-{name}",
        command=(command,) if isinstance(command, str) else _no_shell(command),
        inputs=told.inputs.get(),
        environment=told.environment.get(),
        tools=told.tools.get(),
        outputs=told.outputs.get(),
        timeout_seconds=told.timeout_seconds.get(),
    )


def _no_shell(command: Sequence[str]) -> tuple[str, ...]:
    """A recipe takes one word for a line of the shell."""
    return tuple(command) if len(command) > 1 else ("env", *command)


def _rows(name: str, settings: Any, root: Path, asked: Asked) -> tuple[list[Row], tuple[str, ...], tuple[str, ...]]:
    """Rows of all sources, the files that tests need, and those that only say which tests there are."""
    if not any(getattr(settings, each).get() for each in ("rows", "files", "lines", "matrix")):
        raise UsageError(
            f"suite {name!r} says nowhere which tests there are",
            hint=f'suites.{name}.files = ["configs/*.yaml"], or rows, lines, or a matrix',
        )
    source = source_of(name, settings)
    rows, told = rows_of(source, asked) if source is not None else ([], {})
    files: list[str] = []
    if not is_selecting(settings):
        rows += command_rows.table_rows(settings.rows.get())
        files += [file for pattern in settings.files.get() for file in _globbed(name, root, pattern)]
        rows += command_rows.file_rows(dict.fromkeys(files))
        said = written_at(settings.lines)
        rows += [row for file in settings.lines.get() for row in command_rows.line_rows(root, file, said)]
        files += settings.lines.get()
    if rows:
        _check_types(name, settings, rows, source)
        rows = typed(name, rows, settings.types.get(), partial(where, told))
    matrices = sorted(source.files) if source is not None else []
    return rows, tuple(dict.fromkeys(files)), tuple(dict.fromkeys((*settings.lines.get(), *matrices)))


def _check_types(name: str, settings: Any, rows: Sequence[Row], source: Source | None) -> None:
    """Types are the suite's, whatever is selected of it: rows that are left out have values, too."""
    types = settings.types.get()
    if not types:
        return
    tables = command_rows.table_rows(settings.rows.get())
    known = {value for row in (*rows, *tables) for value in row.values}
    if source is not None:
        add_values(source, types.keys(), known)
    check_names(name, types, known)


def _globbed(name: str, root: Path, pattern: str) -> list[str]:
    """Files that a glob matches, sorted. Raises `UsageError` when there are none: mostly that is a typo."""
    try:
        found = sorted(path.relative_to(root).as_posix() for path in root.glob(pattern) if path.is_file())
    except (ValueError, NotImplementedError) as error:
        raise UsageError(
            f"suite {name!r}: files has {pattern!r}: {error}", hint="globs are relative to the root"
        ) from error
    if not found:
        raise UsageError(f"suite {name!r}: no file matches {pattern!r} in {str(root)!r}")
    return found


def _set_up(suite: str, told: Any) -> SetUp:
    name, per, key = told.scope.path[-1], told.per.get(), told.key.get()
    if (per == "group") != bool(key):
        raise UsageError(
            f"suite {suite!r}: set-up {name!r} is per {per} and has {'a' if key else 'no'} key",
            hint='per = "group" needs a key such as "{values.pool}", all else has none',
        )
    return SetUp(
        name=name,
        per=per,
        key=key,
        command=told.command.get(),
        ready=told.ready.get(),
        teardown=told.teardown.get(),
        timeout_seconds=told.timeout_seconds.get(),
        ready_timeout_seconds=told.ready_timeout_seconds.get(),
        teardown_timeout_seconds=told.teardown_timeout_seconds.get(),
        may_split=told.may_split.get(),
    )


def refuse_hosts(suite: Suite, *, has_images: bool) -> None:
    """Raise `UsageError` where workers run images: a container has no host that tests could share."""
    if has_images and suite.command is not None and any(one.per == "host" for one in suite.command.setups):
        raise UsageError(
            f"suite {suite.name!r}: a container or pod has no host to set up",
            hint='per = "worker", or services; per = "host" is for workers.launcher = "local" and "ssh"',
        )


def _refuse_inner_hosts(suite: str, setups: Sequence[SetUp]) -> None:
    """What a host's workers share stands before any of them."""
    kinds = [one.per == "host" for one in setups]
    if kinds != sorted(kinds, reverse=True):
        inner = next(one.name for at, one in enumerate(setups) if one.per == "host" and not all(kinds[:at]))
        raise UsageError(
            f"suite {suite!r}: set-up {inner!r} is per host", hint="write those per host before all others"
        )


def _below(suite: str, setting: str, patterns: Sequence[str]) -> tuple[str, ...]:
    for pattern in patterns:
        if pattern.startswith("/") or ".." in pattern.split("/") or not pattern.strip("/."):
            raise UsageError(
                f"suite {suite!r}: {setting} has {pattern!r}",
                hint="patterns are relative to the test's own folder, below it",
            )
    return tuple(patterns)


def _digest(root: Path, names: Sequence[str]) -> str:
    """Over the contents of files: what a command has made is mostly none of the sources."""
    from extensions.deciding import digest
    from pipeline.adapters.inputs import file_digests

    return digest(dict(file_digests(root, names)))


def _written(folder: Path, content: bytes) -> Path:
    """The frozen file, named by its content; whole or not there."""
    path = folder / f"tests-{command_rows.digest(content)}.json"
    if path.exists():
        os.utime(path)  # Old ones are removed one day.
    else:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(content)
            part.replace(path)
        except OSError as error:
            raise UsageError(f"cannot write the frozen tests {str(path)!r}: {error}") from error
    return path
