"""Read `pylock.toml`, https://peps.python.org/pep-0751/, with the reader of `packaging`. Must not touch an index or a disk."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from pipeline.errors import UsageError
from pipeline.logic.immutable import SHA256, why_fresh
from pipeline.logic.target_platform import marker_environment, tags
from pipeline.logic.uv_lock import GROUPS
from pipeline.model.dependencies import Artifact, Lock, Pin, Target

if TYPE_CHECKING:
    from packaging.markers import Environment
    from packaging.pylock import Package


def read_pylock(path: str, text: str, target: Target, wanted: tuple[str, ...] | None = None) -> Lock:
    """The lock for a target; `wanted` names groups and extras (None: its default groups, and those for tests).

    Raises `UsageError` naming the place of what cannot be used.
    """
    import tomllib

    from packaging.pylock import Pylock, PylockSelectError, PylockValidationError

    try:
        lock = Pylock.from_dict(tomllib.loads(text))
        offered = (*(lock.dependency_groups or ()), *(lock.extras or ()))
        asked = wanted if wanted is not None else [name for name in offered if name in GROUPS]
        groups = {*(lock.default_groups or ()), *asked} & {
            *(lock.dependency_groups or ()),
            *(lock.default_groups or ()),
        }
        environment = cast("Environment", marker_environment(target))
        chosen = list(
            lock.select(
                environment=environment,
                tags=tags(target),
                extras=[name for name in asked if name in (lock.extras or ())],
                dependency_groups=groups,
            )
        )
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from error
    except (PylockValidationError, PylockSelectError) as error:
        raise UsageError(f"{path}: {error}", hint="make the lock again, or for the Python of the image") from error
    if wanted is not None and (missing := sorted({*wanted} - {*offered})):
        raise UsageError(f"{path}: there is no group or extra {missing[0]!r}, only {sorted(offered)}")
    pins = [_pin(path, package, source) for package, source in chosen]
    return Lock(path=path, pins=tuple(sorted(pins, key=lambda pin: pin.name)))


def _pin(path: str, package: Package, source: Any) -> Pin:
    version = str(package.version or "")
    place = f"{path}: package {package.name!r}"
    hashes: Mapping[str, str] = getattr(source, "hashes", None) or {}
    digest = str(hashes.get("sha256", "")).lower()
    located = str(getattr(source, "url", None) or "")
    local = str(getattr(source, "path", None) or "")
    filename = str(getattr(source, "name", None) or unquote((located or local).partition("#")[0].rsplit("/", 1)[-1]))
    if SHA256.fullmatch(digest) and filename.endswith((".whl", ".tar.gz", ".zip")):
        url = located or f"file:{posixpath.join(posixpath.dirname(path), local)}" if (located or local) else ""
        artifacts = (Artifact(sha256=digest, filename=filename, url=url),)
        version = version or _version_of(filename)
        fresh = why_fresh(version, artifacts)
        requirement = f"{package.name}=={version}" if fresh else ""
        return Pin(name=package.name, version=version, place=place, artifacts=artifacts, index=str(package.index or ""),
                   fresh=fresh, requirement=requirement)  # fmt: skip
    return _fresh(package, place, version, located or local)


def _fresh(package: Package, place: str, version: str, where: str) -> Pin:
    if package.vcs is not None:
        commit = package.vcs.commit_id
        source = f"{package.name} @ {package.vcs.type}+{where}@{commit}"
        return Pin(
            name=package.name, version=version, place=place, fresh="it comes from version control", requirement=source
        )
    editable = bool(package.directory is not None and package.directory.editable)
    why = "it is installed in place" if editable else "it is no file with a sha256 digest"
    return Pin(name=package.name, version=version, place=place, fresh=why, requirement=where, editable=editable)


def _version_of(filename: str) -> str:
    return filename.split("-")[1] if filename.endswith(".whl") else ""
