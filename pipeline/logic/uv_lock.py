"""Read `uv.lock`: walk from the project's own packages to what a target needs. https://docs.astral.sh/uv/concepts/projects/layout/.

Markers decide which edges count. Must not touch an index or a disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from pipeline.errors import UsageError
from pipeline.logic.immutable import SHA256, why_fresh
from pipeline.logic.target_platform import marker_environment
from pipeline.model.dependencies import Artifact, Lock, Pin, Target

FORMAT = 1
GROUPS = ("dev", "test", "tests", "testing")
"""Dependency groups and extras that a test run is meant to have, where a project has them."""
OWN = ("editable", "virtual", "directory")

Package = Mapping[str, Any]


def read_uv_lock(path: str, text: str, target: Target, wanted: Sequence[str] | None = None) -> Lock:
    """The lock for a target; `wanted` names groups and extras of the project (None: those of `GROUPS` there are).

    Raises `UsageError` naming the place of what cannot be used.
    """
    packages = _packages(path, text, target)
    walk = _Walk(path, packages, marker_environment(target))
    for package in walk.roots():
        walk.enter(package, _selected(path, package, wanted))
    return Lock(path=path, pins=walk.pins())


def _packages(path: str, text: str, target: Target) -> Sequence[Package]:
    import tomllib

    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from error
    if told.get("version") != FORMAT:
        raise UsageError(f"{path}: format {told.get('version')!r} is not known, only {FORMAT}")
    packages = told.get("package", [])
    if not isinstance(packages, list) or not all(isinstance(one, dict) and "name" in one for one in packages):
        raise UsageError(f"{path}: its packages are not understood", hint="make it again with `uv lock`")
    requires = str(told.get("requires-python", ""))
    try:
        fits = SpecifierSet(requires).contains(".".join(map(str, target.python)))
    except InvalidSpecifier as error:
        raise UsageError(f"{path}: requires-python: {error}") from error
    if not fits:
        raise UsageError(f"{path}: is made for Python {requires}, and the image has {target.short}")
    members = (told.get("manifest") or {}).get("members", ())
    return [{**one, "is-member": one["name"] in members} for one in packages]


def _selected(path: str, package: Package, wanted: Sequence[str] | None) -> Sequence[str]:
    offered = {*package.get("optional-dependencies", {}), *package.get("dev-dependencies", {})}
    if wanted is None:
        return [name for name in GROUPS if name in offered]
    missing = [name for name in wanted if name not in offered]
    if missing:
        raise UsageError(f"{path}: {package['name']!r} has no group or extra {missing[0]!r}, only {sorted(offered)}")
    return wanted


class _Walk:
    def __init__(self, path: str, packages: Sequence[Package], markers: dict[str, str]) -> None:
        self._path, self._packages, self._markers = path, packages, markers
        self._by_name: dict[str, list[int]] = {}
        for index, package in enumerate(packages):
            self._by_name.setdefault(str(package["name"]), []).append(index)
        self._seen: dict[tuple[int, str], None] = {}
        self._waiting: deque[tuple[int, str]] = deque()

    def roots(self) -> Sequence[Package]:
        own = [one for one in self._packages if any(one.get("source", {}).get(kind) == "." for kind in OWN)]
        members = [one for one in self._packages if one["is-member"]]
        found = members or own or [one for one in self._packages if _kind(one) in ("editable", "virtual")]
        if not found:
            raise UsageError(f"{self._path}: has no package of the project itself", hint="make it again with `uv lock`")
        return found

    def enter(self, package: Package, extras: Sequence[str]) -> None:
        index = self._packages.index(package)
        self._visit(index, ("", *extras))
        while self._waiting:
            at, part = self._waiting.popleft()
            for edge in _edges(self._packages[at], part):
                if self._applies(edge):
                    self._visit(self._find(edge), ("", *edge.get("extra", ())))

    def _visit(self, index: int, parts: Sequence[str]) -> None:
        for part in parts:
            if (index, part) not in self._seen:
                self._seen[index, part] = None
                self._waiting.append((index, part))

    def _applies(self, edge: Mapping[str, Any]) -> bool:
        from packaging.markers import InvalidMarker, Marker

        try:
            return not edge.get("marker") or Marker(str(edge["marker"])).evaluate({**self._markers, "extra": ""})
        except InvalidMarker as error:
            raise UsageError(f"{self._path}: marker {edge['marker']!r} of {edge.get('name')!r}: {error}") from error

    def _find(self, edge: Mapping[str, Any]) -> int:
        fitting = [
            index
            for index in self._by_name.get(str(edge.get("name")), ())
            if all(edge.get(key) in (None, self._packages[index].get(key)) for key in ("version", "source"))
        ]
        if len(fitting) != 1:
            what = "is missing" if not fitting else "is there more than once"
            raise UsageError(f"{self._path}: package {edge.get('name')!r} {what}", hint="make it again with `uv lock`")
        return fitting[0]

    def pins(self) -> tuple[Pin, ...]:
        found: dict[str, Pin] = {}
        for index in sorted({index for index, _ in self._seen}):
            pin = _pin(self._path, index, self._packages[index])
            if pin is not None and found.setdefault(pin.name, pin) != pin:
                raise UsageError(f"{pin.place}: {pin.name!r} is needed in two versions by one target")
        return tuple(found[name] for name in sorted(found))


def _edges(package: Package, part: str) -> Iterator[Mapping[str, Any]]:
    if not part:
        yield from package.get("dependencies", ())
    else:
        yield from package.get("optional-dependencies", {}).get(part, ())
        yield from package.get("dev-dependencies", {}).get(part, ())


def _kind(package: Package) -> str:
    return str(next(iter(package.get("source") or {"": ""})))


def _pin(path: str, index: int, package: Package) -> Pin | None:
    name, version, kind = str(package["name"]), str(package.get("version", "")), _kind(package)
    place = f"{path}: package {name!r}"
    if kind == "virtual":
        return None
    where = str((package.get("source") or {}).get(kind, ""))
    if kind == "registry":
        artifacts = tuple(_artifacts(package, where))
        fresh = why_fresh(version, artifacts)
        source = f"{name}=={version}" if fresh else ""
        index_url = where if "://" in where else ""
        return Pin(
            name=name,
            version=version,
            place=place,
            artifacts=artifacts,
            index=index_url,
            fresh=fresh,
            requirement=source,
        )
    if kind == "url" and (artifacts := tuple(_artifacts(package, where))):
        fresh = why_fresh(version, artifacts)
        return Pin(
            name=name,
            version=version,
            place=place,
            artifacts=artifacts,
            fresh=fresh,
            requirement=f"{name} @ {where}" if fresh else "",
        )
    if kind == "git":
        return Pin(
            name=name,
            version=version,
            place=place,
            fresh="it comes from version control",
            requirement=f"{name} @ git+{_git(where)}",
        )
    why = "it is installed in place" if kind == "editable" else "it comes from a folder or file"
    return Pin(name=name, version=version, place=place, fresh=why, requirement=where, editable=kind == "editable")


def _git(where: str) -> str:
    """pip's form of uv's `https://…?rev=…#<commit>`."""
    url, _, commit = where.partition("#")
    return url.partition("?")[0] + (f"@{commit}" if commit else "")


def _artifacts(package: Package, registry: str) -> Iterator[Artifact]:
    for told in (*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())):
        kind, _, digest = str(told.get("hash", "")).partition(":")
        place = str(told.get("url") or told.get("path") or package.get("source", {}).get("url", ""))
        if kind == "sha256" and SHA256.fullmatch(digest):
            filename = str(told.get("filename") or unquote(place.partition("#")[0].rsplit("/", 1)[-1]))
            url = place if "://" in place else f"file:{registry}/{place}" if place else ""
            yield Artifact(sha256=digest, filename=filename, url=url)
