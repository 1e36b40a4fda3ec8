"""What decides verdicts, as digests by part: files, declared environment, interpreters with their packages, settings.

On the way of every `doit`: nothing heavy is imported, and file contents are only read where a file's status changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from attrs import asdict, filters

from extensions.fleet import Fleet
from pipeline.adapters.inputs import files_digest, interpreter_digest
from pipeline.model.suites import Suite
from pipeline.stages.agent import Inputs, Wishes

MOST_FILES = 5_000
"""Above that many files, one digest stands for all: then `-v2` names no files."""


WRITTEN = ("artifacts", "base", "collect", "command", "group", "image", "launch", "outputs", "push", "reproduce")
"""Folders of `build_dir` that stages write into."""
JUNK = (
    "**/__pycache__/**",
    "**/*.pyc",
    "**/.pytest_cache/**",
    "**/.hypothesis/**",
    "**/.coverage",
    "**/.coverage.*",
    "**/htmlcov/**",
    "**/coverage.xml",
    "**/coverage.json",
    "**/coverage.lcov",
    "**/*.egg-info/**",
)
"""What running tests leaves behind, where git was not told to ignore it."""


CLAIM_SECONDS = {False: 0.005, True: 0.05}
"""What claiming a batch costs, by whether the store is on a server."""


class Sources:
    """The project's tracked and unignored files, without what we write ourselves and without the hosts file: it says where tests run, and
    may be edited while they do."""

    def __init__(self, fleet: Fleet, root: Path, state: Path) -> None:
        self._fleet, self._root, self._state = fleet, root, state

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Digest by name, relative to the root, as it was when first asked for."""
        return self._scan()

    def changed(self) -> list[str]:
        """Names whose digest is another now."""
        now, before = self._scan(), self.files
        return sorted(name for name in {*now, *before} if now.get(name) != before.get(name))

    def _scan(self) -> Mapping[str, str]:
        project = self._fleet.project
        own = [self._state, *(project.build_dir.get() / name for name in WRITTEN), Path(self._fleet.reports.dir.get())]
        inside = [f"{path.relative_to(self._root)}/**" for path in own if self._root in path.parents]
        exclude = (*project.inputs.exclude.get(), *inside, *self._hosts_file(), *JUNK)
        include = project.inputs.include.get()
        return files_digest(self._root, self._state / "files.json", include=include, exclude=exclude).files

    def _hosts_file(self) -> list[str]:
        """Its pattern, where it lies in the project."""
        listed = self._fleet.ssh.hosts_file.get()
        if listed is None or self._root not in listed.parents:
            return []
        return ["".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(listed.relative_to(self._root)))]


def inputs_of(fleet: Fleet, suites: Sequence[Suite], files: Mapping[str, str]) -> Inputs:
    """Put the parts together."""
    parts: dict[str, str | Mapping[str, str]] = {
        "sources": files if len(files) <= MOST_FILES else digest(dict(files)),
        "environment": declared_environment(fleet),
        "interpreter": {suite.name: interpreter_digest(suite.interpreter.path) for suite in suites},
        "settings": {suite.name: digest(deciding_settings(suite)) for suite in suites},
        "doit-fleet": version("doit-fleet"),
    }
    return Inputs(parts=parts, identity=digest({**parts, "sources": digest(dict(files))})[:16])


def declared_environment(fleet: Fleet) -> dict[str, str]:
    """Digests of the declared variables that are set, by name; values may be secret."""
    patterns = fleet.project.inputs.environment.get()
    names = [name for name in fleet.environment if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return {name: digest(fleet.environment[name]) for name in sorted(names)}


def deciding_settings(suite: Suite) -> dict[str, object]:
    """A suite's settings that can change a verdict, as plain JSON."""
    told = asdict(suite, filter=filters.exclude("interpreter", "slow_after_seconds", "pool"))
    return {**told, "python": suite.interpreter.path}


def digest(value: object) -> str:
    """SHA-256 (hex) of a plain JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def wishes_of(fleet: Fleet) -> Wishes:
    """What the settings say of planning."""
    run = fleet.run
    seed = run.seed.get()
    return Wishes(
        fail_fast=run.fail_fast.get(),
        seed=0 if seed == "auto" else int(seed),
        allow_empty=run.allow_empty.get(),
        fail_on_flaky=run.fail_on_flaky.get(),
        claim_seconds=CLAIM_SECONDS["://" in str(fleet.store.url.get())],
        limits=run.limits.get(),
    )
