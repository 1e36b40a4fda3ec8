"""Which files a project consists of: git's word for it where there is git, else a walk that leaves out the usual junk.

Names are relative to the root, with `/`, and may hold surrogates where they are no UTF-8. Contents are not read here.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterator, Sequence
from typing import Final

_GIT = ("git", "ls-files", "-co", "--exclude-standard", "-z")
_FOREIGN_VARIABLES: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
"""Set inside git hooks, for the repository that the hook runs in."""

_JUNK: Final = frozenset(
    {".git", ".hg", ".svn", ".bzr", ".tox", ".nox", ".venv", "node_modules", "__pycache__", ".pytest_cache"}
    | {".mypy_cache", ".ruff_cache", ".hypothesis", ".eggs", ".idea", ".vscode", ".DS_Store"}
)
_JUNK_MARKS: Final = frozenset({"CACHEDIR.TAG", "pyvenv.cfg"})


class Listing:
    """A listing under way: git runs while its caller does something else."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._git = _start_git(root)

    def raw(self) -> bytes:
        """The names, each followed by a zero byte; equal bytes mean equal listings."""
        output = self._git.communicate()[0] if self._git is not None else b""
        # No output: no work tree, or a root that the repository around it ignores.
        return output or b"".join(os.fsencode(name) + b"\0" for name in sorted(_walk(self._root, "")))


def names_of(raw: bytes) -> list[str]:
    """The names in a listing; a folder among them is a repository of its own. Virtual environments are left out: what is installed
    counts by its versions, and is no use elsewhere."""
    names = dict.fromkeys(os.fsdecode(raw).split("\0"))
    left_out = tuple(_environments(names))
    # "./": inside a sub-module that was not fetched.
    return [name for name in names if name not in ("", "./") and not name.startswith(left_out)]


def _environments(names: Collection[str]) -> Iterator[str]:
    """Folders of environments that git does not ignore. One without its interpreter is mostly some test's data."""
    for name in names:
        folder, _, last = name.rpartition("/")
        if last == "pyvenv.cfg" and folder and f"{folder}/bin/python" in names:
            yield f"{folder}/"


def globbed(root: str, patterns: Sequence[str]) -> list[str]:
    """Files below the root that match one of the patterns, whether git knows them or not."""
    if not patterns:
        return []
    import glob

    found = (glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True) for pattern in patterns)
    return sorted({name for names in found for name in names if not os.path.isdir(os.path.join(root, name))})


def matcher(patterns: Sequence[str]) -> re.Pattern[str]:
    """One expression for all patterns: `**` is any folders, `*` and `?` stay within a name; a folder means its content.

    Without patterns it matches nothing.
    """
    return re.compile("|".join(f"(?:{_translate(pattern)})(?:/.*)?" for pattern in patterns) or r"(?!)", re.DOTALL)


def _translate(pattern: str) -> str:
    tokens = re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|\[!?[^\]]+\]|[^*?[]+|\[", pattern.strip("/"), re.DOTALL)
    special = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(special.get(token) or _literal(token) for token in tokens)


def _literal(token: str) -> str:
    if token.startswith("[") and len(token) > 1:
        inner = token[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    return re.escape(token)


def _start_git(root: str) -> subprocess.Popen[bytes] | None:
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
    try:
        return subprocess.Popen(
            _GIT,
            cwd=root,
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None


def _walk(root: str, parent: str) -> Iterator[str]:
    try:
        with os.scandir(os.path.join(root, parent)) as found:
            entries = list(found)
    except OSError:
        return
    if parent and any(entry.name in _JUNK_MARKS for entry in entries):
        return
    for entry in entries:
        if entry.name in _JUNK or entry.name.endswith(".pyc"):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, f"{parent}{entry.name}/")
        else:
            yield parent + entry.name
