"""Find and read a project's lock file. What a lock says is read in `logic`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import UsageError
from pipeline.model.dependencies import Lock, Target

NAMES = ("pylock.toml", "uv.lock", "requirements.lock")
PATTERNS = ("requirements*.txt", "requirements/*.txt")
LARGEST = 64 * 2**20
PREFERRED = ("test", "dev", "ci")
"""Among several requirements files with hashes: what tests need."""


def find_lock(folders: Sequence[Path]) -> Path | None:
    """The lock of the first folder that has one; requirements files count when they have hashes."""
    from pipeline.logic.requirement_lock import has_hashes

    for folder in folders:
        for name in NAMES:
            path = folder / name
            if path.is_file() and (name != "requirements.lock" or has_hashes(_text(path))):
                return path
        hashed = [path for pattern in PATTERNS for path in sorted(folder.glob(pattern)) if has_hashes(_text(path))]
        if hashed:
            return min(hashed, key=_preference)
    return None


def _preference(path: Path) -> tuple[int, str]:
    return next((rank for rank, word in enumerate(PREFERRED) if word in path.stem), len(PREFERRED)), path.name


def read_lock(
    path: Path, root: Path, target: Target, environment: Mapping[str, str], wanted: tuple[str, ...] | None = None
) -> Lock:
    """The lock for a target; `wanted` names groups and extras. Raises `UsageError` with file and line."""
    from packaging.pylock import is_valid_pylock_path

    from pipeline.logic.pylock import read_pylock
    from pipeline.logic.requirement_lock import read_requirements
    from pipeline.logic.uv_lock import read_uv_lock

    name = _relative(path, root)
    if is_valid_pylock_path(path):
        return read_pylock(name, _text(path), target, wanted)
    if path.name == "uv.lock":
        return read_uv_lock(name, _text(path), target, wanted)
    if wanted:
        raise UsageError(f"{name}: a requirements file has no groups or extras, but {wanted[0]!r} is asked for")
    return read_requirements(name, lambda other: _text(root / other), target, environment)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{str(path)!r} is too large for a lock file")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the lock file {str(path)!r}: {error}") from error


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if root in path.parents else str(path)
