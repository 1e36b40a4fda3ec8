"""The project: its name, its folders, its branch, and what counts as its inputs.

It reads the project's own files, never changes them, and starts no process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.settings import kinds
from pipeline.settings.collected import texts
from pipeline.settings.declaration import nested, setting
from pipeline.settings.extension import Extension
from pipeline.settings.providers import Provider, provider

BRANCH_VARIABLES: Final = (
    "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME",
    "CHANGE_BRANCH", "BRANCH_NAME", "BUILDKITE_BRANCH", "CIRCLE_BRANCH",
)  # fmt: skip
"""Where CI servers say the branch, because their checkouts are often detached. The first non-empty one counts."""


def name_of_project(project: Extension) -> str:
    """The name in pyproject.toml, else that of the folder."""
    import tomllib

    root = project.scope.ledger.context.root
    try:
        table: Any = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        name = table.get("project", {}).get("name") or table.get("tool", {}).get("poetry", {}).get("name")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, AttributeError):
        name = None
    return name if isinstance(name, str) and name else root.resolve().name or "project"


def branch_of_project(project: Extension) -> str:
    """What the CI server says, else what git has checked out, else empty."""
    environment: Mapping[str, str] = project.scope.fleet.environment
    said = [environment[name] for name in BRANCH_VARIABLES if environment.get(name)]
    return said[0] if said else _checked_out(project.scope.ledger.context.root)


def _checked_out(root: Path) -> str:
    """Read `HEAD` of the work tree around the root (format: gitrepository-layout(5)); empty when detached."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        try:
            if git.is_file():
                git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            head = (git / "HEAD").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue
        return head.removeprefix("ref: refs/heads/") if head.startswith("ref: refs/heads/") else ""
    return ""


class Inputs(Extension):
    """What decides whether a result is up to date, besides tracked and unignored files (but for those of virtual environments),
    interpreter and dependencies."""

    include = setting(texts, ())
    """Globs of files that count although git ignores them, relative to the root: data that is made or downloaded."""

    exclude = setting(texts, ())
    """Globs of files that do not count although git knows them: notes, pictures of the documentation."""

    environment = setting(texts, ())
    """Names or globs of environment variables that tests depend on; a change of one makes results out of date."""


class Project(Extension):
    """The project that is tested."""

    name = setting(kinds.text, name_of_project)
    """The project's name in titles, image names and reports."""

    state_dir = setting(kinds.path, ".fleet")
    """Where history, the store and doit's own state live between runs. Git should ignore it."""

    build_dir = setting(kinds.path, "build")
    """Where things for people and other tools are written: the plan, the reports."""

    branch = setting(kinds.text, branch_of_project)
    """The branch whose durations are learnt and used. Empty: unknown, as in a detached checkout."""

    main_branches = setting(texts, ("main", "master", "trunk"))
    """Branches whose durations stand in for those another branch does not have yet; the first that knows a test."""

    inputs = nested(Inputs)

    @property
    def root(self) -> Provider[Path]:
        """The project's folder: a fact, not a setting."""
        return provider(lambda: self.scope.ledger.context.root)
